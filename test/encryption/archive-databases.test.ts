import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { StorageClient, StorageHost } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, codeOf, open, openPlain, ORIGIN, OTHER } from './operator.ts';
import { treeHas } from './support.ts';

// Databases whose records refer to files go from encrypted origins to plain ones and back, by archives.

const NAME = `${CANARY}-database`;
const LARGE = `${CANARY} large `.repeat(20_000);
const newRoot = (): string => path.join(temporaryDirectory(), 'root');

interface Kept {
  readonly id: number;
  readonly owner: string;
  readonly text: string;
  readonly blob: Blob;
  readonly file: File;
}

function settled<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error ?? new Error('it failed'));
  });
}

async function inStore<T>(indexedDB: StorageClient['indexedDB'], use: (store: IDBObjectStore) => Promise<T>): Promise<T> {
  const opening = indexedDB.open(NAME, 3) as unknown as IDBOpenDBRequest;
  opening.onupgradeneeded = () => {
    const store = opening.result.createObjectStore('kept', { keyPath: 'id', autoIncrement: true });
    store.createIndex('by owner', 'owner');
  };
  const database = await settled(opening);
  try {
    return await use(database.transaction('kept', 'readwrite').objectStore('kept'));
  } finally {
    database.close();
  }
}

/** Some with small files, some with ones of several blocks, and a value that has a file of its own; in two buckets. */
async function fill(client: StorageClient, owners: readonly string[]): Promise<void> {
  const bucket = await client.storageBuckets.open('canary-bucket');
  for (const indexedDB of [client.indexedDB, bucket.indexedDB]) {
    for (const owner of owners) {
      await inStore(indexedDB, (store) =>
        settled(
          store.put({
            owner,
            text: owner === 'large' ? LARGE : CANARY,
            blob: new Blob([CANARY.repeat(owner === 'large' ? 10_000 : 1)], { type: 'text/canary' }),
            file: new File([CANARY, owner], `${CANARY}.txt`, { type: 'text/plain', lastModified: 1_700_000_000_000 }),
          }),
        ),
      );
    }
  }
}

async function contentOf(client: StorageClient): Promise<unknown> {
  const bucket = await client.storageBuckets.open('canary-bucket');
  const found: unknown[] = [];
  for (const indexedDB of [client.indexedDB, bucket.indexedDB]) {
    const records = await inStore(indexedDB, async (store) => (await settled(store.getAll())) as Kept[]);
    const owners = await inStore(indexedDB, async (store) => (await settled(store.index('by owner').getAllKeys())) as number[]);
    found.push(owners);
    for (const { id, owner, text, blob, file } of records) {
      found.push([id, owner, text, blob.type, await blob.text(), file.name, file.type, file.lastModified, await file.text()]);
    }
  }
  return found;
}

async function exported(host: StorageHost, options = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await host.exportOrigin(ORIGIN, options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

/** What is written to any file meanwhile, as it is. */
async function writesOf(body: () => Promise<unknown>): Promise<boolean> {
  const { writeSync, write } = fs;
  let isSeen = false;
  const look = (bytes: Uint8Array | string, from = 0, length = Infinity): void => {
    if (Buffer.from(bytes as Uint8Array).subarray(from, from + length).includes(CANARY)) isSeen = true;
  };
  const watched = (original: (...given: never[]) => unknown) => (descriptor: number, bytes: Uint8Array | string, ...rest: unknown[]) => {
    const [from, length] = rest as [number | undefined, number | undefined];
    look(bytes, ...(typeof bytes === 'string' ? [] : [from, length]));
    return (original as (...given: unknown[]) => unknown)(descriptor, bytes, ...rest);
  };
  fs.writeSync = watched(writeSync) as typeof writeSync;
  fs.write = watched(write) as unknown as typeof write;
  try {
    await body();
  } finally {
    fs.writeSync = writeSync;
    fs.write = write;
  }
  return isSeen;
}

test('an archive that anybody can read has them whole, and goes into a plain root, and from there into an encrypted one', async () => {
  const host = open(newRoot());
  await fill(host.origin(ORIGIN), ['a', 'large', 'b']);
  const content = await contentOf(host.origin(ORIGIN));
  const archive = await exported(host, { plain: true });
  expect(archive.includes(CANARY)).toBe(true);
  const plain = openPlain(newRoot());
  expect(await plain.importOrigin(streamOf(archive))).toMatchObject([{ outcome: 'created' }]);
  expect(await contentOf(plain.origin(ORIGIN))).toEqual(content);
  const root = newRoot();
  const again = await exported(plain);
  const sealed = open(root);
  expect(await writesOf(() => sealed.importOrigin(streamOf(again), { origin: OTHER }))).toBe(false);
  expect(await contentOf(sealed.origin(OTHER))).toEqual(content);
  expect(treeHas(root, CANARY)).toEqual([]);
});

test('they are merged into an encrypted origin, and those of an encrypted archive too', async () => {
  const root = newRoot();
  const [host, plain, other] = [open(root), openPlain(newRoot()), open(newRoot())];
  await fill(host.origin(ORIGIN), ['there']);
  await fill(plain.origin(ORIGIN), ['plain', 'large']);
  await fill(other.origin(ORIGIN), ['sealed', 'large']);
  const archives = await Promise.all([exported(plain), exported(other)]);
  const merge = async (archive: Uint8Array = new Uint8Array(0)): Promise<void> => {
    expect(await host.importOrigin(streamOf(archive), { existing: 'merge' })).toMatchObject([{ outcome: 'merged' }]);
  };
  expect(await writesOf(() => merge(archives[0]))).toBe(false);
  expect(await contentOf(host.origin(ORIGIN))).toEqual(await contentOf(plain.origin(ORIGIN)));
  expect(await writesOf(() => merge(archives[1]))).toBe(false);
  expect(await contentOf(host.origin(ORIGIN))).toEqual(await contentOf(other.origin(ORIGIN)));
  expect(treeHas(root, CANARY)).toEqual([]);
  // From the encrypted one into what is plain.
  await plain.importOrigin(streamOf(await exported(host, { plain: true })), { existing: 'merge' });
  expect(await contentOf(plain.origin(ORIGIN))).toEqual(await contentOf(host.origin(ORIGIN)));
});

test('a file of one that was changed on the disk ends the archive', async () => {
  const root = newRoot();
  const host = open(root);
  await fill(host.origin(ORIGIN), ['large']);
  const [file = ''] = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => /\/blobs\/\d+$/.test(name)).sort((a, b) => fs.statSync(path.join(root, b)).size - fs.statSync(path.join(root, a)).size);
  const bytes = fs.readFileSync(path.join(root, file));
  bytes[bytes.length - 100] = (bytes[bytes.length - 100] ?? 0) ^ 1;
  fs.writeFileSync(path.join(root, file), bytes);
  expect(await codeOf(exported(host, { plain: true }))).toBe('disk-failed');
});
