import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import type { Ledger } from '../quota/ledger.ts';
import { weightOfDatabaseFile } from '../quota/weigh.ts';
import { RecordsDamagedError } from './records-error.ts';

/** Another process may be first. */
export function makeDirectory(directory: string): void {
  try {
    fs.mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (systemCode(error) !== 'EEXIST') throw error;
  }
}

/** False where nothing is. @throws RecordsDamagedError where something else is */
export function isPlainDirectory(directory: string): boolean {
  const stats = fs.lstatSync(directory, { throwIfNoEntry: false });
  if (stats === undefined) return false;
  if (!stats.isDirectory()) throw new RecordsDamagedError(`${directory} is no plain directory.`, directory);
  return true;
}

/** What the files below a directory cost their bucket; docs/FORMAT.md, "Accounts". */
export async function weightBelow(directory: string): Promise<number> {
  let bytes = 0;
  for (const entry of await entriesOf(directory)) {
    const where = path.join(directory, entry.name);
    bytes += entry.isDirectory() ? await weightBelow(where) : weightOfDatabaseFile(where);
  }
  return bytes;
}

/** None where it is not there. */
export async function entriesOf(directory: string): Promise<fs.Dirent[]> {
  try {
    return await fs.promises.readdir(directory, { withFileTypes: true });
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
    throw error;
  }
}

export async function removeWhole(directory: string, ledger: Ledger): Promise<void> {
  const bytes = await weightBelow(directory);
  const mark = ledger.mark();
  await fs.promises.rm(directory, { recursive: true, force: true });
  ledger.free(bytes, mark);
}

/** What of a database is no file that could be held, but for what says which database it was. */
export async function removeDatabase(directory: string, ledger: Ledger): Promise<void> {
  for (const { name } of await entriesOf(directory)) if (/^db(?:-|$)/.test(name)) await removeFile(path.join(directory, name), ledger);
}

async function removeFile(file: string, ledger: Ledger): Promise<void> {
  const bytes = weightOfDatabaseFile(file);
  const mark = ledger.mark();
  await fs.promises.rm(file, { force: true });
  ledger.free(bytes, mark);
}
