import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import type { BlobCollection, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry } from '../../../src/sync/hub.ts';
import { sha256 } from '../../../src/sync/replicator/digest.ts';
import { decodeWire } from '../../../src/sync/replicator/wire.ts';
import type { WireBatch } from '../../../src/sync/replicator/wire.ts';
import { isSealed, plainEntry, SEALED_ROOM } from './sealed.ts';
import type { Mortal, World } from './world.ts';

/** Everything a hub holds of one log; a backup is a copy. */
interface Content {
  readonly epoch: string;
  /** Every entry there ever was, trimmed or not: for the judge. */
  readonly history: readonly HubEntry[];
  readonly first: number;
  readonly ids: ReadonlyMap<string, number>;
  readonly snapshot: HubSnapshot | null;
  readonly blobs: ReadonlyMap<string, Uint8Array>;
  /** The position of the last entry whose append named a blob. */
  readonly named: ReadonlyMap<string, number>;
}

/** Small, so that batches are split and values travel as blobs. */
export const SMALL: HubCapabilities = {
  durability: 'synced',
  dedupe: 'for-a-time',
  notifies: true,
  maxEntryBytes: 700,
  maxBlobBytes: 150,
  warnings: [],
};

/** The hub's side: one log. */
export class SimHub {
  readonly world: World;
  /** Entries whose ids are remembered. */
  readonly memory: number;
  /** How many entries it gives at once. */
  readonly page: number;
  content: Content;
  /** How many blobs were collected; and every blob there ever was, for the judge. */
  collected = 0;
  readonly archive = new Map<string, Uint8Array>();
  readonly subscribers = new Map<() => void, Mortal>();
  #epochs = 0;

  constructor(world: World) {
    this.world = world;
    this.memory = world.chance.pick([0, 4, Infinity]);
    this.page = world.chance.pick([1, 3, 100]);
    this.content = this.#empty();
  }

  #empty(): Content {
    this.#epochs += 1;
    return { epoch: `epoch-${this.#epochs}`, history: [], first: 1, ids: new Map(), snapshot: null, blobs: new Map(), named: new Map() };
  }

  get position(): number {
    return this.content.history.length;
  }

  /** Of the last entry; empty where there is none. */
  get digest(): Uint8Array {
    const last = this.content.history.at(-1);
    return last === undefined ? new Uint8Array(0) : sha256(plainEntry(last.bytes));
  }

  /** One line for each entry. */
  describe(): string {
    return this.content.history.map(({ position, bytes }) => describeEntry(position, bytes)).join('\n');
  }

  lose(): void {
    this.content = this.#empty();
  }

  head(): LogHead {
    return { epoch: this.content.epoch, position: this.position, first: this.content.first };
  }

  append(entries: readonly NewEntry[], blobs: readonly string[]): number {
    if (!this.hasAll(blobs)) throw new HoldfastError('hub-blob-missing', 'A blob that the entries name is not there.');
    const ids = new Map([...this.content.ids].filter(([, position]) => position > this.position - this.memory));
    const history = [...this.content.history];
    for (const { id, bytes } of entries) {
      if (!/^[a-zA-Z0-9.-]{1,64}$/.test(id)) throw new Error(`An id is not one: ${id}`);
      if (bytes.length > SMALL.maxEntryBytes + roomOf(bytes)) throw new HoldfastError('hub-too-large', `${bytes.length} bytes`);
      if (ids.has(id)) continue;
      history.push({ position: history.length + 1, bytes });
      ids.set(id, history.length);
    }
    const named = new Map(this.content.named);
    for (const blob of blobs) named.set(blob, history.length);
    this.content = { ...this.content, history, ids, named };
    for (const [arrive, to] of this.subscribers) if (this.world.chance.is(0.8)) this.world.send({ what: `news for ${to.name}`, to, arrive });
    return this.position;
  }

  read(after: number, limit: number): readonly HubEntry[] {
    if (after + 1 < this.content.first) throw new HoldfastError('hub-trimmed', `Entry ${after + 1} was trimmed.`);
    return this.content.history.slice(after, after + Math.min(limit, this.page));
  }

  putSnapshot(snapshot: HubSnapshot): void {
    if (snapshot.position > this.position) throw new HoldfastError('hub-damaged', `The log ends at ${this.position}.`);
    if (snapshot.position > (this.content.snapshot?.position ?? 0)) this.content = { ...this.content, snapshot };
  }

  trim(upTo: number): void {
    const last = Math.min(upTo, this.trimLimit());
    if (last >= this.content.first) this.content = { ...this.content, first: last + 1 };
  }

  /** A method, so that a mutant of the hub may forget it. */
  trimLimit(): number {
    return this.content.snapshot?.position ?? 0;
  }

  putBlob(name: string, bytes: Uint8Array): void {
    if (bytes.length > SMALL.maxBlobBytes + roomOf(bytes)) throw new HoldfastError('hub-too-large', `${bytes.length} bytes`);
    this.content = { ...this.content, blobs: new Map(this.content.blobs).set(name, bytes) };
    this.archive.set(name, bytes);
  }

  /** A method, so that a mutant of the hub may forget it. */
  hasAll(blobs: readonly string[]): boolean {
    return blobs.every((name) => this.content.blobs.has(name));
  }

  /** Without any time in which blobs must lie unused: what an append has named is safe by its position alone. */
  collectBlobs({ epoch, first, position, isNamed }: BlobCollection): number {
    const { blobs, snapshot } = this.content;
    if (epoch !== this.content.epoch || position > this.position || first > this.content.first) return 0;
    if (first > 1 && position > (snapshot?.position ?? 0)) return 0;
    const kept = new Map([...blobs].filter(([name]) => isNamed(name) || this.lastNaming(name) > position));
    this.content = { ...this.content, blobs: kept };
    this.collected += blobs.size - kept.size;
    return blobs.size - kept.size;
  }

  /** Positions of kept entries whose blobs are not all there. */
  get robbed(): number[] {
    const { history, first, blobs } = this.content;
    const isRobbed = ({ bytes }: HubEntry): boolean =>
      decoded(bytes).operations.some((operation) => operation.blobs?.some(({ digest }) => !blobs.has(Buffer.from(digest).toString('hex'))));
    return history.slice(first - 1).filter(isRobbed).map(({ position }) => position);
  }

  /** A method, so that a mutant of the hub may forget it. */
  lastNaming(name: string): number {
    return this.content.named.get(name) ?? 0;
  }
}

