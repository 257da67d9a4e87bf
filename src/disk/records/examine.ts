import fs from 'node:fs';
import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { readDescription } from './description.ts';
import { builtInDriver } from './drivers.ts';
import { SCHEMA_VERSION } from './schema.ts';
import type { SqlConnection, SqlDriver } from './sql-driver.ts';

/** What is wrong with a database; `newer`: it is another version's. */
export interface DatabaseFault {
  readonly kind: 'damaged' | 'newer' | 'unreadable';
  readonly path: string;
  readonly message: string;
}

/** Looks at a database, by its directory. */
export type Examine = (directory: string) => DatabaseFault[];

/** Complaints of SQLite that are told. */
const AT_MOST = 5;

const LOST = 'Records of this database may be lost; what can be read of it still can.';

/**
 * Gives what looks at databases without changing them, also while they are in use. One that was made for SQLite as
 * WebAssembly is looked at from outside only: nobody may read in it who does not take part in its locks.
 */
export async function databaseExaminer(): Promise<Examine> {
  const builtIn = await builtInDriver();
  return (directory) => {
    const description = readDescription(directory);
    if (description === null) return [fault('damaged', directory, 'Nothing says which database it is.')];
    const file = path.join(directory, 'db');
    if (fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true) return [fault('damaged', file, `The database '${description.name}' is not there.`)];
    if (description.driver === 'wasm') return hasHeader(file) ? [] : [fault('damaged', file, `It is no database. ${LOST}`)];
    if (builtIn === null) return [fault('unreadable', file, 'This runtime has no SQLite of its own to look at it with.')];
    return examineFile(builtIn, file, directory);
  };
}

function examineFile(driver: SqlDriver, file: string, directory: string): DatabaseFault[] {
  let connection: SqlConnection | undefined;
  try {
    connection = driver.open(file, 'read-only', (_code, cause) => new Error(errorMessage(cause)));
    const version = connection.prepare('PRAGMA user_version').get()?.[0];
    if (typeof version === 'number' && version > SCHEMA_VERSION) return [fault('newer', file, 'A newer version of Holdfast has made it.')];
    return [...complaints(connection, file), ...missingFiles(connection, directory)];
  } catch (error) {
    return [fault('damaged', file, `It cannot be read: ${errorMessage(error)}. ${LOST}`)];
  } finally {
    connection?.close();
  }
}

function complaints(connection: SqlConnection, file: string): DatabaseFault[] {
  const told = connection.prepare(`PRAGMA integrity_check(${AT_MOST})`).all().map(([text]) => String(text));
  return told.filter((text) => text !== 'ok').map((text) => fault('damaged', file, `SQLite says: ${text}. ${LOST}`));
}

/** Blobs, and large values, whose bytes are gone. */
function missingFiles(connection: SqlConnection, directory: string): DatabaseFault[] {
  const files = connection.prepare('SELECT id FROM blobs').all().map(([id]) => path.join(directory, 'blobs', String(id)));
  const missing = files.filter((file) => fs.lstatSync(file, { throwIfNoEntry: false })?.isFile() !== true);
  return missing.map((file) => fault('damaged', file, 'A record refers to it, and it is not there: a Blob or a large value is lost.'));
}

function hasHeader(file: string): boolean {
  const descriptor = fs.openSync(file, 'r');
  try {
    const header = new Uint8Array(16);
    fs.readSync(descriptor, header, 0, header.length, 0);
    return Buffer.from(header).toString('latin1') === 'SQLite format 3\0';
  } finally {
    fs.closeSync(descriptor);
  }
}

function fault(kind: DatabaseFault['kind'], at: string, message: string): DatabaseFault {
  return { kind, path: at, message };
}
