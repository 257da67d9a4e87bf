import { setTimeout as pause } from 'node:timers/promises';
import type { StorageClient } from '../../src/host/storage-client.ts';
import type { Action, LockMode, Result } from './history.ts';
import type { Random } from '../support/random.ts';
import { nameOf, type Recorder } from './recorder.ts';
import { CELL_BYTES, decodeCell, decodeValue, encodeCell, encodeValue } from './values.ts';

export const ORIGINS = ['https://one.example', 'https://two.example'];
export const KEYS = ['a', 'b', 'c', 'd', 'e', 'é'];
export const FILES = ['f', 'g', 'h', 't/f', 't/g'];
export const CELLS = ['cell-1', 'cell-2'];
export const LOCKS = ['lock-1', 'lock-2'];
const TREE = 't';

/** What values are like. */
export interface Habits {
  readonly keys: readonly string[];
  /** The share of values that are short, and of those that have at most 10,000 characters. */
  readonly shares: readonly [short: number, middle: number];
  /** Most characters of an item, and of a file. */
  readonly item: number;
  readonly file: number;
}

const HABITS: Habits = { keys: KEYS, shares: [0.8, 0.15], item: 100_000, file: 300_000 };

type Directory = Awaited<ReturnType<StorageClient['storage']['getDirectory']>>;
type FileHandle = Awaited<ReturnType<Directory['getFileHandle']>>;

/** What one realm can do to one origin, all of it recorded. */
export class Workload {
  readonly #client: StorageClient;
  readonly #recorder: Recorder;
  readonly #random: Random;
  readonly #habits: Habits;

  constructor(client: StorageClient, recorder: Recorder, random: Random, habits = HABITS) {
    this.#client = client;
    this.#recorder = recorder;
    this.#random = random;
    this.#habits = habits;
  }

  object(name: string): string {
    return `${this.#client.origin} ${name}`;
  }

  // localStorage

