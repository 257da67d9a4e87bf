import fs from 'node:fs';
import path from 'node:path';
import { closeQuietly, openPlain, READ_WRITE } from '../tree/open-plain.ts';
import type { DatabaseSealing } from '../tree/sealing.ts';
import { describeDatabase, forgetDescription, type Description } from './description.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { SqlDriver } from './sql-driver.ts';
import { SqliteFile } from './sqlite-file.ts';

/** Where a database says that it has a write-ahead log, and what it says when it has none. https://www.sqlite.org/fileformat.html#file_format_version_numbers */
const VERSIONS_AT = 18;
const WITHOUT_LOG = Uint8Array.of(1, 1);

/**
 * Makes a database that nobody has open one of `driver`, and looks whether that can open it.
 *
 * @throws RecordsDamagedError, HoldfastError `root-newer`, and the operating system's errors
 */
export function makeOneOf(driver: SqlDriver, directory: string, { name, driver: maker }: Description, sealing?: DatabaseSealing): void {
  const file = new SqliteFile(directory, driver, sealing);
  if (maker !== driver.name) {
    forgetLog(directory, file.path);
    file.complete();
    forgetDescription(directory);
    describeDatabase(directory, driver, name, sealing?.description);
  }
  file.open().close();
}

function forgetLog(directory: string, file: string): void {
  const left = ['db-wal', 'db-journal'].map((log) => path.join(directory, log)).find((log) => (fs.statSync(log, { throwIfNoEntry: false })?.size ?? 0) > 0);
  if (left !== undefined) throw new RecordsDamagedError(`${left} has to be brought into its database first, by a runtime that can open it.`, left);
  const descriptor = openPlain(file, READ_WRITE);
  try {
    fs.writeSync(descriptor, WITHOUT_LOG, 0, WITHOUT_LOG.length, VERSIONS_AT);
  } finally {
    closeQuietly(descriptor);
  }
}
