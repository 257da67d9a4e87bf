import fs from 'node:fs';
import { isEncrypted } from '../../support/sealed.ts';
import path from 'node:path';
import type { FileSystemDirectoryHandle } from '../../../src/file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../../../src/file-system/file-handle.ts';
import type { StorageClient } from '../../../src/host/storage-client.ts';

/** One operation; once `run` has ended, it is acknowledged. */
export type Step = () => unknown;

/**
 * What a user does, in steps that are each whole or not there. The state (what `stateOf` gives) after each step is
 * taken from a run that nobody disturbs.
 */
export interface Scenario {
  readonly name: string;
  /** What is there before. Nothing goes wrong meanwhile. Without it, not even a root. */
  prepare?(client: StorageClient): unknown;
  /** What must be open before the first step; gives the steps. */
  start(client: StorageClient): Promise<Step[]> | Step[];
  /** Whether removed trees are deleted in the background after the steps. */
  readonly hasTrash?: boolean;
  /** Whether removed buckets are deleted in the background after the steps; the host waits for that when it is closed. */
  readonly hasDoomed?: boolean;
  /** Whether the last step closes what the others use, so that it must be taken also when one of them fails. */
  readonly closesLast?: boolean;
  /** States in between that a kill within a step may leave, where the promise is no more than that of a write in place. */
  readonly torn?: readonly string[];
}

export const origin = 'https://app.example';

export function bucketOf(root: string): string {
  return path.join(root, 'origins', 'https_app.example', 'default');
}

const createIt = { create: true } as const;
const letters = (letter: string, count: number): string => letter.repeat(count);

async function writeFile(file: FileSystemFileHandle, content: string): Promise<void> {
  const writable = await file.createWritable();
  await writable.write(content);
  await writable.close();
}

export async function createFile(directory: FileSystemDirectoryHandle, name: string, content: string): Promise<void> {
  await writeFile(await directory.getFileHandle(name, createIt), content);
}

/** `box` with files and directories, `a` and `b` beside it. */
async function createTree(client: StorageClient): Promise<void> {
  const root = await client.storage.getDirectory();
  await createFile(root, 'a', 'content of a');
  await createFile(root, 'b', 'content of b');
  const box = await root.getDirectoryHandle('box', createIt);
  await createFile(box, 'inside', 'content of inside');
  const deep = await box.getDirectoryHandle('deep', createIt);
  await createFile(deep, 'one', 'content of one');
  await createFile(deep, 'two', 'content of two');
}

/** Longer than a component of a path can be, so that its spelling is kept beside it. */
export const longName = letters('long name ', 40);

const storage: Scenario[] = [
  {
    name: 'setItem on a fresh root',
    start: ({ localStorage }) => [() => localStorage.setItem('key', 'value')],
  },
  {
    name: 'setItem, removeItem and clear',
    prepare: ({ localStorage }) => {
      for (const key of ['a', 'b', 'c']) localStorage.setItem(key, 'old');
    },
    start: ({ localStorage }) => [
      () => localStorage.setItem('a', letters('new', 4000)),
      () => localStorage.removeItem('b'),
      () => localStorage.clear(),
    ],
  },
  {
    name: 'transactions',
    prepare: ({ localStorage }) => {
      for (const key of ['a', 'b', 'c']) localStorage.setItem(key, letters(key, 3000));
    },
    start: (client) => [
      () =>
        client.transaction((map) => {
          map.removeItem('a');
          map.setItem('b', letters('B', 5000));
          map.setItem('d', map.getItem('c') ?? '');
        }),
      () =>
        client.transaction((map) => {
          map.clear();
          map.setItem('e', 'after all');
        }),
    ],
  },
  {
    name: 'setItem that compacts the map',
    prepare: ({ localStorage }) => {
      localStorage.setItem('kept', 'value');
      for (let round = 0; round < 10; round++) localStorage.setItem('large', letters(String(round), 100_000));
      localStorage.setItem('large', 'small again');
    },
    start: ({ localStorage }) => [
      () => localStorage.setItem('filler', letters('f', 60_000)),
      () => localStorage.setItem('after', 'value'),
    ],
  },
];

const writing: Scenario[] = [
  {
    name: 'a file on a fresh root',
    start: async (client) => {
      const root = await client.storage.getDirectory();
      return [() => root.getFileHandle('new', createIt)];
    },
  },
  {
    name: 'a writable that creates, with a long name',
    prepare: createTree,
    start: async (client) => {
      const root = await client.storage.getDirectory();
      let file: FileSystemFileHandle;
      return [
        async () => (file = await root.getFileHandle(longName, createIt)),
        () => writeFile(file, letters('new', 1000)),
      ];
    },
  },
  {
    name: 'a writable that replaces',
    prepare: async (client) => createFile(await client.storage.getDirectory(), 'file', letters('old', 50_000)),
    start: async (client) => {
      const file = await (await client.storage.getDirectory()).getFileHandle('file');
      return [() => writeFile(file, letters('new', 60_000))];
    },
  },
  {
    name: 'a writable that keeps existing data',
    prepare: async (client) => {
      const root = await client.storage.getDirectory();
      await createFile(root, 'small', letters('old', 1000));
      await createFile(root, 'large', letters('old', 50_000));
    },
    start: async (client) => {
      const root = await client.storage.getDirectory();
      return ['small', 'large'].map((name) => async () => {
        const file = await root.getFileHandle(name);
        const writable = await file.createWritable({ keepExistingData: true });
        await writable.write({ type: 'write', position: 300, data: 'changed' });
        await writable.close();
      });
    },
  },
];

