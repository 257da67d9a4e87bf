import fs from 'node:fs';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { randomUuid } from '../../runtime/random.ts';
import type { LongSpelling } from '../names/name.ts';
import type { NameScript } from '../names/script.ts';
import { charged } from '../quota/charged.ts';
import { ENTRY_BYTES } from '../quota/ledger.ts';
import type { Ledger } from '../quota/ledger.ts';
import { CREATE, openNew, openPlain, READ } from './open-plain.ts';
import { syncDirectory } from './sync.ts';
import { systemCode } from './tree-error.ts';
import { writeWhole } from './write-whole.ts';

/** Beyond this a name is refused, and a file that claims to keep a longer spelling is not read. */
export const MAX_SPELLING_BYTES = 2 ** 24;

/**
 * Keeps the spelling of a long name beside its entry. Called before the entry appears, so that a kill leaves a spelling
 * without an entry (nobody sees it, the next creation uses it) but never an entry whose name is lost. When strict, the
 * spelling is on the disk first, under its name.
 */
export function keepSpelling(directory: string, long: LongSpelling | null, isStrict: boolean, ledger: Ledger): void {
  if (long === null) return;
  if (long.spelling.length > MAX_SPELLING_BYTES) throw Object.assign(new Error('ENAMETOOLONG'), { code: 'ENAMETOOLONG' });
  if (readSpelling(directory, long.file) === long.spelling) return;
  const path = `${directory}/${long.file}`;
  charged(ledger, weightOfSpelling(long), () => writeSpelling(path, long, isStrict));
  if (isStrict) syncDirectory(directory);
}

function weightOfSpelling({ spelling }: LongSpelling): number {
  return ENTRY_BYTES + Buffer.byteLength(spelling);
}

function writeSpelling(path: string, long: LongSpelling, isStrict: boolean): void {
  // A new file takes the name: readers never see half a spelling, and a hard link planted there is not written through.
  const draft = `${path}.${randomUuid()}`;
  const descriptor = openNew(draft, CREATE);
  try {
    writeAndClose(descriptor, draft, long.spelling, isStrict);
    fs.renameSync(draft, path);
  } catch (error) {
    fs.rmSync(draft, { force: true });
    throw error;
  }
}

function writeAndClose(descriptor: number, path: string, spelling: string, isStrict: boolean): void {
  try {
    writeWhole(descriptor, Buffer.from(spelling));
    if (isStrict) fsync(descriptor, path);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Forgets the spelling of an entry that is gone. */
export function forgetSpelling(directory: string, long: LongSpelling | null, ledger: Ledger): void {
  if (long === null) return;
  const mark = ledger.mark();
  try {
    fs.unlinkSync(`${directory}/${long.file}`);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return;
    throw error;
  }
  ledger.free(weightOfSpelling(long), mark);
}

/** The name of a component in a directory; null when it is nobody's entry. */
export function readName(directory: string, component: string, script: NameScript): string | null {
  const decoded = script.decode(component);
  if (decoded === null) return null;
  if ('name' in decoded) return isExact(directory, component) ? decoded.name : null;
  const spelling = readSpelling(directory, decoded.spellingFile);
  return spelling === null ? null : script.decodeSpelling(component, spelling);
}

/** Bytes that are no UTF-8 are read as U+FFFD; then no file has the name that was read. */
function isExact(directory: string, component: string): boolean {
  return !component.includes('\ufffd') || fs.lstatSync(`${directory}/${component}`, { throwIfNoEntry: false }) !== undefined;
}

function readSpelling(directory: string, file: string): string | null {
  try {
    const descriptor = openPlain(`${directory}/${file}`, READ);
    try {
      const { size } = fs.fstatSync(descriptor);
      return size > MAX_SPELLING_BYTES ? null : fs.readFileSync(descriptor, 'utf8');
    } finally {
      fs.closeSync(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return null;
  }
}
