import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import { closeQuietly, openPlain, READ } from '../tree/open-plain.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { DriverName, SqlDriver } from './sql-driver.ts';

/** What has to be known of a database before it is opened; `database.json` in its directory. */
export interface Description {
  readonly name: string;
  readonly driver: DriverName;
}

const FILE = 'database.json';

/** JSON has a form for lone surrogates. */
export function describeDatabase(directory: string, driver: SqlDriver, name: string): void {
  const description: Description = { name, driver: driver.name };
  fs.writeFileSync(path.join(directory, FILE), `${JSON.stringify(description)}\n`, { flag: 'wx', mode: 0o600 });
}

/** Before another is written. */
export function forgetDescription(directory: string): void {
  fs.unlinkSync(path.join(directory, FILE));
}

/** Null: there is no such file. @throws RecordsDamagedError */
export function readDescription(directory: string): Description | null {
  const file = path.join(directory, FILE);
  const text = readText(file);
  if (text === null) return null;
  return parse(text) ?? damaged(file);
}

function readText(file: string): string | null {
  try {
    const descriptor = openPlain(file, READ);
    try {
      return fs.readFileSync(descriptor, 'utf8');
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    if (systemCode(error) === 'ELOOP') return damaged(file);
    throw error;
  }
}

function parse(text: string): Description | null {
  try {
    const { name, driver } = JSON.parse(text) as Readonly<Record<string, unknown>>;
    return typeof name === 'string' && (driver === 'built-in' || driver === 'wasm') ? { name, driver } : null;
  } catch {
    return null;
  }
}

function damaged(file: string): never {
  throw new RecordsDamagedError(`${file} does not say which database it belongs to.`, file);
}
