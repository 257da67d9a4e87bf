import type { Model } from '../../disk/replica/model.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubEntry, HubLog } from '../hub.ts';
import { hex, isSameDigest, sha256 } from './digest.ts';
import { ANSWER_MS } from './follower.ts';
import type { Line } from './line.ts';
import type { Surroundings } from './surroundings.ts';
import { unpack } from './unpacking.ts';
import type { UnpackingOptions } from './unpacking.ts';
import { decodeWire } from './wire.ts';
import type { WireOperation } from './wire.ts';

/** What the content of a log names, beside the blobs that its entries are put together from. */
export interface References {
  /** Names of the blobs that a state names. */
  ofModel(model: Model): Iterable<string>;
  ofOperation(operation: Operation): Iterable<string>;
}

/** How often blobs are collected, and which of them. */
export interface CollectionPolicy {
  /** Milliseconds between two collections of one replicator, at least. */
  readonly every: number;
  /**
   * Milliseconds that a blob must have lain unused. No entry, snapshot or conflict depends on it; but what waits in a
   * region that is cut off may be in the hub only, and a region that comes back shows for a moment what it knew before.
   */
  readonly unusedFor: number;
}

export const COLLECTION_POLICY: CollectionPolicy = { every: 6 * 3_600_000, unusedFor: 7 * 86_400_000 };

/** A removal goes through all blobs of a log. */
const COLLECT_ANSWER_MS = 300_000;

/** Entries that are read at once. */
const PAGE = 1000;

export interface CollectorOptions {
  readonly log: HubLog;
  readonly line: Line;
  readonly journal: ReplicaJournal;
  readonly surroundings: Pick<Surroundings, 'now'>;
  readonly references: References | null;
  readonly unpacking: UnpackingOptions;
  readonly policy: CollectionPolicy;
}

/** A place of this replica, and all that its state there names. */
export interface Known {
  readonly epoch: string;
  readonly position: number;
  readonly digest: Uint8Array;
  readonly named: Set<string>;
}

/**
 * Has the hub remove the blobs that nothing names: neither the snapshot that this replica has just made, with its
 * conflicts, nor what was pending here, nor any entry that the hub keeps up to the snapshot. Of later entries the hub
 * knows itself which blobs their appends have named; and a later snapshot can only be made of these. An entry that
 * only newer code understands may name anything: while there is one, nothing is removed.
 */
export class Collector {
  readonly #options: CollectorOptions;
  #last: number | null = null;

  constructor(options: CollectorOptions) {
    this.#options = options;
  }

  /** What is known at this moment, when a snapshot is made of it; null when it is not yet time to collect again. */
  look(): Known | null {
    const { journal, surroundings, policy, references } = this.#options;
    const now = surroundings.now();
    if (this.#last !== null && Math.abs(now - this.#last) < policy.every) return null;
    this.#last = now;
    const { epoch, position, digest, model, pending } = journal.current();
    const named = new Set(references?.ofModel(model));
    for (const { operation } of pending) for (const name of references?.ofOperation(operation) ?? []) named.add(name);
    return { epoch, position, digest, named };
  }

  /** To be called when the hub has the snapshot and was trimmed. @throws HoldfastError, as hubs do */
  async collect({ epoch, position, digest, named }: Known): Promise<void> {
    const { log, line, policy } = this.#options;
    const head = await line.ask('for its head', ANSWER_MS, () => log.head());
    const { first } = head;
    if (head.epoch !== epoch || first > position) return;
    const last = await this.#addEntries(named, first, position);
    // Another history may have come to the same place.
    if (last === null || !isSameDigest(sha256(last.bytes), digest)) return;
    const collection = { epoch, first, position, unusedFor: policy.unusedFor, isNamed: (name: string) => named.has(name) };
    await line.ask('to collect blobs', COLLECT_ANSWER_MS, () => log.collectBlobs(collection));
  }

  /** Adds what the entries of a range name; gives the last one. */
  async #addEntries(named: Set<string>, first: number, end: number): Promise<HubEntry | null> {
    const { log, line } = this.#options;
    let last: HubEntry | null = null;
    for (let next = first; next <= end; ) {
      const entries = await line.ask('for entries', ANSWER_MS, () => log.read(next - 1, Math.min(PAGE, end - next + 1)));
      if (entries.length === 0) throw new HoldfastError('hub-unreachable', `The hub gives no entry after ${next - 1}.`);
      for (const entry of entries) {
        for (const name of await this.#namedBy(entry)) named.add(name);
        last = entry;
      }
      next += entries.length;
    }
    return last;
  }

  async #namedBy(entry: HubEntry): Promise<string[]> {
    const { references, unpacking } = this.#options;
    const operations = operationsOf(entry);
    const names = operations.flatMap(({ blobs }) => blobs ?? []).map(({ digest }) => hex(digest));
    if (references === null || operations.length === 0) return names;
    // What it says is of no interest here, but what it names.
    const { batch } = await unpack(entry, { ...unpacking, check: () => undefined });
    return [...names, ...batch.operations.flatMap((operation) => [...references.ofOperation(operation)])];
  }
}

/** None of an entry that makes no sense to anybody. @throws HoldfastError hub-incompatible for an entry of newer code */
function operationsOf({ bytes }: HubEntry): readonly WireOperation[] {
  try {
    return decodeWire(bytes).operations;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-damaged') return [];
    throw error;
  }
}
