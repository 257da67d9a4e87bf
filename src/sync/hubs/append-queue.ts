import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { NewEntry } from '../hub.ts';

/** What one write appends to one log. */
export interface LogBatch<Log> {
  readonly log: Log;
  readonly entries: readonly NewEntry[];
  /** Names of the blobs that the entries name; some maybe twice. */
  readonly blobs: readonly string[];
}

/** The position of a log after an append, or why that was refused of this log alone. */
export type Appended = number | HoldfastError;

/** Appends each batch, all or none, and resolves to what became of them in their order. */
export type WriteBatches<Log> = (batches: readonly LogBatch<Log>[]) => Promise<readonly Appended[]>;

/** How much goes into one write; a call that is larger by itself goes in one piece. */
export interface WriteLimits {
  readonly entries: number;
  readonly bytes: number;
  readonly logs: number;
  /** How many writes are under way at once. */
  readonly writes: number;
}

/** What the name of a blob takes of a write, in bytes. */
const BLOB_NAME_BYTES = 32;

interface Call {
  readonly entries: readonly NewEntry[];
  readonly blobs: readonly string[];
  readonly bytes: number;
  readonly resolve: (position: number) => void;
  readonly reject: (reason: unknown) => void;
}

interface Group<Log> {
  readonly log: Log;
  readonly calls: readonly Call[];
}

/**
 * Makes one write of the calls to append that come while others are under way: a write costs a round trip and a sync,
 * whatever it holds. To each log there is one write at a time, so the order of its calls is kept; no call is divided,
 * so that each is still all or none.
 */
export class AppendQueue<Log extends { readonly key: string }> {
  readonly #write: WriteBatches<Log>;
  readonly #limits: WriteLimits;
  /** By the log's key; the log that has waited the longest first. */
  readonly #waiting = new Map<string, { log: Log; calls: Call[] }>();
  readonly #busy = new Set<string>();
  #writes = 0;

  constructor(write: WriteBatches<Log>, limits: WriteLimits) {
    this.#write = write;
    this.#limits = limits;
  }

  append(log: Log, entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    return new Promise((resolve, reject) => {
      const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, BLOB_NAME_BYTES * blobs.length);
      const call = { entries, blobs, bytes, resolve, reject };
      const waiting = this.#waiting.get(log.key);
      if (waiting === undefined) this.#waiting.set(log.key, { log, calls: [call] });
      else waiting.calls.push(call);
      this.#startWrites();
    });
  }

  #startWrites(): void {
    while (this.#writes < this.#limits.writes) {
      const groups = this.#nextGroups();
      if (groups.length === 0) return;
      void this.#perform(groups);
    }
  }

  async #perform(groups: readonly Group<Log>[]): Promise<void> {
    this.#writes++;
    for (const { log } of groups) this.#busy.add(log.key);
    await this.#settle(groups);
    for (const { log } of groups) this.#busy.delete(log.key);
    this.#writes--;
    this.#startWrites();
  }

  async #settle(groups: readonly Group<Log>[]): Promise<void> {
    try {
      const appended = await this.#write(groups.map(batchOf));
      groups.forEach((group, index) => settle(group, appended[index] ?? 0));
    } catch (error) {
      if (groups.length > 1 && isOfOneLog(error)) for (const group of groups) await this.#settle([group]);
      else for (const { calls } of groups) calls.forEach(({ reject }) => reject(error));
    }
  }

  #nextGroups(): Group<Log>[] {
    const room = { entries: this.#limits.entries, bytes: this.#limits.bytes };
    const groups: Group<Log>[] = [];
    for (const [key, { log, calls }] of this.#waiting) {
      if (groups.length === this.#limits.logs) break;
      if (this.#busy.has(key)) continue;
      const taken = takeCalls(calls, room, groups.length === 0);
      if (taken.length > 0) groups.push({ log, calls: taken });
      if (calls.length === 0) this.#waiting.delete(key);
    }
    return groups;
  }
}

function settle({ calls }: Group<unknown>, appended: Appended): void {
  for (const { resolve, reject } of calls) {
    if (typeof appended === 'number') resolve(appended);
    else reject(appended);
  }
}

function batchOf<Log>({ log, calls }: Group<Log>): LogBatch<Log> {
  return { log, entries: calls.flatMap(({ entries }) => entries), blobs: calls.flatMap(({ blobs }) => blobs) };
}

/** Appends entries, which name some blobs, to one log, all or none, and resolves to its position. */
export type WriteEntries = (entries: readonly NewEntry[], blobs: readonly string[]) => Promise<number>;

interface WritableLog {
  readonly key: string;
  readonly write: WriteEntries;
}

/** An {@link AppendQueue} for hubs that write to each log by itself: no log waits for another. */
export class AppendQueues {
  readonly #queue: AppendQueue<WritableLog>;

  constructor(limits: Pick<WriteLimits, 'entries' | 'bytes'>) {
    const writeEach = (batches: readonly LogBatch<WritableLog>[]) => Promise.all(batches.map(({ log, entries, blobs }) => log.write(entries, blobs)));
    this.#queue = new AppendQueue(writeEach, { ...limits, logs: 1, writes: Infinity });
  }

  /** Appends to a log by `write`, or by that of a call to the same log that waits already. */
  append(key: string, entries: readonly NewEntry[], blobs: readonly string[], write: WriteEntries): Promise<number> {
    return this.#queue.append({ key, write }, entries, blobs);
  }
}

/** Takes calls off the front while there is room for them; the first of all in any case. */
function takeCalls(calls: Call[], room: { entries: number; bytes: number }, isFirst: boolean): Call[] {
  const end = calls.findIndex((call, index) => {
    if ((room.entries < call.entries.length || room.bytes < call.bytes) && !(isFirst && index === 0)) return true;
    room.entries -= call.entries.length;
    room.bytes -= call.bytes;
    return false;
  });
  return calls.splice(0, end === -1 ? calls.length : end);
}

/** Whether other logs need not suffer from it, as they do when the hub is away. */
function isOfOneLog(error: unknown): boolean {
  return error instanceof HoldfastError && !['hub-unreachable', 'closed'].includes(error.code);
}
