import type { StorageClient } from '../../../src/host/storage-client.ts';
import { groupBy } from '../exclusion.ts';
import type { History, Operation } from '../history.ts';
import { nameOf, type Recorder } from '../recorder.ts';
import { CELL_BYTES, decodeCell, encodeCell } from '../values.ts';

/*
 * Counters that are read, and then written with one more, under a lock. Each value names its number and its writer:
 * if anything is lost, or two hold the lock at once, a number is written twice or left out.
 */

export type Kind = 'item' | 'file' | 'cell';

export const COUNTERS: readonly (readonly [Kind, string])[] = [
  ['item', 'item-1'],
  ['item', 'item-2'],
  ['file', 'file-1'],
  ['cell', 'cell-1'],
];

const PREFIX = 'counter ';

export class Counters {
  readonly #client: StorageClient;
  readonly #recorder: Recorder;

  constructor(client: StorageClient, recorder: Recorder) {
    this.#client = client;
    this.#recorder = recorder;
  }

  #object(name: string): string {
    return `${this.#client.origin} ${PREFIX}${name}`;
  }

  /** Adds one, or only reads; nothing where somebody else has the cell. */
  async count(kind: Kind, name: string, mayWrite = true): Promise<void> {
    if (kind === 'cell') return await this.#countCell(name, mayWrite);
    await this.#client.locks.request(name, async () => {
      const release = this.#recorder.holding(this.#object(name), 'exclusive');
      if (kind === 'item') this.#countItem(name, mayWrite);
      else await this.#countFile(name, mayWrite);
      release();
    });
  }

  #countItem(name: string, mayWrite: boolean): void {
    const storage = this.#client.localStorage;
    const before = this.#recorder.sync(this.#object(name), { do: 'get', key: '' }, () => storage.getItem(name));
    const value = this.#following(before);
    if (mayWrite) this.#recorder.sync(this.#object(name), { do: 'set', key: '', value }, () => (storage.setItem(name, value), null));
  }

  async #countFile(name: string, mayWrite: boolean): Promise<void> {
    const root = await this.#client.storage.getDirectory();
    const file = await root.getFileHandle(name, { create: true });
    const read = async (): Promise<string | null> => (await (await file.getFile()).text()) || null;
    const value = this.#following(await this.#recorder.async(this.#object(name), { do: 'get', key: '' }, read));
    if (!mayWrite) return;
    await this.#recorder.async(this.#object(name), { do: 'set', key: '', value }, async () => {
      const writable = await file.createWritable();
      await writable.write(value);
      await writable.close();
      return null;
    });
  }

  async #countCell(name: string, mayWrite: boolean): Promise<void> {
    const root = await this.#client.storage.getDirectory();
    const file = await root.getFileHandle(name, { create: true });
    const handle = await file.createSyncAccessHandle().catch((error: unknown) => {
      if (nameOf(error) === 'NoModificationAllowedError') return null;
      throw error;
    });
    if (handle === null) return;
    const release = this.#recorder.holding(this.#object(name), 'exclusive');
    const bytes = new Uint8Array(CELL_BYTES);
    const read = (): string | null => (handle.read(bytes, { at: 0 }) === 0 ? null : decodeCell(bytes));
    const value = this.#following(this.#recorder.sync(this.#object(name), { do: 'get', key: '' }, read));
    const write = (): null => (handle.write(encodeCell(value), { at: 0 }), null);
    if (mayWrite) this.#recorder.sync(this.#object(name), { do: 'set', key: '', value }, write);
    release();
    handle.close();
  }

  #following(before: unknown): string {
    return `${numberOf(before) + 1}@${this.#recorder.freshName()}`;
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'string' ? Number(value.split('@', 1)[0]) : 0;
}

/** What is wrong with the counters, whose last reads are those of `reader`; each a sentence. */
export function miscounts(history: History, reader: string): string[] {
  const ofCounters = history.operations.filter(({ object }) => object.includes(` ${PREFIX}`));
  return [...groupBy(ofCounters, ({ object }) => object)].flatMap(([object, operations]) => miscountsOf(object, operations, reader));
}

function miscountsOf(object: string, operations: readonly Operation[], reader: string): string[] {
  const written = new Map<number, Operation>();
  const wrong: string[] = [];
  let first = Infinity;
  let last = 0;
  for (const operation of operations) {
    const { action, result, id } = operation;
    if (action.do === 'set') {
      const number = numberOf(action.value);
      const other = written.get(number);
      if (other !== undefined && other.result !== undefined && result !== undefined) wrong.push(`${object}: ${number} is counted by ${other.id} and by ${id}`);
      if (other?.result === undefined) written.set(number, operation);
      first = Math.min(first, number);
    } else if (id.startsWith(`${reader}:`)) last = Math.max(last, numberOf(result));
  }
  for (let number = first; number <= last; number++) {
    if (!written.has(number)) wrong.push(`${object}: nobody counted ${number}, but it ends at ${last}`);
  }
  for (const [number, { id, result }] of written) {
    if (number > last && result !== undefined) wrong.push(`${object}: ${number} of ${id} is lost, it ends at ${last}`);
  }
  return wrong;
}
