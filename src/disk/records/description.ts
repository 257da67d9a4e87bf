import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../journal/disk-error.ts';
import type { Content } from '../tree/content.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ } from '../tree/open-plain.ts';
import type { WrittenOnce } from '../tree/sealing.ts';
import { RecordsDamagedError } from './records-error.ts';
import type { DriverName, SqlDriver } from './sql-driver.ts';

/** What has to be known of a database before it is opened; `database.json` in its directory. */
export interface Description {
  readonly name: string;
  readonly driver: DriverName;
}

/** Where it is, in the database's directory. */
export const DESCRIPTION = 'database.json';

/** JSON has a form for lone surrogates. `sealing`: where it is to be encrypted. */
export function describeDatabase(directory: string, driver: SqlDriver, name: string, sealing?: WrittenOnce): void {
  const description: Description = { name, driver: driver.name };
  const text = `${JSON.stringify(description)}\n`;
  const file = path.join(directory, DESCRIPTION);
  if (sealing === undefined) fs.writeFileSync(file, text, { flag: 'wx', mode: 0o600 });
  else writeSealed(sealing, file, Buffer.from(text, 'utf8'));
}

function writeSealed(sealing: WrittenOnce, file: string, bytes: Uint8Array): void {
  const descriptor = openNew(file, CREATE);
  try {
    const content = sealing.write(descriptor, file);
    for (let written = 0; written < bytes.length; ) written += content.write(bytes.subarray(written), written);
    content.finish();
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Before another is written. */
export function forgetDescription(directory: string): void {
  fs.unlinkSync(path.join(directory, DESCRIPTION));
}

/** Null: there is no such file. `sealing`: where it is encrypted. @throws RecordsDamagedError */
export function readDescription(directory: string, sealing?: WrittenOnce): Description | null {
  const file = path.join(directory, DESCRIPTION);
  const text = readText(file, sealing);
  if (text === null) return null;
  return parse(text) ?? damaged(file);
}

function readText(file: string, sealing: WrittenOnce | undefined): string | null {
  try {
    const descriptor = openPlain(file, READ);
    try {
      return sealing === undefined ? fs.readFileSync(descriptor, 'utf8') : textOf(sealing.read(descriptor, file));
    } finally {
      closeQuietly(descriptor);
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    if (['ELOOP', 'EDAMAGED'].includes(systemCode(error))) return damaged(file);
    throw error;
  }
}

function textOf(content: Content): string {
  const bytes = Buffer.alloc(content.size());
  return bytes.toString('utf8', 0, content.read(bytes, 0));
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
