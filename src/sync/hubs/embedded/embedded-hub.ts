import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { BlobCollection, Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from '../../hub.ts';
import { AppendQueue, type Appended, type LogBatch } from '../append-queue.ts';
import { Lifetime } from '../lifetime.ts';
import { requireIds, requireLogName, requirePosition } from '../log-arguments.ts';
import { checkClientOptions, type EmbeddedHubOptions } from './client-options.ts';
import { Connection } from './connection.ts';
import { News } from './news.ts';
import { codes } from './protocol.ts';
import {
  type AnswerOf,
  MAX_APPEND_BYTES,
  MAX_ASKED_BLOBS,
  MAX_BLOB_BYTES,
  MAX_ENTRIES,
  MAX_ENTRY_BYTES,
  MAX_SNAPSHOT_BYTES,
  type OperationName,
  type RefusedAppend,
  type RequestOf,
} from './operations.ts';

/** Calls to append that come while so many requests are under way are one request, up to this. */
const GROUP = { entries: 10_000, bytes: 2 ** 23, logs: 1024, writes: 8 };

/** What one entry of a request takes beside its bytes and its id, in bytes. */
const ENTRY_OVERHEAD = 5;

const MOST_ENTRIES = 2 ** 32 - 1;

/**
 * The hub that `npx holdfast hub` serves: Holdfast's own journal behind HTTP. Does no I/O before `connect()`.
 *
 * What it promises: an acknowledged entry is synced to the disk of the hub's machine; ids are remembered until their
 * entries are trimmed. One call of `append` takes 64 MiB and 65,536 entries at most, and `putSnapshot` 256 MiB (`hub-too-large`).
 *
 * @throws HoldfastError `bad-option`
 */
export function embeddedHub(options: EmbeddedHubOptions): Hub {
  return new EmbeddedHub(options);
}

/** A log, for the queue. */
interface LogKey {
  readonly key: string;
}

class EmbeddedHub implements Hub {
  readonly name: string;
  readonly #lifetime = new Lifetime(() => new HoldfastError('closed', `The hub ${this.name} was closed.`));
  readonly #connection: Connection;
  readonly #news: News;
  readonly #warnings: readonly string[];
  /** Whether the hub appends to one log at a time only. */
  #isOld = false;
  readonly #queue = new AppendQueue<LogKey>((batches) => this.#write(batches), GROUP);

  constructor(options: EmbeddedHubOptions) {
    const checked = checkClientOptions(options);
    const { host, pathname } = checked.url;
    this.#warnings = isOpen(checked.url) ? ['The token and all data travel in the clear, for the url of the hub begins with http:.'] : [];
    this.name = `embedded at ${host}${pathname === '/' ? '' : pathname}`;
    this.#connection = new Connection(checked, this.name);
    this.#news = new News(this.#connection);
  }

  async connect(): Promise<HubCapabilities> {
    const capabilities = await this.call('hello', null);
    return { ...capabilities, warnings: [...capabilities.warnings, ...this.#warnings] };
  }

  log(name: string): HubLog {
    requireLogName(name);
    return new EmbeddedLog(this, name);
  }

  call<Name extends OperationName>(name: Name, request: RequestOf<Name>): Promise<AnswerOf<Name>> {
    return this.#lifetime.during(() => this.#connection.call(name, request));
  }

  append(log: string, entries: readonly NewEntry[], blobs: readonly string[]): Promise<number> {
    return this.#lifetime.during(() => this.#queue.append({ key: log }, entries, blobs));
  }

  async #write(batches: readonly LogBatch<LogKey>[]): Promise<readonly Appended[]> {
    if (batches.length > 1 && !this.#isOld) return await this.#writeMany(batches);
    return await Promise.all(batches.map((batch) => this.#writeOne(batch)));
  }

  async #writeMany(batches: readonly LogBatch<LogKey>[]): Promise<readonly Appended[]> {
    const appends = batches.map(({ log, entries, blobs }) => ({ log: log.key, entries, blobs }));
    try {
      const answers = await this.#connection.call('append-many', { appends });
      if (answers.length === appends.length) return answers.map((answer) => (typeof answer === 'number' ? answer : this.#refused(answer)));
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'hub-incompatible') throw error;
    }
    // A hub from before this operation.
    this.#isOld = true;
    return await this.#write(batches);
  }

  #refused({ status, message }: RefusedAppend): HoldfastError {
    return new HoldfastError(codes[status], `The hub ${this.name} refused 'append': ${message}`);
  }

  #writeOne({ log: { key: log }, entries, blobs }: LogBatch<LogKey>): Promise<number> {
    if (blobs.length === 0) return this.#connection.call('append', { log, entries });
    return this.#connection.call('append-naming', { log, entries, blobs });
  }

  subscribe(log: string, onNews: () => void): Unsubscribe {
    return this.#news.subscribe(log, onNews);
  }

  async close(): Promise<void> {
    if (!this.#lifetime.end()) return;
    this.#news.close();
    this.#connection.close();
  }
}

/** Whether what is sent there can be read on the way. */
function isOpen({ protocol, hostname }: URL): boolean {
  return protocol === 'http:' && !/^(localhost|\[::1\]|127\.[0-9.]+)$/.test(hostname);
}

class EmbeddedLog implements HubLog {
  readonly #hub: EmbeddedHub;
  readonly #log: string;

  constructor(hub: EmbeddedHub, log: string) {
    this.#hub = hub;
    this.#log = log;
  }

  head(): Promise<LogHead> {
    return this.#hub.call('head', { log: this.#log });
  }

  async append(entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    requireEntries(entries);
    blobs.forEach(requireBlobName);
    return await this.#hub.append(this.#log, entries, blobs);
  }

  async read(after: number, limit: number): Promise<readonly HubEntry[]> {
    requirePosition(after);
    const entries = await this.#hub.call('read', { log: this.#log, after, limit: Math.min(limit, MOST_ENTRIES) });
    const [first] = entries;
    if (first === undefined || first.position === after + 1) return entries;
    throw new HoldfastError('hub-damaged', `The hub ${this.#hub.name} gave entry ${first.position} where ${after + 1} comes next.`);
  }

  subscribe(onNews: () => void): Unsubscribe {
    return this.#hub.subscribe(this.#log, onNews);
  }

  snapshot(): Promise<HubSnapshot | null> {
    return this.#hub.call('snapshot', { log: this.#log });
  }

  async putSnapshot(snapshot: HubSnapshot): Promise<void> {
    requirePosition(snapshot.position);
    requireFit('A snapshot', snapshot.bytes.length, MAX_SNAPSHOT_BYTES);
    await this.#hub.call('put-snapshot', { log: this.#log, snapshot });
  }

  async trim(upTo: number): Promise<void> {
    requirePosition(upTo);
    await this.#hub.call('trim', { log: this.#log, upTo });
  }

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    requireBlobName(name);
    requireFit('A blob', bytes.length, MAX_BLOB_BYTES);
    await this.#hub.call('put-blob', { log: this.#log, name, bytes });
  }

  async getBlob(name: string): Promise<Uint8Array | null> {
    requireBlobName(name);
    return await this.#hub.call('get-blob', { log: this.#log, name });
  }

  async hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    names.forEach(requireBlobName);
    const found = new Set<string>();
    for (let from = 0; from === 0 || from < names.length; from += MAX_ASKED_BLOBS) {
      const asked = names.slice(from, from + MAX_ASKED_BLOBS);
      for (const name of await this.#hub.call('has-blobs', { log: this.#log, names: asked })) found.add(name);
    }
    return found;
  }

  async collectBlobs({ epoch, first, position, isNamed, unusedFor }: BlobCollection): Promise<number> {
    for (const number of [first, position, unusedFor]) requirePosition(number);
    let removed = 0;
    for (let after = '', page: readonly string[] = []; ; after = page.at(-1) ?? '') {
      page = await this.#hub.call('unused-blobs', { log: this.#log, unusedFor, after });
      if (page.length === 0) return removed;
      const names = page.filter((name) => !isNamed(name));
      if (names.length > 0) removed += await this.#hub.call('remove-blobs', { log: this.#log, epoch, first, position, unusedFor, names });
    }
  }
}

function requireEntries(entries: readonly NewEntry[]): void {
  requireIds(entries);
  let total = 0;
  for (const { id, bytes } of entries) {
    requireFit('An entry', bytes.length, MAX_ENTRY_BYTES);
    total += bytes.length + id.length + ENTRY_OVERHEAD;
  }
  requireFit('A batch', total, MAX_APPEND_BYTES);
  if (entries.length > MAX_ENTRIES) throw new HoldfastError('hub-too-large', `A batch of ${entries.length} entries is larger than ${MAX_ENTRIES}, which this hub takes.`);
}

function requireFit(what: string, bytes: number, most: number): void {
  if (bytes > most) throw new HoldfastError('hub-too-large', `${what} of ${bytes} bytes is larger than ${most}, which this hub takes.`);
}

function requireBlobName(name: string): void {
  if (/^[0-9a-f]{64}$/.test(name)) return;
  throw new HoldfastError('bad-option', `The name of a blob is its SHA-256 in 64 lower-case hexadecimal digits, not ${JSON.stringify(name)}.`);
}
