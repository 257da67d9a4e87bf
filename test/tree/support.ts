import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { Locator } from '../../src/disk/locator.ts';
import { weighBucket, weighFiles } from '../../src/disk/quota/weigh.ts';
import { FileTree } from '../../src/disk/tree/file-tree.ts';
import type { FileTreeOptions } from '../../src/disk/tree/file-tree.ts';
import { sealed } from '../support/sealed.ts';
import { TreeError } from '../../src/disk/tree/tree-error.ts';
import type { TreeErrorCode } from '../../src/disk/tree/tree-error.ts';

/** Sessions of two realms. */
export const SESSION = '00000000-0000-4000-8000-000000000017';
export const LATER_SESSION = '00000000-0000-4000-8000-000000000018';

/** A bucket in a temporary directory, and trees over it. */
export interface Bucket {
  readonly path: string;
  /** Where the entries are. */
  readonly files: string;
  readonly tree: FileTree;
  open(options?: Partial<FileTreeOptions>): FileTree;
  remove(): void;
}

/** A bucket that exists, unless `missing`. */
export function makeBucket(missing = false): Bucket {
  const home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-tree-'));
  const bucket = path.join(home, 'bucket');
  const ensure = (): void => {
    for (const name of ['files.0', 'swap', 'trash']) fs.mkdirSync(path.join(bucket, name), { recursive: true, mode: 0o700 });
  };
  if (!missing) ensure();
  const open = (options: Partial<FileTreeOptions> = {}): FileTree =>
    new FileTree({ path: bucket, ensure }, { epoch: () => 0, session: SESSION, ...sealed('visible'), ...options });
  return {
    path: bucket,
    files: path.join(bucket, 'files.0'),
    tree: open(),
    open,
    remove: () => fs.rmSync(home, { recursive: true, force: true }),
  };
}

/** What the files of a bucket take of the disk. */
export function weigh(bucket: string): number {
  let bytes = 0;
  for (const weight of weighFiles(bucket)) bytes += weight;
  return bytes;
}

/** Bytes that all that is counted in a bucket takes. */
export function weighAll(bucket: string): number {
  let total = 0;
  for (const { bytes } of weighBucket(bucket)) total += bytes;
  return total;
}

/** Gives a file its content as a writable would. */
export async function put(tree: FileTree, locator: Locator, content: string | Uint8Array): Promise<void> {
  const swap = await tree.swap();
  swap.content.write(typeof content === 'string' ? Buffer.from(content) : content, 0);
  await tree.replace(swap, locator);
}

export async function read(tree: FileTree, locator: Locator): Promise<string> {
  return (await tree.file(locator)).text();
}

export function names(tree: FileTree, locator: Locator = []): string[] {
  return [...tree.entries(locator)].map(([name]) => name).sort();
}

/** The code of the TreeError that `body` throws or rejects with; anything else fails the test. */
export async function codeOf(body: () => unknown): Promise<TreeErrorCode | 'none'> {
  try {
    await body();
    return 'none';
  } catch (error) {
    if (error instanceof TreeError) return error.code;
    throw error;
  }
}
