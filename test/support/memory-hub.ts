import { HoldfastError, type HoldfastErrorCode } from '../../src/runtime/holdfast-error.ts';
import type { BlobCollection, Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry } from '../../src/sync/hub.ts';

export const MEMORY_CAPABILITIES: HubCapabilities = {
  durability: 'killed',
  dedupe: 'always',
  notifies: true,
  maxEntryBytes: 2 ** 20,
  maxBlobBytes: 2 ** 22,
  warnings: [],
};

/** The state of one log. Public, so that tests can look into it and break it. */
export class MemoryLog {
  readonly epoch: string;
  /** The entries from `first` on. */
  entries: NewEntry[] = [];
  first = 1;
  snapshot: HubSnapshot | null = null;
  readonly blobs = new Map<string, Uint8Array>();
  /** When each blob was used the last time, in milliseconds since 1970; and the last entry whose append named it. */
  readonly used = new Map<string, number>();
  readonly named = new Map<string, number>();
  /** Bytes that may be there of blobs that no append has named. */
  unnamedBytes = Infinity;
  readonly subscribers = new Set<() => void>();

  constructor(epoch: string) {
    this.epoch = epoch;
  }

  get position(): number {
    return this.first + this.entries.length - 1;
  }

  head(): LogHead {
    return { epoch: this.epoch, position: this.position, first: this.first };
  }

  append(entries: readonly NewEntry[], blobs: readonly string[] = []): number {
    const missing = blobs.find((name) => !this.blobs.has(name));
    if (missing !== undefined) throw failure('hub-blob-missing', `The blob ${missing} is not there.`);
    for (const { id, bytes } of entries) {
      if (!this.entries.some((entry) => entry.id === id)) this.entries.push({ id, bytes: new Uint8Array(bytes) });
    }
    for (const name of blobs) {
      this.named.set(name, this.position);
      this.used.set(name, Date.now());
    }
    return this.position;
  }

  read(after: number, limit: number): HubEntry[] {
    if (after + 1 < this.first) throw failure('hub-trimmed', `Entry ${after + 1} was trimmed.`);
    const from = after + 1 - this.first;
    return this.entries.slice(from, from + limit).map(({ bytes }, index) => ({ position: after + 1 + index, bytes: new Uint8Array(bytes) }));
  }

  putSnapshot({ position, bytes }: HubSnapshot): void {
    if (position > this.position) throw failure('hub-damaged', `The log ends at ${this.position}.`);
    if (this.snapshot === null || position > this.snapshot.position) this.snapshot = { position, bytes: new Uint8Array(bytes) };
  }

  trim(upTo: number): void {
    const last = Math.min(upTo, this.snapshot?.position ?? 0, this.position);
    if (last < this.first) return;
    this.entries.splice(0, last + 1 - this.first);
    this.first = last + 1;
  }

  putBlob(name: string, bytes: Uint8Array): void {
    if (!this.blobs.has(name)) this.#admit(bytes);
    if (!this.blobs.has(name)) this.blobs.set(name, new Uint8Array(bytes));
    this.used.set(name, Date.now());
  }

  #admit({ length }: Uint8Array): void {
    const unnamed = [...this.blobs].filter(([name]) => !this.named.has(name)).reduce((sum, [, bytes]) => sum + bytes.length, 0);
    if (unnamed + length > this.unnamedBytes) throw failure('hub-full', `${unnamed} bytes of blobs are there that no entry names.`);
  }

  collectBlobs({ epoch, first, position, isNamed, unusedFor }: BlobCollection): number {
    if (epoch !== this.epoch || position > this.position || first > this.first) return 0;
    if (first > 1 && position > (this.snapshot?.position ?? 0)) return 0;
    const isUnused = (name: string): boolean => Date.now() - (this.used.get(name) ?? 0) >= unusedFor && (this.named.get(name) ?? 0) <= position;
    const names = [...this.blobs.keys()].filter((name) => !isNamed(name) && isUnused(name));
    for (const name of names) {
      this.blobs.delete(name);
      this.named.delete(name);
    }
    return names.length;
  }
}

/**
 * The data of a hub, in memory. Everything is decided at the moment of a call, in the order of calls; calls resolve and
 * subscribers hear in later microtasks, never by a timer.
 */
export class MemoryEngine {
  readonly logs = new Map<string, MemoryLog>();
  readonly capabilities: HubCapabilities;
  /** While true, every call rejects with `hub-unreachable`. */
  away = false;
  #made = 0;

  constructor(capabilities: Partial<HubCapabilities> = {}) {
    this.capabilities = { ...MEMORY_CAPABILITIES, ...capabilities };
  }

