import fs from 'node:fs';
import path from 'node:path';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { syncPath, syncTree } from '../root/durable.ts';
import { type Content, PlainContent } from '../tree/content.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ } from '../tree/open-plain.ts';
import { piecesOf } from '../tree/reseal.ts';
import type { DatabaseSealing, WrittenOnce } from '../tree/sealing.ts';
import { BLOB_NAME } from './blob-directory.ts';
import { copyAnew } from './copy-anew.ts';
import { entriesOf } from './database-directory.ts';
import { describeDatabase, DESCRIPTION, type Description } from './description.ts';
import { driverNamed, driverOn } from './drivers.ts';
import { sealedFiles } from './sealed-files.ts';
import { SqliteFile } from './sqlite-file.ts';

/*
 * A database that nobody has open gets other keys, or its first ones. Invariants
 * - What is new is complete and on the disk before it takes the place of anything, by one rename.
 * - Nothing plain is written.
 */

/**
 * Makes an encrypted database of one that is not, in a directory that is not there yet.
 *
 * @throws RecordsDamagedError, RecordsUnavailableError, OverQuotaError, the operating system's errors
 */
export async function encryptInto(draft: string, from: string, { name, driver }: Description, sealing: DatabaseSealing): Promise<void> {
  const source = new SqliteFile(from, await driverNamed(driver));
  const target = new SqliteFile(draft, await driverOn(sealedFiles(sealing)), sealing);
  for (const directory of [draft, path.join(draft, 'blobs')]) fs.mkdirSync(directory, { mode: 0o700 });
  await copyDatabase(source, target);
  for (const id of await blobsIn(from)) await copyBlob(blobIn(from, id), (descriptor) => new PlainContent(descriptor), blobIn(draft, id), sealing.blob(id));
  describeDatabase(draft, target.driver, name, sealing.description);
  syncTree(draft);
}

/**
 * Gives the files of an encrypted database that have another key the active one; each is as it was or renewed, should
 * whoever does it be killed.
 *
 * @param draft - a directory that is not there; it is removed
 * @param isHeld - whether somebody reads a file: that one stays
 * @returns false: some are held
 */
export async function renewFiles(home: string, name: string, sealing: DatabaseSealing, draft: string, isHeld: (id: number) => boolean): Promise<boolean> {
  fs.mkdirSync(draft, { mode: 0o700 });
  try {
    const driver = await driverOn(sealedFiles(sealing));
    if (!isCurrent(sealing, 'database', path.join(home, 'db'))) await renewDatabase(new SqliteFile(home, driver, sealing), new SqliteFile(draft, driver, sealing));
    if (!isCurrent(sealing, 'description', path.join(home, DESCRIPTION))) {
      describeDatabase(draft, driver, name, sealing.description);
      place(path.join(draft, DESCRIPTION), path.join(home, DESCRIPTION));
    }
    return await renewBlobs(home, sealing, draft, isHeld);
  } finally {
    fs.rmSync(draft, { recursive: true, force: true });
  }
}

/** Whether all files of an encrypted database have the active key. */
export async function areCurrent(home: string, sealing: DatabaseSealing): Promise<boolean> {
  const files = [['database', path.join(home, 'db')], ['description', path.join(home, DESCRIPTION)], ...(await blobsIn(home)).map((id) => [id, blobIn(home, id)] as const)] as const;
  return files.every(([which, file]) => isCurrent(sealing, which, file));
}

async function renewDatabase(file: SqliteFile, copy: SqliteFile): Promise<void> {
  await copyDatabase(file, copy);
  // What a killed writer had left in it was undone when the file was opened. It must not be taken for the new one's.
  fs.rmSync(file.log, { force: true });
  syncPath(path.dirname(file.path));
  place(copy.path, file.path);
}

async function renewBlobs(home: string, sealing: DatabaseSealing, draft: string, isHeld: (id: number) => boolean): Promise<boolean> {
  let isWhole = true;
  for (const id of await blobsIn(home)) {
    const [from, to] = [blobIn(home, id), path.join(draft, String(id))];
    if (isCurrent(sealing, id, from)) continue;
    if (isHeld(id)) isWhole = false;
    else if (fs.statSync(from).size === 0) fs.rmSync(from);
    else {
      await copyBlob(from, (descriptor) => sealing.blob(id).read(descriptor, from), to, sealing.blob(id));
      place(to, from);
    }
  }
  return isWhole;
}

async function copyDatabase(source: SqliteFile, target: SqliteFile): Promise<void> {
  const session = source.open();
  try {
    await copyAnew(session, target);
  } finally {
    session.close();
  }
}

function place(from: string, to: string): void {
  syncPath(from);
  fs.renameSync(from, to);
  syncPath(path.dirname(to));
}

async function blobsIn(directory: string): Promise<number[]> {
  return (await entriesOf(path.join(directory, 'blobs'))).map(({ name }) => name).filter((name) => BLOB_NAME.test(name)).map(Number);
}

function blobIn(directory: string, id: number): string {
  return path.join(directory, 'blobs', String(id));
}

/** What nothing refers to any more may go at any time; what has no header was begun by somebody who was killed. */
function isCurrent(sealing: DatabaseSealing, which: 'description' | 'database' | number, file: string): boolean {
  const stats = fs.lstatSync(file, { throwIfNoEntry: false });
  if (stats === undefined || stats.size === 0) return stats === undefined;
  const descriptor = openPlain(file, READ);
  try {
    return sealing.isCurrent(which, descriptor, file);
  } finally {
    closeQuietly(descriptor);
  }
}

async function copyBlob(from: string, open: (descriptor: number) => Content, to: string, sealing: WrittenOnce): Promise<void> {
  const source = openPlain(from, READ);
  try {
    const target = openNew(to, CREATE);
    try {
      await copyPieces(open(source), sealing.write(target, to));
      fsync(target, to);
    } finally {
      fs.closeSync(target);
    }
  } finally {
    closeQuietly(source);
  }
}

async function copyPieces(from: Content, to: Content): Promise<void> {
  let end = 0;
  for await (const [bytes, position] of piecesOf(from)) {
    end = position + bytes.length;
    for (let at = position; at < end; ) at += to.write(bytes.subarray(at - position), at);
  }
  if (end < from.size()) throw new Error('A file of a database ends before it should.');
  to.finish();
}