const moving: Scenario[] = [
  {
    name: 'move of a file over a file, into a directory, under a long name',
    prepare: createTree,
    start: async (client) => {
      const root = await client.storage.getDirectory();
      const box = await root.getDirectoryHandle('box');
      const file = await root.getFileHandle('a');
      return [() => file.move('b'), () => file.move(box, 'moved'), () => file.move(root, longName)];
    },
  },
  {
    name: 'move of a directory',
    prepare: createTree,
    start: async (client) => {
      const root = await client.storage.getDirectory();
      const deep = await (await root.getDirectoryHandle('box')).getDirectoryHandle('deep');
      return [() => deep.move(root, 'moved')];
    },
  },
  {
    name: 'removal of a file, of a tree, of everything',
    hasTrash: true,
    prepare: createTree,
    start: async (client) => {
      const root = await client.storage.getDirectory();
      return [
        () => root.removeEntry('a'),
        () => root.removeEntry('box', { recursive: true }),
        () => root.remove({ recursive: true }),
      ];
    },
  },
  {
    name: 'a sync access handle',
    closesLast: true,
    // What is encrypted is cut within its block first, and then the file.
    torn: ['/file: [15 × new][15 × old]', ...(isEncrypted ? ['/file: [20 × new][30 × \\0]'] : [])],
    prepare: async (client) => createFile(await client.storage.getDirectory(), 'file', letters('old', 30)),
    start: async (client) => {
      const file = await (await client.storage.getDirectory()).getFileHandle('file');
      const handle = await file.createSyncAccessHandle();
      const bytes = new TextEncoder().encode(letters('new', 30));
      return [
        () => void handle.write(bytes, { at: 0 }),
        () => handle.flush(),
        () => handle.truncate(60),
        () => handle.close(),
      ];
    },
  },
];

/** Names of locks are in the journal: such a one fills it. */
const longLock = letters('x', 100_000);

const locks: Scenario[] = [
  {
    name: 'locks.request',
    prepare: ({ locks }) => locks.request('before', () => undefined),
    start: ({ locks }) => [
      () => locks.request('job', () => undefined),
      () => locks.request('job', { mode: 'shared' }, () => locks.request('other', () => undefined)),
      () => locks.request('job', { steal: true }, () => undefined),
    ],
  },
  {
    name: 'locks.request on a fresh root',
    start: ({ locks }) => [() => locks.request('job', () => undefined)],
  },
  {
    name: 'locks.request that compacts the lock journal',
    prepare: async ({ locks, storage }) => {
      await createFile(await storage.getDirectory(), 'file', 'content');
      for (let round = 0; round < 10; round++) await locks.request(longLock, () => undefined);
    },
    start: async ({ locks, storage }) => {
      const file = await (await storage.getDirectory()).getFileHandle('file');
      return [() => locks.request(longLock, () => undefined), () => writeFile(file, 'changed')];
    },
  },
];

/** What the scenarios fetch: the path, and as many letters as the query says. */
function serve(): void {
  globalThis.fetch = async (input) => {
    const { pathname, search } = new URL(typeof input === 'string' ? input : 'url' in input ? input.url : input.href);
    return new Response(`${pathname}${letters('fetched', Number(search.slice(1)))}`, { headers: { vary: 'accept' } });
  };
}

async function fillCache({ caches }: StorageClient): Promise<void> {
  const cache = await caches.open('kept');
  await cache.put('https://a.example/small', new Response('old'));
  await cache.put('https://a.example/large', new Response(letters('old', 50_000)));
}

const caches: Scenario[] = [
  {
    name: 'a cache and a response on a fresh root',
    start: ({ caches }) => [
      () => caches.open('new'),
      async () => (await caches.open('new')).put('https://a.example/', new Response(null, { status: 204 })),
    ],
  },
  {
    name: 'put that replaces small and large responses',
    prepare: fillCache,
    start: async ({ caches }) => {
      const cache = await caches.open('kept');
      return [
        () => cache.put('https://a.example/small', new Response('new', { status: 404, headers: { 'x-a': 'b' } })),
        () => cache.put('https://a.example/large', new Response(letters('new', 60_000))),
      ];
    },
  },
  {
    name: 'deletion of a response and of a cache',
    prepare: fillCache,
    start: async ({ caches }) => {
      const cache = await caches.open('kept');
      return [() => cache.delete('https://a.example/small'), () => caches.delete('kept')];
    },
  },
  {
    name: 'addAll',
    prepare: fillCache,
    start: async ({ caches }) => {
      serve();
      const cache = await caches.open('kept');
      return [() => cache.addAll(['https://a.example/small?1', 'https://a.example/small', 'https://a.example/more?30000'])];
    },
  },
  {
    name: 'put that compacts the index',
    prepare: async ({ caches }) => {
      const cache = await caches.open('full');
      const headers = { cookie: letters('c', 400_000) };
      for (let round = 0; round < 5; round++) await cache.put(new Request('https://a.example/', { headers }), new Response(String(round)));
    },
    start: async ({ caches }) => {
      const cache = await caches.open('full');
      const headers = { cookie: letters('d', 400_000) };
      return [() => cache.put(new Request('https://a.example/', { headers }), new Response('5'))];
    },
  },
];