  log(name: string): MemoryLog {
    let log = this.logs.get(name);
    if (log === undefined) this.logs.set(name, (log = this.makeLog(`epoch-${++this.#made}`)));
    return log;
  }

  protected makeLog(epoch: string): MemoryLog {
    return new MemoryLog(epoch);
  }

  notify(log: MemoryLog): void {
    for (const subscriber of log.subscribers) queueMicrotask(() => log.subscribers.has(subscriber) && subscriber());
  }
}

/** What a bounded engine takes of blobs that nothing names, in bytes. */
export const UNNAMED_BYTES = 2 ** 20;

/** One that bounds what is put into each log and that no append has named. */
export class BoundedEngine extends MemoryEngine {
  protected override makeLog(epoch: string): MemoryLog {
    return Object.assign(super.makeLog(epoch), { unnamedBytes: UNNAMED_BYTES });
  }
}

/** A client of a hub in memory, by default of one that nobody else uses. */
export function memoryHub(engine = new MemoryEngine()): Hub {
  return new MemoryHub(engine);
}

class MemoryHub implements Hub {
  readonly name = 'memory';
  readonly engine: MemoryEngine;
  #closed = false;
  readonly #subscriptions = new Set<() => void>();

  constructor(engine: MemoryEngine) {
    this.engine = engine;
  }

  async connect(): Promise<HubCapabilities> {
    this.check();
    return this.engine.capabilities;
  }

  log(name: string): HubLog {
    return new MemoryHubLog(this, name);
  }

  /** @throws HoldfastError when nothing can be asked of the hub. */
  check(): void {
    if (this.#closed) throw failure('closed', 'The hub was closed.');
    if (this.engine.away) throw failure('hub-unreachable', 'The hub is away.');
  }

  subscribe(name: string, onNews: () => void): () => void {
    if (this.#closed) return () => undefined;
    const { subscribers } = this.engine.log(name);
    const subscriber = (): void => onNews();
    const end = (): void => {
      subscribers.delete(subscriber);
      this.#subscriptions.delete(end);
    };
    subscribers.add(subscriber);
    this.#subscriptions.add(end);
    return end;
  }

  async close(): Promise<void> {
    this.#closed = true;
    for (const end of this.#subscriptions) end();
  }
}

class MemoryHubLog implements HubLog {
  readonly #hub: MemoryHub;
  readonly #name: string;

  constructor(hub: MemoryHub, name: string) {
    this.#hub = hub;
    this.#name = name;
  }

  get #log(): MemoryLog {
    this.#hub.check();
    return this.#hub.engine.log(this.#name);
  }

  async head(): Promise<LogHead> {
    return this.#log.head();
  }

  async append(entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    const { engine } = this.#hub;
    for (const { bytes } of entries) requireFit(bytes, engine.capabilities.maxEntryBytes);
    const log = this.#log;
    const position = log.append(entries, blobs);
    engine.notify(log);
    return position;
  }

  /** To ask makes nothing. */
  async read(after: number, limit: number): Promise<readonly HubEntry[]> {
    this.#hub.check();
    return this.#hub.engine.logs.get(this.#name)?.read(after, limit) ?? [];
  }

  subscribe(onNews: () => void): () => void {
    return this.#hub.subscribe(this.#name, onNews);
  }

  async snapshot(): Promise<HubSnapshot | null> {
    const { snapshot } = this.#log;
    return snapshot && { ...snapshot, bytes: new Uint8Array(snapshot.bytes) };
  }

  async putSnapshot(snapshot: HubSnapshot): Promise<void> {
    this.#log.putSnapshot(snapshot);
  }

  async trim(upTo: number): Promise<void> {
    this.#log.trim(upTo);
  }

  async putBlob(name: string, bytes: Uint8Array): Promise<void> {
    requireFit(bytes, this.#hub.engine.capabilities.maxBlobBytes);
    this.#log.putBlob(name, bytes);
  }

  async getBlob(name: string): Promise<Uint8Array | null> {
    return this.#log.blobs.get(name)?.slice() ?? null;
  }

  async hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    const { blobs, used } = this.#log;
    const there = names.filter((name) => blobs.has(name));
    for (const name of there) used.set(name, Date.now());
    return new Set(there);
  }

  async collectBlobs(collection: BlobCollection): Promise<number> {
    return this.#log.collectBlobs(collection);
  }
}

function requireFit({ length }: Uint8Array, most: number): void {
  if (length > most) throw failure('hub-too-large', `${length} bytes are more than ${most}.`);
}

function failure(code: HoldfastErrorCode, message: string): HoldfastError {
  return new HoldfastError(code, message);
}
