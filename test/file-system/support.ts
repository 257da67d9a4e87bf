import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach } from 'vitest';
import { LockTable } from '../../src/disk/locks/table.ts';
import type { BucketPlace } from '../../src/disk/place.ts';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { FileTree } from '../../src/disk/tree/file-tree.ts';
import { sealed } from '../support/sealed.ts';
import { createRootHandle, FileSystem } from '../../src/file-system/index.ts';
import type { FileSystemDirectoryHandle, FileSystemFileHandle } from '../../src/file-system/index.ts';

const cleanups: (() => void | Promise<void>)[] = [];

/** Runs `cleanup` when the test has ended; the last one first. */
export function atEnd(cleanup: () => void | Promise<void>): void {
  cleanups.push(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-fs-'));
  atEnd(() => fs.rmSync(directory, { recursive: true, force: true }));
  return directory;
}

export interface Bucket {
  readonly place: BucketPlace;
  readonly tree: FileTree;
  readonly locks: LockTable;
}

let sessions = 0;

/** One realm's view of the bucket of an origin in a root; the disk is not touched yet. */
export function openBucket(directory = temporaryDirectory(), origin = 'https://app.example'): Bucket {
  const place = new BucketDirectory(new Root(path.join(directory, 'root'), 'relaxed'), origin, 'default');
  const locks = new LockTable(place, { names: (visible) => sealed().sealing?.names(visible) ?? visible });
  atEnd(() => locks.close());
  const session = `${process.pid}-${(sessions += 1)}`;
  return { place, locks, tree: new FileTree(place, { epoch: () => locks.epoch(), session, ...sealed() }) };
}

/** One client's file system on a bucket. */
export function openFileSystem(bucket: Bucket = openBucket(), origin = 'https://app.example'): FileSystem {
  const system = new FileSystem({
    ...bucket,
    origin,
    bucket: 'default',
    load: () => import('../../src/file-system/algorithms/index.ts'),
    salt: () => '5a17',
  });
  atEnd(() => system.close());
  return system;
}

export function openRoot(bucket?: Bucket): FileSystemDirectoryHandle {
  return createRootHandle(openFileSystem(bucket));
}

export async function makeFile(
  directory: FileSystemDirectoryHandle,
  name: string,
  content = '',
): Promise<FileSystemFileHandle> {
  const handle = await directory.getFileHandle(name, { create: true });
  await writeFile(handle, content);
  return handle;
}

export async function writeFile(handle: FileSystemFileHandle, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
  const writable = await handle.createWritable();
  await writable.write(content);
  await writable.close();
}

export async function textOf(handle: FileSystemFileHandle): Promise<string> {
  return (await handle.getFile()).text();
}

export async function namesIn(directory: FileSystemDirectoryHandle): Promise<string[]> {
  const names: string[] = [];
  for await (const name of directory.keys()) names.push(name);
  return names.sort();
}

/** How a promise rejects: the error's name, or 'fulfilled'. */
export async function outcome(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return 'fulfilled';
  } catch (error) {
    return error instanceof Error ? error.name : String(error);
  }
}

/** How a call throws: the error's name, or 'returned'. */
export function thrown(call: () => unknown): string {
  try {
    call();
    return 'returned';
  } catch (error) {
    return (error as Error).name;
  }
}

/** Which files this process has open, for the descriptors of files below `directory`. */
export function openFiles(directory: string): string[] {
  const targets = fs.readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return ''; // the descriptor of this very listing
    }
  });
  return targets.filter((target) => target.startsWith(directory));
}

/** The number of descriptors that this process has open for the files, swap files and directories of test buckets. */
export function openDescriptors(): number {
  return openFiles(path.join(os.tmpdir(), 'holdfast-fs-')).filter((target) => !target.includes('/locks/')).length;
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 30_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not reached: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** A function that collects garbage now. */
export function garbageCollector(): () => void {
  v8.setFlagsFromString('--expose-gc');
  return runInNewContext('gc') as () => void;
}