const never = 4e12;

async function fillBucket({ storageBuckets }: StorageClient, name: string): Promise<void> {
  const bucket = await storageBuckets.open(name, { expires: never });
  await createFile(await bucket.getDirectory(), 'file', letters('content', 1000));
  await (await bucket.caches.open('kept')).put('https://a.example/', new Response(name));
}

/** Each has to leave of the others what is in them. */
const buckets: Scenario[] = [
  {
    name: 'a first bucket',
    prepare: ({ localStorage }) => localStorage.setItem('key', 'value'),
    start: ({ storageBuckets }) => [
      () => storageBuckets.open('new', { persisted: true, quota: 2 ** 20, expires: never }),
    ],
  },
  {
    name: 'policies of a bucket',
    prepare: (client) => fillBucket(client, 'kept'),
    start: ({ storageBuckets }) => [
      () => storageBuckets.open('kept', { persisted: true, expires: never + 1 }),
      async () => (await storageBuckets.open('kept')).setExpires(never + 2),
    ],
  },
  {
    name: 'a bucket that is deleted, and one that expires',
    hasDoomed: true,
    prepare: async (client) => {
      for (const name of ['deleted', 'expired', 'kept']) await fillBucket(client, name);
    },
    start: async ({ storageBuckets }) => {
      const bucket = await storageBuckets.open('expired');
      return [() => storageBuckets.delete('deleted'), () => bucket.setExpires(1), () => storageBuckets.keys()];
    },
  },
];

export const scenarios = { storage, writing, moving, locks, caches, buckets };

export function scenarioNamed(name: string): Scenario {
  const found = Object.values(scenarios).flat().find((scenario) => scenario.name === name);
  if (found === undefined) throw new Error(`there is no scenario '${name}'`);
  return found;
}

/** All that a client can read: each item of the map, each entry of the tree with its content. */
export async function stateOf(client: StorageClient): Promise<string> {
  const map = Object.entries(client.localStorage).map(([key, value]) => `${key} = ${brief(String(value))}`);
  const lines = await entriesOf(await client.storage.getDirectory(), '');
  const others = [...(await cachedIn(client.caches)), ...(await bucketsOf(client))];
  return [...map.sort(), ...lines.sort(), ...others].join('\n');
}

/** Each named bucket, with what holds for it and what is in it. */
async function bucketsOf({ storageBuckets }: StorageClient): Promise<string[]> {
  const lines: string[] = [];
  for (const name of await storageBuckets.keys()) {
    const bucket = await storageBuckets.open(name);
    lines.push(`bucket ${name} ${await bucket.persisted()} ${await bucket.durability()} ${await bucket.expires()}`);
    lines.push(...(await entriesOf(await bucket.getDirectory(), name)), ...(await cachedIn(bucket.caches)));
  }
  return lines;
}

/** The directories of named buckets, those included that are to go. */
export function bucketsIn(root: string): string[] {
  return namesIn(path.join(path.dirname(bucketOf(root)), 'buckets'));
}

/** Each cache, and each response of it, in their order. */
async function cachedIn(caches: StorageClient['caches']): Promise<string[]> {
  const lines: string[] = [];
  for (const name of await caches.keys()) {
    lines.push(`cache ${name}`);
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      const response = await cache.match(request);
      lines.push(`${request.url} ${brief(JSON.stringify([...request.headers]))} ${response?.status} ${brief(JSON.stringify([...(response?.headers ?? [])]))} ${brief((await response?.text()) ?? '')}`);
    }
  }
  return lines;
}

async function entriesOf(directory: FileSystemDirectoryHandle, above: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const [name, entry] of directory.entries()) {
    const place = `${above}/${brief(name)}`;
    if (entry.kind === 'file') lines.push(`${place}: ${brief(await (await (entry as FileSystemFileHandle).getFile()).text())}`);
    else lines.push(`${place}/`, ...(await entriesOf(entry as FileSystemDirectoryHandle, place)));
  }
  return lines;
}

/** Long content as what it repeats: `60000 × new`, or with every change of it. */
function brief(text: string): string {
  return text.replace(/(.{1,10}?)\1{9,}/gs, (all: string, part: string) => `[${all.length / part.length} × ${part.replaceAll('\0', '\\0')}]`);
}

/** Resolves when `condition` holds. */
export function until(condition: () => boolean, what: string): Promise<void> {
  return untilSo(async () => condition(), what);
}

/** The same for what takes time to find out. */
export async function untilSo(condition: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > deadline) throw new Error(`waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

export function namesIn(directory: string): string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory) : [];
}
