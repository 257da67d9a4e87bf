import fs from 'node:fs';
import path from 'node:path';
import { nextTurn } from '../../runtime/timers.ts';
import { weightOfDatabaseFile } from '../quota/weigh.ts';
import type { WrittenOnce } from '../tree/sealing.ts';
import type { BlobHolds } from './database-locks.ts';
import { readDescription } from './description.ts';

/*
 * What is left of a database when it was deleted: its directory under another name, in which those of its files stay that
 * somebody holds, with what says which database it was, for they are held by its name.
 */

/** What is being made, or deleted; no spelling of a name begins so. */
export const PASSING = '.new-';
const DELETED = `${PASSING}gone-`;

/** Files that are looked at in one turn. */
const AT_ONCE = 64;

/** The name that a database's directory gets to be deleted under. */
export function deletedName(uuid: string): string {
  return DELETED + uuid;
}

/** Where a file of a deleted database is; undefined: it has gone. */
export function findDeletedFile(databases: string, id: number): string | undefined {
  return deletedIn(databases)
    .map((directory) => path.join(directory, 'blobs', String(id)))
    .find((file) => fs.existsSync(file));
}

/** The deleted databases that something is left of; none where the bucket itself was removed. */
export function deletedIn(databases: string): string[] {
  return passingIn(databases).filter((name) => name.startsWith(DELETED)).map((name) => path.join(databases, name));
}

/** Those that are being made, or were when their realm was killed: whoever makes one has a queue, from before it is there until it is not. */
export function draftsIn(databases: string): string[] {
  return passingIn(databases).filter((name) => !name.startsWith(DELETED)).map((name) => path.join(databases, name));
}

function passingIn(databases: string): string[] {
  try {
    return fs.readdirSync(databases).filter((name) => name.startsWith(PASSING));
  } catch {
    return [];
  }
}

/** Deletes the files of a database that nobody holds. @returns whether any is left, and what those took that are not */
export async function deleteUnheld(directory: string, holds: BlobHolds, sealing?: WrittenOnce): Promise<{ isEmpty: boolean; bytes: number }> {
  const name = nameOf(directory, sealing);
  let [left, bytes] = [0, 0];
  const files = await filesIn(path.join(directory, 'blobs'));
  for (const [nth, file] of files.entries()) {
    if (nth % AT_ONCE === AT_ONCE - 1) await nextTurn();
    if (name !== null && holds.isHeld(name, Number(file))) left += 1;
    else bytes += remove(path.join(directory, 'blobs', file));
  }
  return { isEmpty: left === 0, bytes };
}

function nameOf(directory: string, sealing: WrittenOnce | undefined): string | null {
  try {
    return readDescription(directory, sealing)?.name ?? null;
  } catch {
    return null;
  }
}

async function filesIn(directory: string): Promise<string[]> {
  return fs.promises.readdir(directory).catch(() => []);
}

function remove(file: string): number {
  const bytes = weightOfDatabaseFile(file);
  fs.rmSync(file, { force: true, recursive: true });
  return bytes;
}