/** Regions know of no less room where they encrypt. */
function roomOf(bytes: Uint8Array): number {
  return isSealed(bytes) ? SEALED_ROOM : 0;
}

const known = new WeakMap<Uint8Array, WireBatch>();

/** An entry that the hub has, or had: it is looked at again and again. */
export function decoded(bytes: Uint8Array): WireBatch {
  let batch = known.get(bytes);
  if (batch === undefined) known.set(bytes, (batch = decodeWire(plainEntry(bytes))));
  return batch;
}

function describeEntry(position: number, bytes: Uint8Array): string {
  const { incarnation, first, operations } = decoded(bytes);
  return `${position}: ${incarnation.slice(-8)} ${first}: ${operations.map(({ session, sequence }) => `${session}.${sequence}`).join(' ')}`;
}

/** The way of one process to the hub: every question and every answer is a message. */
export class SimLog implements HubLog {
  readonly hub: SimHub;
  readonly #asker: Mortal;
  readonly #isCutOff: () => boolean;

  constructor(hub: SimHub, asker: Mortal, isCutOff: () => boolean) {
    this.hub = hub;
    this.#asker = asker;
    this.#isCutOff = isCutOff;
  }

  #ask<T>(what: string, answer: () => T): Promise<T> {
    const { world } = this.hub;
    return new Promise<T>((resolve, reject) => {
      const fail = (): void => reject(new HoldfastError('hub-unreachable', 'The simulated hub is away.'));
      const reply = (settle: () => void): void =>
        world.send({ what: `answer to ${this.#asker.name} of ${what}`, to: this.#asker, fail, arrive: this.#isCutOff() ? fail : settle });
      const arrive = (): void => {
        if (this.#isCutOff()) return reply(fail);
        try {
          const value = answer();
          reply(() => resolve(value));
        } catch (error) {
          reply(() => reject(error as Error));
        }
      };
      world.send({ what: `${this.#asker.name} asks ${what}`, to: null, fail, arrive });
    });
  }

  head(): Promise<LogHead> {
    return this.#ask('head', () => this.hub.head());
  }

  append(entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    return this.#ask(`append ${entries.map(({ id }) => id.slice(-12)).join(' ')}`, () => this.hub.append(entries, blobs));
  }

  read(after: number, limit: number): Promise<readonly HubEntry[]> {
    return this.#ask(`read ${after}`, () => this.hub.read(after, limit));
  }

  subscribe(onNews: () => void): () => void {
    const call = (): void => {
      if (!this.#isCutOff()) onNews();
    };
    this.hub.subscribers.set(call, this.#asker);
    return () => void this.hub.subscribers.delete(call);
  }

  snapshot(): Promise<HubSnapshot | null> {
    return this.#ask('snapshot', () => this.hub.content.snapshot);
  }

  putSnapshot(snapshot: HubSnapshot): Promise<void> {
    return this.#ask(`putSnapshot ${snapshot.position}`, () => this.hub.putSnapshot(snapshot));
  }

  trim(upTo: number): Promise<void> {
    return this.#ask(`trim ${upTo}`, () => this.hub.trim(upTo));
  }

  putBlob(name: string, bytes: Uint8Array): Promise<void> {
    return this.#ask('putBlob', () => this.hub.putBlob(name, bytes));
  }

  getBlob(name: string): Promise<Uint8Array | null> {
    return this.#ask('getBlob', () => this.hub.content.blobs.get(name) ?? null);
  }

  hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#ask('hasBlobs', () => new Set(names.filter((name) => this.hub.content.blobs.has(name))));
  }

  collectBlobs(collection: BlobCollection): Promise<number> {
    return this.#ask(`collectBlobs ${collection.position}`, () => this.hub.collectBlobs(collection));
  }
}