  #storage(action: Action, body: (storage: StorageClient['localStorage']) => Result): void {
    this.#recorder.sync(this.object('localStorage'), action, () => body(this.#client.localStorage));
  }

  getItem(key: string): void {
    this.#storage({ do: 'get', key }, (storage) => {
      const value = storage.getItem(key);
      return value === null ? null : decodeValue(value);
    });
  }

  /** By one question: Object.keys() asks for each property once more, and others may have changed it by then. */
  listItems(): void {
    this.#storage({ do: 'list' }, (storage) => Reflect.ownKeys(storage).map(String).sort());
  }

  changeStorage(): void {
    const key = this.#random.pick(this.#habits.keys);
    if (this.#random.chance(0.02)) return this.#storage({ do: 'clear' }, (storage) => (storage.clear(), null));
    if (this.#random.chance(0.15)) return this.#removeItem(key);
    const padding = this.#padding(this.#habits.item);
    const value = this.#recorder.freshName(padding);
    this.#storage({ do: 'set', key, value }, (storage) => this.#setItem(storage, key, encodeValue(value, padding)));
  }

  /** False where there is no room: the model knows whether that is true. */
  #setItem(storage: StorageClient['localStorage'], key: string, value: string): Result {
    try {
      storage.setItem(key, value);
      return null;
    } catch (error) {
      if (this.#recorder.saysFull(error)) return false;
      throw error;
    }
  }

  /** Whether there was one is not told, so that the model must not be asked. */
  #removeItem(key: string): void {
    const call = { do: 'remove', key } as const;
    this.#storage(call, (storage) => (storage.removeItem(key), null));
  }

  /** Mostly little; sometimes so much that a kill can tear it. */
  #padding(most: number): number {
    const kind = this.#random.next();
    const [short, middle] = this.#habits.shares;
    if (kind < short) return this.#random.below(100);
    return this.#random.below(kind < short + middle ? 10_000 : most);
  }

  // Files

  async #parent(path: string): Promise<Directory> {
    const root = await this.#client.storage.getDirectory();
    return path.startsWith(`${TREE}/`) ? await root.getDirectoryHandle(TREE) : root;
  }

  #files(action: Action, body: () => Promise<Result>, notFound?: Result): Promise<Result | undefined> {
    return this.#recorder.async(this.object('files'), action, body, notFound);
  }

  async #handle(path: string, create: boolean): Promise<FileHandle> {
    const parent = await this.#parent(path);
    return parent.getFileHandle(path.slice(path.lastIndexOf('/') + 1), { create });
  }

  /** Null where there is none, or it cannot be known. */
  async #existing(path: string): Promise<FileHandle | null> {
    let handle: FileHandle | null = null;
    await this.#files({ do: 'look', key: path }, async () => ((handle = await this.#handle(path, false)), true), false);
    return handle;
  }

  async #created(path: string): Promise<FileHandle | null> {
    let handle: FileHandle | null = null;
    const action = { do: 'create', key: path } as const;
    await this.#files(action, async () => ((handle = await this.#handle(path, true)), true), false);
    return handle;
  }

  async readFile(path: string): Promise<void> {
    const handle = await this.#existing(path);
    if (handle === null) return;
    await this.#files({ do: 'get', key: path }, async () => decodeValue(await (await handle.getFile()).text()), null);
  }

  async writeFile(path: string): Promise<void> {
    const handle = await this.#created(path);
    if (handle === null) return;
    let writable: Awaited<ReturnType<FileHandle['createWritable']>> | null = null;
    await this.#files({ do: 'look', key: path }, async () => ((writable = await handle.createWritable()), true), false);
    if (writable !== null) await this.#finish(path, writable);
  }

  async #finish(path: string, writable: Awaited<ReturnType<FileHandle['createWritable']>>): Promise<void> {
    const padding = this.#padding(this.#habits.file);
    const value = this.#recorder.freshName(padding);
    try {
      await writable.write(encodeValue(value, padding));
    } catch (error) {
      if (!this.#recorder.saysFull(error)) throw error;
      return this.#recorder.noteFull();
    }
    if (this.#random.chance(0.1)) return await writable.abort();
    await this.#files({ do: 'replace', key: path, value }, async () => (await writable.close(), true));
  }

  async removeFile(path: string): Promise<void> {
    const action = { do: 'remove', key: path } as const;
    await this.#files(action, async () => {
      const parent = await this.#parent(path);
      await parent.removeEntry(path.slice(path.lastIndexOf('/') + 1));
      return true;
    }, false);
  }

  async moveFile(path: string, name: string): Promise<void> {
    const handle = await this.#existing(path);
    if (handle === null) return;
    const to = path.slice(0, path.lastIndexOf('/') + 1) + name;
    await this.#files({ do: 'move', key: path, to }, async () => (await handle.move(name), true), false);
  }

  async changeTree(): Promise<void> {
    const root = await this.#client.storage.getDirectory();
    if (this.#random.chance(0.7)) {
      await this.#files({ do: 'mkdir', key: TREE }, async () => (await root.getDirectoryHandle(TREE, { create: true }), true));
    } else {
      const body = async (): Promise<Result> => (await root.removeEntry(TREE, { recursive: true }), true);
      await this.#files({ do: 'rmtree', key: TREE }, body, false);
    }
  }

  async listFiles(): Promise<void> {
    await this.#files({ do: 'list' }, async () => {
      const found: string[] = [];
      const root = await this.#client.storage.getDirectory();
      for await (const [name, entry] of root.entries()) {
        if (CELLS.includes(name)) continue;
        found.push(name);
        if (entry.kind !== 'directory') continue;
        for await (const child of (entry as Directory).keys()) found.push(`${name}/${child}`);
      }
      return found.sort();
    });
  }

  async changeFiles(): Promise<void> {
    const path = this.#random.pick(FILES);
    const kind = this.#random.next();
    if (kind < 0.4) await this.readFile(path);
    else if (kind < 0.7) await this.writeFile(path);
    else if (kind < 0.8) await this.removeFile(path);
    else if (kind < 0.9) await this.moveFile(path, this.#random.pick(['f', 'g']));
    else await this.changeTree();
  }

  // Sync access handles: the cells are only ever read and written through them.

  /** Opens the cell's one handle, unless somebody else has it; false if so. */
  async useCell(cell: string, mayWrite: boolean): Promise<boolean> {
    const root = await this.#client.storage.getDirectory();
    const file = await root.getFileHandle(cell, { create: true }).catch(this.#refused);
    const handle = await file?.createSyncAccessHandle().catch(this.#refused) ?? null;
    if (handle === null) return false;
    const release = this.#recorder.holding(this.object(cell), 'exclusive');
    try {
      const object = this.object(cell);
      this.#recorder.sync(object, { do: 'get', key: '' }, () => {
        const bytes = new Uint8Array(CELL_BYTES);
        return handle.read(bytes, { at: 0 }) === 0 ? null : decodeCell(bytes);
      });
      if (mayWrite && this.#random.chance(0.7)) {
        const value = this.#recorder.freshName();
        this.#recorder.sync(object, { do: 'set', key: '', value }, () => (handle.write(encodeCell(value), { at: 0 }), null));
      }
      if (this.#random.chance(0.3)) await pause(this.#random.below(4));
    } finally {
      release();
      handle.close();
    }
    return true;
  }

  /** A writable shares the cell with its like, and keeps out the others. */
  async shareCell(cell: string): Promise<void> {
    const root = await this.#client.storage.getDirectory();
    const file = await root.getFileHandle(cell, { create: true }).catch(this.#refused);
    const writable = await file?.createWritable({ keepExistingData: true }).catch(this.#refused) ?? null;
    if (writable === null) return;
    const release = this.#recorder.holding(this.object(cell), 'shared');
    await pause(this.#random.below(3));
    release();
    await writable.abort();
  }

  readonly #refused = (error: unknown): null => {
    if (nameOf(error) === 'NoModificationAllowedError') return null;
    if (!this.#recorder.saysFull(error)) throw error;
    this.#recorder.noteFull();
    return null;
  };

  // Web Locks

  async useLock(): Promise<void> {
    const name = this.#random.pick(LOCKS);
    const mode: LockMode = this.#random.chance(0.7) ? 'exclusive' : 'shared';
    const kind = this.#random.next();
    const options = kind < 0.2 ? { ifAvailable: true } : kind < 0.3 ? { signal: AbortSignal.timeout(1 + this.#random.below(10)) } : {};
    try {
      await this.#client.locks.request(name, { mode, ...options }, (lock) => (lock === null ? null : this.#hold(name, mode)));
    } catch (error) {
      if (nameOf(error) !== 'TimeoutError') throw error;
    }
  }

  async #hold(name: string, mode: LockMode): Promise<void> {
    const release = this.#recorder.holding(this.object(name), mode);
    if (this.#random.chance(0.5)) this.getItem(this.#random.pick(this.#habits.keys));
    else await pause(this.#random.below(4));
    release();
  }

  /** Resolves when the lock was got and given back. */
  async takeLock(name: string): Promise<void> {
    await this.#client.locks.request(name, () => this.#recorder.holding(this.object(name), 'exclusive')());
  }
}
