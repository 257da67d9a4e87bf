import { HoldfastError } from '../runtime/holdfast-error.ts';
import type { Connection } from './connection.ts';
import type { Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead } from './hub.ts';
import { blobDigest } from './replicator/digest.ts';
import type { NamesBlobs } from './replicator/digest.ts';

/** A log as it was once. */
export interface PastLog {
  /** The log as it is now. */
  readonly log: HubLog;
  /** The last position that it had. */
  readonly last: number;
}

/**
 * A hub as it was when its logs ended earlier: a replica that follows it comes to that place and no further. Nothing is
 * written to the hub behind it: appends are refused, and what would be put there goes nowhere. What else fails
 * is known at once (`failed`), for replicas try again for as long as they live.
 */
export class PastHub implements Hub {
  /** Rejects with what went wrong first: the hub did not answer, or had forgotten something. */
  readonly failed: Promise<never>;
  /** Blobs that were asked for, and that the hub does not have. */
  readonly missing = new Set<string>();
  readonly #hub: Connection;
  readonly #logs: ReadonlyMap<string, PastLog>;
  readonly #known: ReadonlySet<string>;
  #fail: (error: unknown) => void = () => undefined;

  /** What a past hub shows is plain, and nothing is given to the hub behind it: nobody has to encrypt for it. */
  static isOne(hub: Hub): boolean {
    return #logs in hub;
  }

  /**
   * `hub`: as its caller sees it, who has opened what is encrypted there. `logs`: by the names under which they are asked
   * for. `known`: names of blobs that are called so, whatever the hub would call them now. Closing it leaves `hub` open.
   */
  constructor(hub: Connection, logs: ReadonlyMap<string, PastLog>, known: ReadonlySet<string>) {
    this.#hub = hub;
    this.#logs = logs;
    this.#known = known;
    this.failed = new Promise<never>((_resolve, reject) => (this.#fail = reject));
    this.failed.catch(() => undefined);
  }

  get name(): string {
    return this.#hub.name;
  }

  connect(): Promise<HubCapabilities> {
    return this.#told(this.#hub.connect());
  }

  log(name: string): HubLog {
    const past = this.#logs.get(name);
    if (past === undefined) throw new HoldfastError('hub-incompatible', `Nothing is known of what the log '${name}' was.`);
    return this.#past(past);
  }

  async close(): Promise<void> {
    // It is its caller's.
  }

  #past({ log, last }: PastLog): HubLog & NamesBlobs {
    return {
      head: async () => headAt(await this.#told(log.head()), last),
      append: () => Promise.reject(new HoldfastError('hub-unreachable', 'Nothing can be added to what a hub was.')),
      read: async (after, limit) => (after >= last ? [] : until(await this.#told(log.read(after, limit)), last)),
      subscribe: () => () => undefined,
      snapshot: async () => snapshotAt(await this.#told(log.snapshot()), last),
      putSnapshot: async () => undefined,
      trim: async () => undefined,
      putBlob: async () => undefined,
      getBlob: (name) => this.#blob(log, name),
      hasBlobs: (names) => this.#told(log.hasBlobs(names)),
      collectBlobs: async () => 0,
      blobDigest: (bytes) => blobDigest(log, bytes, (name) => this.#known.has(name)),
    };
  }

  async #blob(log: HubLog, name: string): Promise<Uint8Array | null> {
    const bytes = await this.#told(log.getBlob(name));
    if (bytes === null) this.missing.add(name);
    return bytes;
  }

  async #told<T>(answer: Promise<T>): Promise<T> {
    try {
      return await answer;
    } catch (error) {
      this.#fail(error);
      throw error;
    }
  }
}

function headAt({ epoch, position, first }: LogHead, last: number): LogHead {
  const at = Math.min(position, last);
  return { epoch, position: at, first: Math.min(first, at + 1) };
}

function until(entries: readonly HubEntry[], last: number): readonly HubEntry[] {
  return entries.filter(({ position }) => position <= last);
}

function snapshotAt(snapshot: HubSnapshot | null, last: number): HubSnapshot | null {
  return snapshot !== null && snapshot.position <= last ? snapshot : null;
}
