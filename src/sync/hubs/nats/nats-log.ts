import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { randomUuid } from '../../../runtime/random.ts';
import type { BlobCollection, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry, Unsubscribe } from '../../hub.ts';
import type { AppendQueues } from '../append-queue.ts';
import { requireIds, requirePosition } from '../log-arguments.ts';
import { Blobs, MAX_BLOB_BYTES } from './blobs.ts';
import { Chain, extendChain, type Link, type Tip } from './chain.ts';
import type { Courtesy } from './courtesy.ts';
import { Whereabouts, type LogNames } from './epoch.ts';
import { encodeBatch, encodeObject, MAX_BATCH_BYTES, MAX_ENTRIES, OVERHEAD_BYTES, overflows } from './message.ts';
import type { News } from './news.ts';
import { deleteObject, putObject } from './objects.ts';
import { readEntries, type Cursor } from './reading.ts';
import type { Session } from './session.ts';
import type { Sessions } from './sessions.ts';
import { getSnapshot, MAX_SNAPSHOT_BYTES, putSnapshot, snapshotPosition, type SnapshotPlace } from './snapshots.ts';
import { findSequence, messagesIn, nextMessage } from './subject.ts';

/** What a hub knows of one log while it uses it. */
export class LogMemory {
  readonly whereabouts: Whereabouts;
  readonly chain: Chain;
  cursor: Cursor | null = null;

  constructor(names: LogNames) {
    this.whereabouts = new Whereabouts(names);
    this.chain = new Chain(this.whereabouts);
  }
}

/** What the logs of one hub share. */
export interface NatsEngine {
  readonly name: string;
  readonly sessions: Sessions;
  readonly news: News;
  readonly queues: AppendQueues;
  readonly courtesy: Courtesy;
  memory(key: string, names: LogNames): LogMemory;
}

/** A log in a stream. */
export class NatsLog implements HubLog {
  readonly #engine: NatsEngine;
  readonly #key: string;
  readonly #names: LogNames;
  readonly #blobs: Blobs;

  constructor(engine: NatsEngine, key: string, names: LogNames) {
    this.#blobs = new Blobs(key);
    this.#engine = engine;
    this.#key = key;
    this.#names = names;
  }

