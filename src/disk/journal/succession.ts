import fs from 'node:fs';
import { join } from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { systemCode } from './disk-error.ts';
import {
  candidateDirectory,
  candidatePath,
  closeQuietly,
  generationPath,
  listGenerations,
  openGeneration,
  type GenerationFile,
} from './generation-file.ts';
import type { Magic } from './magic.ts';
import { syncDirectory } from './sync-directory.ts';

/*
 * Invariants
 * - A candidate is finished before a SEAL names it, and gets its number only after that SEAL is effective.
 * - No number is created twice: whoever deletes a generation has deleted every candidate of the ones after it first,
 *   so a link that comes late finds nothing to link.
 * - The newest generation, or the candidate that an effective SEAL names, is always there.
 */

/**
 * Opens generation `number`, which `magic` identifies and an effective SEAL has named (or which was open before);
 * null if it is gone by now. Gives it its name where nobody else has.
 */
export function openSuccessor(directory: string, number: number, magic: Magic): GenerationFile | null {
  const candidate = candidatePath(directory, number, magic);
  const file =
    openGeneration(directory, number) ??
    linkAndOpen(directory, number, candidate) ??
    // Where no link can be made (a full disk, a disk that is read-only for us), the candidate serves by its own name.
    openGeneration(directory, number, candidate) ??
    openGeneration(directory, number);
  if (file === null || file.magic.equals(magic)) return file;
  closeQuietly(file.descriptor);
  throw new HoldfastError('journal-damaged', `The journal ${file.path} is not the one that its predecessor names.`);
}

function linkAndOpen(directory: string, number: number, candidate: string): GenerationFile | null {
  try {
    fs.linkSync(candidate, generationPath(directory, number));
    syncDirectory(directory);
    fs.unlinkSync(candidate);
  } catch {
    // Somebody else did it, or nobody can; the names that there are now tell.
  }
  return openGeneration(directory, number);
}

/**
 * Deletes what the newest generation has made useless: candidates up to its number, and sealed generations but the
 * last `retain`, the oldest first. Best effort; what stays is deleted after the next compaction.
 */
export function sweep(directory: string, newest: number, retain: number): void {
  try {
    const numbers = listGenerations(directory) ?? [];
    // A generation that is known by its candidate's name only must get its number, durably, before anything goes.
    if (!numbers.includes(newest)) return;
    syncDirectory(directory);
    for (const path of candidatesUpTo(directory, newest)) remove(path);
    for (const number of numbers) if (number < newest - retain) remove(generationPath(directory, number));
  } catch {
    // The order of deletion matters, so the first failure ends it.
  }
}

function candidatesUpTo(directory: string, newest: number): string[] {
  const parent = candidateDirectory(directory);
  return fs
    .readdirSync(parent)
    .filter((name) => /^(0|[1-9][0-9]*)\.[0-9a-f]{32}$/.test(name) && Number.parseInt(name, 10) <= newest)
    .map((name) => join(parent, name));
}

function remove(path: string): void {
  try {
    fs.unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}
