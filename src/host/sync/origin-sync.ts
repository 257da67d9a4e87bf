import type { OperationId } from '../../disk/replica/operation.ts';
import type { Refusal } from '../../disk/replica/model.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { ACKNOWLEDGE } from '../../disk/replica/replica-kinds.ts';
import { encodeAcknowledge } from '../../disk/replica/replica-records.ts';
import { decodeOperation } from '../../disk/map/map-operation.ts';
import type { MapClient } from '../../disk/map/map-client.ts';
import type { MapJournal } from '../../disk/map/map-journal.ts';
import { setImmediate, wallClock } from '../../runtime/timers.ts';
import type { FileConflict } from '../../sync/files/file-conflict.ts';
import { illegalConstructor, internal } from '../../webidl/interface.ts';
import { QuotaExceededError } from '../../webidl/quota-exceeded-error.ts';
import { ContextEventTarget } from '../context-event-target.ts';

export type { FileConflict } from '../../sync/files/file-conflict.ts';

/** How an origin of this root stands to its hub. */
export interface SyncStatus {
  readonly region: string;
  /** The hub's name; empty before anybody has tried to reach it. */
  readonly hub: string;
  /** Whether the process that speaks for the root reached the hub when it last tried. */
  readonly connected: boolean;
  /** Of the last entry of the hub's order that `localStorage` has. */
  readonly position: number;
  /** The same for files; null where they are not synced. */
  readonly filesPosition: number | null;
  /** Writes that no echo has confirmed yet. */
  readonly pending: number;
  /** What they take, roughly, in bytes. */
  readonly pendingBytes: number;
  /** Milliseconds since the root was last known to have everything; 0 while it has, Infinity when it never had. */
  readonly lag: number;
  /** Rejections that nobody has acknowledged. */
  readonly rejected: number;
  /** What keeps it from the hub, or should be looked after; empty when nothing. */
  readonly problem: string;
}

/** A write of this root that the hub's order refused. */
export interface RejectedWrite {
  /** Counts the root's rejections of its origin and area, from 1. */
  readonly serial: number;
  readonly area: 'localStorage' | 'files';
  readonly reason: Refusal;
  /** Where in the hub's order. */
  readonly position: number;
  /** Of `localStorage`; null for `clear()`. */
  readonly key?: string | null | undefined;
  /** What the key was to become; null: it was to go. */
  readonly value?: string | null | undefined;
}

/** For calls that wait. */
export interface WaitOptions {
  /** Ends the wait, which rejects with its reason. What was asked for goes on. */
  readonly signal?: AbortSignal | undefined;
}

/** What keeps the origin in its hub's order, as far as clients ask it for something. */
interface Running {
  readonly files: { watch(): () => void; conflicts(): readonly FileConflict[] } | null;
  flush(signal?: AbortSignal): Promise<void>;
  caughtUp(signal?: AbortSignal): Promise<void>;
  verdict(id: OperationId, signal?: AbortSignal): Promise<'accepted' | Refusal>;
}

/** What an origin's sync is made of. */
export interface OriginSyncParts {
  readonly origin: string;
  readonly region: string;
  readonly map: MapJournal;
  /** For what this object itself writes. */
  readonly writer: MapClient;
  /** Starts it if need be. */
  readonly running: () => Promise<Running>;
  /** The files' journal, once it is there; null where files are not synced. */
  readonly files: () => ReplicaJournal | null;
  /** What this process knows of, beside what the journals say. */
  readonly problems: () => readonly string[];
}

/** What a listener has been told. */
interface Told {
  readonly connected: boolean;
  readonly problem: string;
  readonly serials: readonly number[];
}

/** What an origin's sync dispatches. */
export interface SyncEvents {
  readonly connected: Event;
  readonly disconnected: Event;
  readonly syncproblem: CustomEvent<string>;
  readonly syncrejected: CustomEvent<RejectedWrite>;
  readonly syncconflict: CustomEvent<FileConflict>;
}