  head(): Promise<LogHead> {
    return this.#perform('ask for the head of', async (session) => {
      const { epoch, subject, last } = await this.#memory().whereabouts.find(session);
      const oldest = (await nextMessage(session, subject, 1)) ?? last;
      // Somebody else may have removed messages.
      const first = Math.max(last.state.trimmed, oldest.state.position - oldest.state.count) + 1;
      return { epoch, position: last.state.position, first };
    });
  }

  append(entries: readonly NewEntry[], blobs: readonly string[] = []): Promise<number> {
    return this.#perform('append to', async (session) => {
      requireIds(entries);
      for (const { id, bytes } of entries) this.#requireSize(`The entry '${id}'`, bytes, session.maxPayload - OVERHEAD_BYTES);
      this.#requireBatch(entries);
      if (entries.length === 0) return (await this.#memory().whereabouts.find(session)).last.state.position;
      return this.#engine.queues.append(this.#key, entries, blobs, (group, named) => this.#write(group, named));
    });
  }

  read(after: number, limit: number): Promise<readonly HubEntry[]> {
    return this.#perform('read', async (session) => {
      requirePosition(after);
      const { last, ...place } = await this.#memory().whereabouts.find(session);
      if (after >= last.state.position) return [];
      if (after < last.state.trimmed) throw this.#trimmed(after);
      const memory = this.#memory();
      const { entries, cursor } = await readEntries(session, { place, last, cursor: memory.cursor, after, limit });
      if (entries.length === 0) throw this.#trimmed(after);
      memory.cursor = cursor;
      return entries;
    });
  }

  subscribe(onNews: () => void): Unsubscribe {
    return this.#engine.news.subscribe(this.#key, onNews);
  }

  snapshot(): Promise<HubSnapshot | null> {
    return this.#perform('get the snapshot of', async (session) => getSnapshot(session, await this.#snapshotPlace(session)));
  }

  putSnapshot(snapshot: HubSnapshot): Promise<void> {
    return this.#perform('put a snapshot of', async (session) => {
      requirePosition(snapshot.position);
      this.#requireSize('The snapshot', snapshot.bytes, MAX_SNAPSHOT_BYTES);
      const place = await this.#snapshotPlace(session);
      if (snapshot.position > place.head) {
        throw new HoldfastError('hub-damaged', `The log ${this.#names.label} of the hub ${this.#engine.name} ends at ${place.head}; it takes no snapshot at ${snapshot.position}.`);
      }
      await putSnapshot(session, place, snapshot);
    });
  }

  trim(upTo: number): Promise<void> {
    return this.#perform('trim', async (session) => {
      requirePosition(upTo);
      const { subject } = await this.#memory().whereabouts.find(session);
      const most = Math.min(upTo, await snapshotPosition(session, await this.#snapshotPlace(session)));
      await this.#markTrimmed(session, most);
      await this.#removeTrimmed(session, subject);
    });
  }

  putBlob(name: string, bytes: Uint8Array): Promise<void> {
    return this.#perform('put a blob of', async (session) => {
      this.#requireSize(`The blob ${name}`, bytes, MAX_BLOB_BYTES);
      await this.#blobs.put(session, name, bytes);
    });
  }

  getBlob(name: string): Promise<Uint8Array | null> {
    return this.#perform('get a blob of', (session) => this.#blobs.get(session, name));
  }

  hasBlobs(names: readonly string[]): Promise<ReadonlySet<string>> {
    return this.#perform('look for blobs of', (session) => this.#blobs.among(session, names));
  }

  collectBlobs(collection: BlobCollection): Promise<number> {
    return this.#perform('collect blobs of', async (session) => {
      for (const number of [collection.first, collection.position, collection.unusedFor]) requirePosition(number);
      return await this.#blobs.collect(session, collection, () => this.#mark(session, collection));
    });
  }

  /** Adds a message without entries; null when this log is not as far as the collector knows it. */
  async #mark(session: Session, { epoch, first, position }: BlobCollection): Promise<Tip | null> {
    const { chain } = this.#memory();
    const kept = first > 1 ? await snapshotPosition(session, await this.#snapshotPlace(session)) : position;
    let isKnown = false;
    const next = ({ place, state }: Tip): Link | null => {
      isKnown = place.epoch === epoch && state.position >= position && state.trimmed + 1 >= first && kept >= position;
      return isKnown ? { state: { ...state, count: 0 }, ids: [] } : null;
    };
    await chain.catchUp(session);
    const tip = await extendChain(session, { chain, courtesy: this.#engine.courtesy, key: this.#key, next });
    return isKnown ? tip : null;
  }

  /** Appends what is not there yet, as far as it is known, in one message. */
  #write(entries: readonly NewEntry[], blobs: readonly string[]): Promise<number> {
    return this.#perform('append to', async (session) => {
      const { chain } = this.#memory();
      let object: string | undefined;
      const next = async (tip: Tip) => {
        // Others may have appended some of them meanwhile.
        if (object !== undefined) await deleteObject(session, object);
        object = undefined;
        // After the tip was read, and again after any other: a removal may have come between.
        await this.#blobs.name(session, blobs, tip.state.position + entries.length);
        const link = await this.#link(session, chain, tip, entries);
        object = link?.object;
        return link;
      };
      const tip = await extendChain(session, { chain, courtesy: this.#engine.courtesy, key: this.#key, next });
      return tip.state.position;
    });
  }

  async #link(session: Session, chain: Chain, tip: Tip, entries: readonly NewEntry[]): Promise<Link | null> {
    const seen = new Set<string>();
    const fresh = entries.filter(({ id }) => !chain.has(id) && !seen.has(id) && seen.add(id));
    if (fresh.length === 0) return null;
    const { position, trimmed } = tip.state;
    const state = { position: position + fresh.length, count: fresh.length, trimmed };
    const ids = fresh.map(({ id }) => id);
    const batch = encodeBatch(fresh);
    if (!overflows(batch, session.maxPayload)) return { state, ids, idsHeader: batch.ids, body: batch.body };
    const object = `${this.#key}/batch/${randomUuid()}`;
    await putObject(session, object, encodeObject(batch));
    return { state, ids, object };
  }

  async #markTrimmed(session: Session, upTo: number): Promise<void> {
    const { chain } = this.#memory();
    await chain.catchUp(session);
    const next = ({ state: { position, trimmed } }: Tip) => {
      const target = Math.min(upTo, position);
      return target <= trimmed ? null : { state: { position, count: 0, trimmed: target }, ids: [] };
    };
    await extendChain(session, { chain, courtesy: this.#engine.courtesy, key: this.#key, next });
  }

  /** Removes the messages whose entries are all forgotten, but never the last one. */
  async #removeTrimmed(session: Session, subject: string): Promise<void> {
    const { last } = await this.#memory().whereabouts.find(session);
    const oldest = await nextMessage(session, subject, 1);
    if (oldest === null || oldest.state.position > last.state.trimmed || oldest.sequence === last.sequence) return;
    const end = await findSequence(session, subject, last.state.trimmed, last.sequence);
    const range = { from: oldest.sequence, last: end, headersOnly: true, few: false };
    for await (const { sequence, object } of messagesIn(session, subject, range)) {
      if (sequence < end && object !== null) await deleteObject(session, object);
    }
    await session.manager.streams.purge(session.prepared.config.name, { filter: subject, seq: end });
  }

  async #snapshotPlace(session: Session): Promise<SnapshotPlace> {
    const { epoch, last } = await this.#memory().whereabouts.find(session);
    return { subject: this.#names.subjects.snapshot(epoch), folder: this.#key, head: last.state.position };
  }

  #memory(): LogMemory {
    return this.#engine.memory(this.#key, this.#names);
  }

  #perform<T>(doing: string, work: (session: Session) => Promise<T>): Promise<T> {
    return this.#engine.sessions.perform(`${doing} the log ${this.#names.label}`, work);
  }

  #trimmed(after: number): HoldfastError {
    return new HoldfastError('hub-trimmed', `The hub ${this.#engine.name} has no entry ${after + 1} of the log ${this.#names.label} any more.`);
  }

  #requireBatch(entries: readonly NewEntry[]): void {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes.length, 0);
    if (entries.length <= MAX_ENTRIES && bytes <= MAX_BATCH_BYTES) return;
    throw new HoldfastError('hub-too-large', `A batch of ${entries.length} entries and ${bytes} bytes is larger than the hub ${this.#engine.name} takes.`);
  }

  #requireSize(what: string, bytes: Uint8Array, most: number): void {
    if (bytes.length <= most) return;
    throw new HoldfastError('hub-too-large', `${what} has ${bytes.length} bytes; the hub ${this.#engine.name} takes up to ${most}.`);
  }
}
