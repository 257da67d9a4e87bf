import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { systemCode } from '../journal/disk-error.ts';
import { closeQuietly, FILE_HEADER_BYTES } from '../journal/generation-file.ts';
import { PLAIN } from '../journal/journal-cipher.ts';
import { KEYS } from '../root/origin-vault.ts';
import { mayBeStub, STUB_MAGIC } from '../tree/stub.ts';
import { decodeHeader } from './files/header.ts';
import { HEADER_BYTES } from './files/grid.ts';
import { LEAST_STUB_BYTES, stubKeyOf } from './origin-keys.ts';
import { SPELLING } from './visible-names.ts';

/** What the files of an origin say of the keys that they need. */
export interface Traces {
  /** The ids of all data keys that anything bears. */
  readonly ids: ReadonlySet<number>;
  /** Files that are not encrypted. */
  readonly plain: readonly string[];
  /**
   * Files that somebody has yet to finish: under which key is not known before. Generations of journals are not among them:
   * whoever makes one begins again, or finds the journal moved, where the key that he chose is the active one no more.
   */
  readonly unfinished: readonly string[];
}

/** Of a generation of a journal: docs/FORMAT.md, "Generation". */
const JOURNAL = Buffer.from('HFJOURNL', 'latin1');
const KEY_OF_JOURNAL = 12;

/** What says nothing of what an origin holds. */
const SILENT = new Set([KEYS, 'origin.json', 'persisted', 'wake']);

/** Where coordinators are, and the spelling of a long name of one: it is as encrypted as the names are. */
const COORDINATORS = 'coordinators';
const NAME = 'name';

const TREE = /^files\./;

/** Where generations of a journal are made. */
const CANDIDATES = 'cand';

/**
 * Looks at the beginning of each file below an origin's directory. What comes or goes meanwhile may be seen or not.
 *
 * @param ids - of keys that something else is known to bear
 * @throws the operating system's error
 */
export function tracesIn(directory: string, ids: Iterable<number> = []): Traces {
  const found = { ids: new Set(ids), plain: [] as string[], unfinished: [] as string[] };
  walk(directory, false, found, COORDINATORS);
  // By what they are called nobody knows what is in them.
  for (const className of directoriesIn(path.join(directory, COORDINATORS))) for (const at of directoriesIn(className)) walk(at, false, found, NAME);
  return found;
}

function directoriesIn(directory: string): string[] {
  return entriesOf(directory).flatMap((entry) => (entry.isDirectory() ? path.join(directory, entry.name) : []));
}

interface Found {
  readonly ids: Set<number>;
  readonly plain: string[];
  readonly unfinished: string[];
}

/** `but`: what is left out of the directory itself. */
function walk(directory: string, isTree: boolean, found: Found, but?: string): void {
  for (const entry of entriesOf(directory)) {
    const at = path.join(directory, entry.name);
    if (entry.name === but) continue;
    if (SILENT.has(entry.name) && !isTree) continue;
    if (entry.isDirectory()) walk(at, isTree || TREE.test(entry.name), found);
    else if (entry.isFile() && !(isTree && SPELLING.test(entry.name))) note(at, isTree || path.basename(directory) === CANDIDATES, found);
  }
}

function entriesOf(directory: string): fs.Dirent[] {
  try {
    return fs.readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}

/** `mayBeEmpty`: then it is nothing that has to be waited for. */
function note(file: string, mayBeEmpty: boolean, found: Found): void {
  const head = headOf(file);
  if (head === null) return;
  const id = idIn(head);
  if (id === PLAIN) found.plain.push(file);
  else if (id !== null) found.ids.add(id);
  // Of no bytes: nothing is in it, or nothing yet.
  else if (head.length === 0 || head.every((byte) => byte === 0)) found.unfinished.push(...(mayBeEmpty ? [] : [file]));
  else found.plain.push(file);
}

/** Null: it begins as nothing does that may be encrypted. */
function idIn(head: Buffer): number | null {
  return idOfJournal(head) ?? idOfStub(head) ?? idInHeader(head);
}

/** Whether a file bears the id of a data key. @throws the operating system's error */
export function needsKey(file: string): boolean {
  const head = headOf(file);
  return head !== null && (idIn(head) ?? PLAIN) !== PLAIN;
}

function idOfJournal(head: Buffer): number | null {
  const isJournal = head.length >= FILE_HEADER_BYTES && head.subarray(0, JOURNAL.length).equals(JOURNAL);
  return isJournal ? head.readUInt32LE(KEY_OF_JOURNAL) : null;
}

/** Of what stands in the place of a file that is in a hub. */
function idOfStub(head: Buffer): number | null {
  if (!head.subarray(0, STUB_MAGIC.length).equals(STUB_MAGIC)) return null;
  return stubKeyOf(head.subarray(STUB_MAGIC.length)) ?? PLAIN;
}

function idInHeader(head: Uint8Array): number | null {
  const header = decodeHeader(head);
  return typeof header === 'string' ? null : header.key;
}

/** Null: it is gone. */
function headOf(file: string): Buffer | null {
  try {
    const descriptor = withDescriptor(() => fs.openSync(file, fs.constants.O_RDONLY | (fs.constants.O_NOFOLLOW ?? 0)));
    try {
      const bytes = Buffer.alloc(Math.max(FILE_HEADER_BYTES, HEADER_BYTES, STUB_MAGIC.length + LEAST_STUB_BYTES));
      const head = bytes.subarray(0, fs.readSync(descriptor, bytes, 0, bytes.length, 0));
      // Only all of a stub tells which it is; what a program has written may begin so too, and have any size.
      const isStub = head.subarray(0, STUB_MAGIC.length).equals(STUB_MAGIC) && mayBeStub(fs.fstatSync(descriptor));
      return isStub ? fs.readFileSync(descriptor) : head;
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
