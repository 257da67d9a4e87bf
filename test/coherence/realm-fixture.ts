import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import { FileSystemObserver } from '../../src/file-system/observer.ts';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import { encrypted } from '../support/sealed.ts';

// A host in a process or thread of its own that does what it is told.

export interface RealmOptions {
  readonly root: string;
  readonly origin: string;
  readonly host?: Partial<StorageHostOptions>;
}

/** A `storage` event as a client heard it. */
export interface Heard {
  readonly key: string | null;
  readonly oldValue: string | null;
  readonly newValue: string | null;
  readonly url: string;
  /** Whether its `storageArea` is the client's own `localStorage`. */
  readonly isOwnArea: boolean;
  /** When, in nanoseconds of the machine's monotonic clock. */
  readonly at: bigint;
}

type Client = ReturnType<StorageHost['origin']>;

const options = (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData) as RealmOptions;
const host = new StorageHost({ root: options.root, ...encrypted, ...options.host });
const client = host.origin(options.origin);
/** More clients of the origin, by the path of their url. */
const clients = new Map<string, Client>();
const heard = new Map<string, Heard[]>();
const observed: [type: string, path: string, from: string | null][] = [];
/** When the last record came. */
let observedAt = 0n;

function clientAt(path: string): Client {
  const known = clients.get(path);
  if (known !== undefined) return known;
  const made = host.client(options.origin, { url: `${options.origin}${path}` });
  clients.set(path, made);
  return made;
}

async function fileHandle(name: string, create = false): ReturnType<Awaited<ReturnType<Client['storage']['getDirectory']>>['getFileHandle']> {
  return (await client.storage.getDirectory()).getFileHandle(name, { create });
}

export const commands = {
  get: (key: string): string | null => client.localStorage.getItem(key),
  set: (key: string, value: string): void => client.localStorage.setItem(key, value),
  /** Writes `<number> xxx…` to four keys in turn. */
  fill(prefix: string, writes: number, size: number): void {
    for (let number = 0; number < writes; number++) client.localStorage.setItem(`${prefix}-${number % 4}`, `${number} ${'x'.repeat(size)}`);
  },
  setMany(prefix: string, keys: number): void {
    for (let number = 0; number < keys; number++) client.localStorage.setItem(`${prefix}-${number}`, 'v');
  },
  /** Sets keys in turn to values of its own, with turns for others in between. */
  async write(path: string, writes: number, keys: readonly string[]): Promise<void> {
    const { localStorage } = clientAt(path);
    for (let number = 0; number < writes; number++) {
      localStorage.setItem(keys[number % keys.length] ?? '', `${path}-${number}`);
      await new Promise((resolve) => setImmediate(resolve));
    }
  },
  /** Begins to hear what happens, as the client of a url. */
  listen(path: string): void {
    const listener = clientAt(path);
    const events: Heard[] = [];
    heard.set(path, events);
    listener.addEventListener('storage', (event) => {
      const { key, oldValue, newValue, url, storageArea } = event;
      events.push({ key, oldValue, newValue, url, isOwnArea: storageArea === listener.localStorage, at: process.hrtime.bigint() });
    });
  },
  heard: (path: string): Heard[] => heard.get(path) ?? [],
  /** Adds one to a number, under a lock, again and again. */
  async count(key: string, times: number): Promise<void> {
    for (let time = 0; time < times; time++) {
      await client.locks.request(key, async () => {
        const before = Number(client.localStorage.getItem(key));
        await null;
        client.localStorage.setItem(key, String(before + 1));
      });
    }
  },
  /** Takes a lock for good. */
  hold: (name: string): Promise<void> => new Promise((resolve) => {
    void client.locks.request(name, () => new Promise(() => resolve()));
  }),
  async list(): Promise<string[]> {
    const names: string[] = [];
    for await (const name of (await client.storage.getDirectory()).keys()) names.push(name);
    return names.sort();
  },
  makeDirectory: async (name: string): Promise<void> => void (await (await client.storage.getDirectory()).getDirectoryHandle(name, { create: true })),
  read: async (name: string): Promise<string> => (await (await fileHandle(name)).getFile()).text(),
  async replace(name: string, text: string): Promise<void> {
    const writable = await (await fileHandle(name, true)).createWritable();
    await writable.write(text);
    await writable.close();
  },
  /** Writes in place. */
  async overwrite(name: string, text: string): Promise<void> {
    const handle = await (await fileHandle(name, true)).createSyncAccessHandle();
    handle.truncate(0);
    handle.write(new TextEncoder().encode(text), { at: 0 });
    handle.close();
  },
  move: async (name: string, to: string): Promise<void> => (await fileHandle(name)).move(to),
  remove: async (name: string): Promise<void> => (await client.storage.getDirectory()).removeEntry(name),
  async observe(): Promise<void> {
    const observer = new FileSystemObserver((records) => {
      observedAt = process.hrtime.bigint();
      for (const { type, relativePathComponents, relativePathMovedFrom } of records) {
        observed.push([type, relativePathComponents.join('/'), relativePathMovedFrom?.join('/') ?? null]);
      }
    });
    await observer.observe(await client.storage.getDirectory(), { recursive: true });
  },
  observed: (): typeof observed => observed,
  observedAt: (): bigint => observedAt,
  /** Milliseconds of CPU that this process takes while it does nothing for so many milliseconds. */
  async idle(milliseconds: number): Promise<number> {
    const before = process.cpuUsage();
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    const { user, system } = process.cpuUsage(before);
    return (user + system) / 1000;
  },
  /** Ends what keeps this realm alive on its own account. */
  letGo: (): void => void setImmediate(() => (isMainThread ? process.disconnect() : parentPort?.close())),
};

interface Call {
  readonly call: number;
  readonly name: keyof typeof commands;
  readonly args: unknown[];
}

function tell(message: unknown): void {
  if (isMainThread) process.send?.(message);
  else parentPort?.postMessage(message);
}

async function answer({ call, name, args }: Call): Promise<void> {
  try {
    tell({ call, result: await Reflect.apply(commands[name], commands, args) });
  } catch (error) {
    tell({ call, error: String(error) });
  }
}

if (isMainThread) process.on('message', (message) => void answer(message as Call));
else parentPort?.on('message', (message) => void answer(message as Call));
