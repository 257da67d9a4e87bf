import { allocatedBytes } from '../../runtime/disk-file.ts';
import { randomUuid } from '../../runtime/random.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Locator } from '../../disk/locator.ts';
import { LockTable } from '../../disk/locks/table.ts';
import { FileTree } from '../../disk/tree/file-tree.ts';
import type { ExportedBucket } from './export-bucket.ts';
import { pathOfFile } from './layout.ts';
import { type Extent, extentsOf, sparseContent, sparseRecords } from './sparse.ts';
import type { Pieces, TarWriter } from './tar-writer.ts';

/** How often a file is begun again that is written to while it is read. */
const ATTEMPTS = 5;

interface OpenTree {
  readonly tree: FileTree;
  close(): Promise<void>;
}

/** It only looks, and so is no session. */
function openTree({ place, foldsNames }: Pick<ExportedBucket, 'place' | 'foldsNames'>): OpenTree {
  const locks = new LockTable(place);
  const tree = new FileTree(place, { epoch: () => locks.epoch(), session: randomUuid(), foldsNames: () => foldsNames });
  return { tree, close: () => locks.close() };
}

/** Calls `body` with the tree of a bucket, for who reads only. */
export async function withReadOnlyTree<T>(bucket: Pick<ExportedBucket, 'place' | 'foldsNames'>, body: (tree: FileTree) => Promise<T>): Promise<T> {
  const { tree, close } = openTree(bucket);
  try {
    return await body(tree);
  } finally {
    await close();
  }
}

/** The files of a bucket, each as it was at one moment; what comes or goes meanwhile may be there or not. */
export async function* exportFiles(to: TarWriter, at: string, bucket: Pick<ExportedBucket, 'place' | 'foldsNames'>): Pieces {
  const { tree, close } = openTree(bucket);
  try {
    const waiting: Locator[] = [[]];
    for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
      for (const [name, kind] of entriesOf(tree, directory)) {
        const locator = [...directory, name];
        if (kind === 'file') yield* exportFile(to, `${at}/${pathOfFile(locator)}`, locator, tree);
        else {
          yield* to.directory(`${at}/${pathOfFile(locator)}`);
          waiting.push(locator);
        }
      }
    }
  } finally {
    await close();
  }
}

/** In the order of their names, so that two exports of the same are the same. */
function entriesOf(tree: FileTree, directory: Locator): [name: string, kind: 'file' | 'directory'][] {
  try {
    return [...tree.entries(directory)].sort(([a], [b]) => (a < b ? -1 : 1));
  } catch (error) {
    if (tree.kindOf(directory) === 'directory') throw error;
    return [];
  }
}

async function* exportFile(to: TarWriter, path: string, locator: Locator, tree: FileTree): Pieces {
  let cause: unknown;
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const file = await tree.file(locator).catch((error: unknown) => unlessGone(tree, locator, error));
    if (file === null) return;
    cause = yield* exportSnapshot(to, path, file);
    if (cause === null) return;
  }
  throw new HoldfastError('disk-failed', `The file '/${locator.join('/')}' was written to each time that it was read, or cannot be read. Export it while nobody writes to it.`, { cause });
}

/** @returns null, or what reading it fails with: then readers pass over it */
async function* exportSnapshot(to: TarWriter, path: string, file: File): AsyncGenerator<Uint8Array, unknown> {
  const modified = file.lastModified;
  let extents: Extent[] | null;
  try {
    extents = await extentsOf(file, allocatedBytes(file));
  } catch (error) {
    return error;
  }
  if (extents === null) return yield* to.stream(path, file.size, file.stream() as unknown as AsyncIterable<Uint8Array>, { modified });
  const { size, content } = sparseContent(file, extents);
  return yield* to.stream(path, size, content, { modified, records: sparseRecords(path, file.size) });
}

function unlessGone(tree: FileTree, locator: Locator, error: unknown): null {
  if (tree.kindOf(locator) === 'file') throw error;
  return null;
}