/**
 * One origin of a root in the order of its hub: what it has, what it waits for, and waits for the application. All of it
 * works in every process of the root, whichever speaks with the hub. docs/SYNC.md
 *
 * Events: `connected`, `disconnected`; `syncproblem` (a CustomEvent whose detail is what `status().problem` says now);
 * `syncrejected` (a CustomEvent whose detail is a RejectedWrite); `syncconflict`
 * (detail: a FileConflict).
 */
export class OriginSync extends ContextEventTarget<SyncEvents> {
  readonly #parts: OriginSyncParts;
  readonly #journal: ReplicaJournal;
  #told: Told | null = null;
  #stopWatching: (() => void) | null = null;

  /** @internal Use `client.sync`. */
  constructor(token: typeof internal, parts: OriginSyncParts) {
    if (token !== internal) illegalConstructor();
    super();
    this.#parts = parts;
    this.#journal = parts.map.replicaJournal();
  }

  /** How things stand, from what this root knows; asks nobody. */
  status(): SyncStatus {
    const map = this.#journal.current();
    const files = this.#parts.files()?.current() ?? null;
    const both = files === null ? [map] : [map, files];
    return {
      region: this.#parts.region,
      hub: map.link.hub,
      connected: both.every(({ link }) => link.connected),
      position: map.position,
      filesPosition: files?.position ?? null,
      pending: sum(both, ({ pending }) => pending.length),
      pendingBytes: sum(both, ({ pending }) => pending.bytes),
      lag: Math.max(...both.map(lagOf)),
      rejected: sum(both, ({ rejections }) => rejections.size),
      problem: [...new Set([...both.map(({ link }) => link.problem), ...this.#parts.problems()])].filter((problem) => problem !== '').join(' '),
    };
  }

  /**
   * Resolves when every write of this root up to now has come back in the hub's order; those that it refused are in
   * `rejections()`. For as long as the hub is away it waits.
   *
   * @throws HoldfastError hub-unauthorized while the hub refuses this root
   */
  async flush({ signal }: WaitOptions = {}): Promise<void> {
    const running = await this.#parts.running();
    await running.flush(signal);
  }

  /**
   * Asks the hub how far its order goes now, and resolves when this root has come there.
   *
   * @throws HoldfastError hub-unreachable and other `hub-` codes
   */
  async caughtUp({ signal }: WaitOptions = {}): Promise<void> {
    const running = await this.#parts.running();
    await running.caughtUp(signal);
  }

  /**
   * A strong read of `localStorage`: takes a place in the hub's order, waits until this root has come to it, and calls
   * `body` at once: it sees every write of any region that was confirmed before this call.
   *
   * @throws DOMException QuotaExceededError when too many writes wait for the hub; HoldfastError hub-unauthorized,
   * outcome-unknown; what `body` throws
   */
  async read<Result>(body: () => Result, { signal }: WaitOptions = {}): Promise<Awaited<Result>> {
    const { map, writer } = this.#parts;
    const running = await this.#parts.running();
    await running.verdict(this.#submitted(map.barrier(writer)), signal);
    return await body();
  }

  /**
   * Sets a key to `value` (null: removes it) if, at this write's place in the hub's order, it is `expected` (null: there
   * is none). Resolves when that is decided: true if so. Of any number of regions that ask the same one gets true.
   *
   * @throws DOMException QuotaExceededError when it does not fit, there or here; HoldfastError `outcome-unknown` when it
   * cannot be told any more what was decided: it is never said to have been set because nothing is known against it
   */
  async compareAndSet(key: string, expected: string | null, value: string | null, { signal }: WaitOptions = {}): Promise<boolean> {
    const { map, writer } = this.#parts;
    const running = await this.#parts.running();
    const id = this.#submitted(map.compareAndSet(writer, { key: String(key), expected, value }));
    const verdict = await running.verdict(id, signal);
    if (verdict === 'quota') throw new QuotaExceededError(`compareAndSet(): the value does not fit the quota of ${this.#parts.origin} any more.`);
    return verdict === 'accepted';
  }

  #submitted(submission: ReturnType<MapJournal['barrier']>): OperationId {
    if (submission.accepted) return submission.id;
    const { quota, requested } = submission;
    throw new QuotaExceededError(`Too many writes of ${this.#parts.origin} wait for its hub, or were refused and not acknowledged.`, { quota, requested });
  }

  /** The writes of this root that the order refused, the oldest first; kept on disk until they are acknowledged. */
  rejections(): RejectedWrite[] {
    return this.#rejectionsSince([]);
  }

  #mapRejection({ serial, reason, position, operation }: Replica['rejections']['items'][number]): RejectedWrite {
    const asked = decodeOperation(operation, `${this.#parts.origin}/`);
    const { key, value } = asked.asks === 'change' ? asked : { key: null, value: null };
    return { area: 'localStorage', serial, reason, position, key, value };
  }

  /** Forgets a rejection and the older ones of its area, for all processes of the root. */
  acknowledge({ area, serial }: Pick<RejectedWrite, 'area' | 'serial'>): void {
    const journal = area === 'files' ? this.#parts.files() : this.#journal;
    journal?.append(ACKNOWLEDGE, encodeAcknowledge(serial));
  }

  /** The versions of files that lost against one whose writer had not seen them; the same in every region. */
  async conflicts(): Promise<readonly FileConflict[]> {
    const { files } = await this.#parts.running();
    return files?.conflicts() ?? [];
  }

  /** @internal */
  announceConflict(conflict: FileConflict): void {
    this.dispatchEvent(new CustomEvent('syncconflict', { detail: conflict }));
  }

  /** @internal Something keeps this process from the hub. */
  announceProblem(): void {
    if (this.#told !== null) this.#tell();
  }

  /** @internal */
  end(): void {
    this.removeAllListeners();
    this.#watch(false);
  }

  protected override listenersChanged(): void {
    this.#watch(this.hasListeners);
  }

  /** While nobody listens nothing is watched. */
  #watch(isWanted: boolean): void {
    if (isWanted === (this.#stopWatching !== null)) return;
    this.#stopWatching?.();
    this.#stopWatching = null;
    if (!isWanted) return;
    // What is wrong already is news to whoever begins to listen.
    this.#told = { ...this.#news(), problem: '' };
    setImmediate(() => this.#tell());
    const ends = [this.#journal.watch(() => this.#tell())];
    this.#stopWatching = () => {
      for (const end of ends.splice(0)) end();
    };
    void this.#watchFiles(ends);
  }

  /** `ends` is empty again once nobody listens. */
  async #watchFiles(ends: (() => void)[]): Promise<void> {
    try {
      const { files } = await this.#parts.running();
      if (ends.length > 0 && files !== null) ends.push(files.watch());
    } catch {
      // The next use tries again to start, and its caller hears why it cannot.
    }
  }

  #news(): Told {
    const replicas = [this.#journal.current(), this.#parts.files()?.current()];
    const { connected, problem } = this.status();
    return {
      connected,
      problem,
      serials: replicas.map((replica) => replica?.rejections.serial ?? 0),
    };
  }

  #tell(): void {
    const before = this.#told;
    const now = this.#news();
    this.#told = now;
    if (before === null) return;
    if (before.connected !== now.connected) this.dispatchEvent(new Event(now.connected ? 'connected' : 'disconnected'));
    if (before.problem !== now.problem && now.problem !== '') this.dispatchEvent(new CustomEvent('syncproblem', { detail: now.problem }));
    for (const rejection of this.#rejectionsSince(before.serials)) this.dispatchEvent(new CustomEvent('syncrejected', { detail: rejection }));
  }

  /** There may be very many: nobody walks over those that were told of. */
  #rejectionsSince([map = 0, files = 0]: readonly number[]): RejectedWrite[] {
    const ofFiles = this.#parts.files()?.current().rejections.after(files) ?? [];
    return [
      ...Array.from(this.#journal.current().rejections.after(map), (each) => this.#mapRejection(each)),
      ...Array.from(ofFiles, ({ serial, reason, position }) => ({ area: 'files', serial, reason, position }) as const),
    ];
  }
}

function sum(replicas: readonly Replica[], of: (replica: Replica) => number): number {
  return replicas.reduce((total, replica) => total + of(replica), 0);
}

function lagOf({ link, position }: Replica): number {
  if (link.connected && position >= link.head) return 0;
  return link.time === 0 ? Infinity : Math.max(0, wallClock() - link.time);
}
