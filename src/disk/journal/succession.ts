import fs from 'node:fs';
import { join } from 'node:path';
import { Candidate } from './candidate.ts';
import { diskError, systemCode } from './disk-error.ts';
import {
  candidateDirectory,
  candidatePath,
  closeQuietly,
  generationPath,
  listGenerations,
  openGeneration,
  type GenerationFile,
} from './generation-file.ts';
import type { EndOfSnapshot } from './journal-records.ts';
import type { JournalEncryption } from './journal-cipher.ts';
import type { SnapshotRecord } from './machine.ts';
import type { Magic } from './magic.ts';
import { syncDirectory } from './sync-directory.ts';

/*
 * Invariants
 * - A candidate is finished before a SEAL names it, and gets its number only after that SEAL is effective.
 * - No number is created twice: whoever deletes a generation has deleted every candidate of the ones after it first,
 *   so a link that comes late finds nothing to link.
 * - Generations go the lowest first, so a sealed one that still has its name has a successor, under its number or as a
 *   candidate. Only where files were copied one by one it may have none: whoever writes next makes one then.
 * - The newest generation, or the candidate that an effective SEAL names, is always there.
 */

/**
 * Opens generation `number`, which `magic` identifies and an effective SEAL has named with `least` bytes (or which was
 * open before, and had as many); null if it is not there. Gives it its name where nobody else has.
 */
export function openSuccessor(directory: string, number: number, magic: Magic, least: number, encryption: JournalEncryption | undefined): GenerationFile | null {
  const open = (path?: string): GenerationFile | null => openGeneration(directory, number, encryption, path);
  const file = open() ?? openCandidate(directory, number, candidatePath(directory, number, magic), least, open) ?? open();
  if (file === null || (file.magic.equals(magic) && sizeOf(file) >= least)) return file;
  closeQuietly(file.descriptor);
  return null;
}

/** One that is shorter was copied while it was written. */
function openCandidate(directory: string, number: number, candidate: string, least: number, open: (path?: string) => GenerationFile | null): GenerationFile | null {
  if ((fs.lstatSync(candidate, { throwIfNoEntry: false })?.size ?? 0) < least) return null;
  try {
    fs.linkSync(candidate, generationPath(directory, number));
    syncDirectory(directory);
    fs.unlinkSync(candidate);
  } catch {
    // Somebody else did it, or nobody can; the names that there are now tell.
  }
  // Where no link can be made (a full disk, a disk that is read-only for us), the candidate serves by its own name.
  return open() ?? open(candidate);
}

function sizeOf(file: GenerationFile): number {
  try {
    return fs.fstatSync(file.descriptor).size;
  } catch (error) {
    closeQuietly(file.descriptor);
    throw diskError(error, 'read the journal', file.path);
  }
}

/**
 * Makes generation `number` of a journal whose sealed predecessor has lost it: a copy was made while the journal moved
 * on. Another process may be first; its generation is as good.
 */
export function succeed(
  directory: string,
  number: number,
  snapshot: Iterable<SnapshotRecord>,
  end: Omit<EndOfSnapshot, 'records' | 'generation'>,
  encryption: JournalEncryption | undefined,
): void {
  const candidate = new Candidate(directory, number, encryption);
  try {
    candidate.write(snapshot, { generation: number, ...end });
    fs.linkSync(candidate.path, generationPath(directory, number));
    syncDirectory(directory);
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw diskError(error, 'continue the journal in', directory);
  } finally {
    candidate.discard();
  }
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
