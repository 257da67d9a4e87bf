import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { candidateDirectory, candidatePath, generationPath, listGenerations } from '../journal/generation-file.ts';
import type { JournalEncryption } from '../journal/journal-cipher.ts';
import type { Machine } from '../journal/machine.ts';
import type { MapSkim } from '../map/map-skim.ts';
import { costOf } from './costs.ts';
import type { Fault } from './finding.ts';
import { inspect, type Inspection } from './generation.ts';

/** How often a directory is listed again while others make and delete generations. */
const LISTINGS = 64;

const CANDIDATE = /^(0|[1-9][0-9]*)\.[0-9a-f]{32}$/;

/**
 * All that is wrong with a journal, whose directory is there. Reads only, and finds nothing wrong in what the journal's
 * users do meanwhile.
 *
 * @param createMachine - makes what is to be fed with a generation.
 * @param encryption - null: of what is encrypted only the frames are looked at.
 * @throws HoldfastError when the directory cannot be read
 */
export function verifyJournal(directory: string, createMachine: () => Machine<unknown>, encryption: JournalEncryption | null = null): Fault[] {
  const seen = inspectAll(directory, createMachine, encryption);
  if (seen === null) return [];
  const current = newestOf(seen);
  if (current === null) return [withoutGenerations(directory)];
  const faults = [...seen.values()].flatMap((each) => faultsOf(each, directory, current));
  if (current.seal !== null) faults.push(cutShort(current));
  return [...faults, ...leftovers(directory, seen)];
}

/** Every generation, by its path, until there are no more; null if the journal is gone. */
function inspectAll(directory: string, createMachine: () => Machine<unknown>, encryption: JournalEncryption | null): Map<string, Inspection> | null {
  const seen = new Map<string, Inspection>();
  const look = (number: number, at = generationPath(directory, number)): boolean => {
    const inspection = seen.has(at) ? null : inspectWith(createMachine(), (machine) => inspect(directory, number, machine, at, encryption));
    if (inspection !== null) seen.set(at, inspection);
    return inspection !== null;
  };
  for (let listing = 0; listing < LISTINGS; listing++) {
    const newest = newestOf(seen);
    // First by its first name, then by its last: it gets the one before it loses the other.
    if (newest?.seal && isComplete(newest, directory) && look(newest.number + 1, successorOf(newest, directory))) continue;
    const numbers = listGenerations(directory);
    if (numbers === null) return null;
    const unseen = numbers.filter((number) => !seen.has(generationPath(directory, number)));
    if (unseen.length === 0 && seen.size > 0) break;
    for (const number of unseen) look(number);
  }
  return seen;
}

/** A machine that keeps nothing may find that another one is needed. */
function inspectWith(machine: Machine<unknown> & Partial<Pick<MapSkim, 'thorough'>>, look: (machine: Machine<unknown>) => Inspection | null): Inspection | null {
  const inspection = look(machine);
  return machine.thorough ? look(machine.thorough) : inspection;
}

function newestOf(seen: ReadonlyMap<string, Inspection>): Inspection | null {
  return [...seen.values()].reduce<Inspection | null>((newest, each) => (newest === null || each.number > newest.number ? each : newest), null);
}

function successorOf({ number, seal }: Inspection, directory: string): string {
  return seal === null ? '' : candidatePath(directory, number + 1, seal.successor);
}

/** Whether the successor is there as a candidate; one that is shorter than its SEAL says was copied while it was written. */
function isComplete(inspection: Inspection, directory: string): boolean {
  const size = fs.lstatSync(successorOf(inspection, directory), { throwIfNoEntry: false })?.size ?? 0;
  return size >= (inspection.seal?.resume ?? 0);
}

function faultsOf(inspection: Inspection, directory: string, current: Inspection): Fault[] {
  const later = inspection.number < current.number ? current.number : null;
  const journal = path.basename(directory);
  return inspection.flaws.map((flaw) => ({
    kind: flaw.kind,
    path: inspection.path,
    offset: flaw.offset,
    length: flaw.length,
    message: `${flaw.what} ${costOf(flaw, journal, later)}`,
  }));
}

function withoutGenerations(directory: string): Fault {
  const message = `The journal has no generation. ${costOf({ kind: 'damaged', reach: 'generation', offset: 0, length: 0, what: '' }, path.basename(directory), null)}`;
  return { kind: 'damaged', path: directory, offset: 0, length: 0, message };
}

function cutShort({ path, end, number }: Inspection): Fault {
  const message = `It went on in generation ${number + 1}, which is not there. This is a copy that was made meanwhile, which goes on from here, or all that was written later is lost.`;
  return { kind: 'cut-short', path, offset: end, length: 0, message };
}

/** Candidates that came to nothing, and are not whole. Nobody reads them, and the next compaction deletes them. */
function leftovers(directory: string, seen: ReadonlyMap<string, Inspection>): Fault[] {
  return candidatesIn(directory)
    .filter((candidate) => !seen.has(candidate))
    .filter((candidate) => (inspect(directory, Number.parseInt(path.basename(candidate), 10), null, candidate)?.flaws.length ?? 0) > 0)
    .map((candidate) => ({
      kind: 'torn',
      path: candidate,
      offset: 0,
      length: fs.lstatSync(candidate, { throwIfNoEntry: false })?.size ?? 0,
      message: 'A compaction did not come to its end, or is under way. Nothing is lost: nobody reads it.',
    }));
}

function candidatesIn(directory: string): string[] {
  const parent = candidateDirectory(directory);
  try {
    if (!fs.lstatSync(parent).isDirectory()) return [];
    return fs.readdirSync(parent).filter((name) => CANDIDATE.test(name)).map((name) => path.join(parent, name));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
