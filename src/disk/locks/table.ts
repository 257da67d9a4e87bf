import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ThreadIdentity } from '../../runtime/identity.ts';
import type { Locator } from '../locator.ts';
import type { BucketPlace } from '../place.ts';
import { GrantedWebLock, HeldFileLock, type Holding } from './holding.ts';
import {
  LockedError,
  type FileChange,
  type FileLock,
  type FileLockTable,
  type HeldWebLock,
  type Intent,
  type LockClass,
  type OperationResult,
  type PendingWebLock,
  type WebLockInfo,
  type WebLockRequest,
  type WebLockTable,
} from './lock-table.ts';
import type { LockMachine } from './machine.ts';
import { MemoryLog } from './memory-log.ts';
import { Participant, type LockLog } from './participant.ts';
import { encodeFinish, encodeId, encodeLocator, encodeLock, encodeOperate, encodeRequest, encodeText, kinds } from './records.ts';

export interface LockTableOptions {
  /** In place of the lock journal of the bucket. */
  readonly log?: (machine: LockMachine) => LockLog;
  readonly identity?: ThreadIdentity;
}

type Listener = { readonly onChange: (change: FileChange) => void; readonly onGap: () => void };

/**
 * The locks of one bucket as one realm sees them: file locks, operations on names, and Web Locks.
 *
 * Each acquisition and each release is one record in the bucket's lock journal.
 */
export class LockTable implements FileLockTable, WebLockTable {
  readonly #participant: Participant;
  readonly #listeners = new Set<Listener>();

  constructor(place: BucketPlace, options: LockTableOptions = {}) {
    const identity = options.identity ?? { boot: '', namespace: '', pid: 0, tid: 0, start: 0 };
    this.#participant = new Participant(place, identity, options.log ?? ((machine) => new MemoryLog([], machine)));
  }

  async lockFile(locator: Locator, lockClass: LockClass): Promise<FileLock | null> {
    const fields = { locator, lockClass };
    if (this.#isRefused(() => this.#participant.machine.lockRefusal(fields) !== null)) return null;
    const holding = this.#participant.claim(kinds.lock, () => encodeLock(fields));
    if (holding.state === 'waiting') await holding.decision();
    return holding.state === 'refused' ? null : new HeldFileLock(holding, this.#release);
  }

  async operate<T>(intent: Intent, body: () => OperationResult<T> | Promise<OperationResult<T>>, own?: FileLock): Promise<T> {
    const fields = { intent, own: this.#ownClaim(own) };
    if (this.#isRefused(() => this.#operationRefusal(fields) !== null)) throw this.#locked(fields);
    const holding = this.#participant.claim(kinds.operate, () => encodeOperate(fields));
    if (holding.state === 'waiting') await holding.decision();
    if (holding.state === 'refused') throw this.#locked(fields);
    return await this.#run(holding, body);
  }

  subscribe(onChange: (change: FileChange) => void, onGap: () => void): () => void {
    const participant = this.#participant;
    participant.join();
    participant.look();
    const listener = { onChange, onGap };
    this.#listeners.add(listener);
    participant.onChange = (change) => this.#listeners.forEach((each) => each.onChange(change));
    participant.onGap = () => this.#listeners.forEach((each) => each.onGap());
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      participant.onChange = null;
      participant.onGap = null;
    };
  }

  changed(locator: Locator): void {
    this.#participant.tell(kinds.changed, () => encodeLocator(locator));
  }

  epoch(): number {
    this.#participant.assertNotLost();
    this.#participant.look();
    this.#participant.assertNotLost();
    return this.#participant.machine.epoch;
  }

  request(request: WebLockRequest): PendingWebLock {
    const participant = this.#participant;
    const { name, mode } = request;
    if (request.ifAvailable && this.#isRefused(() => participant.machine.webObstacles(name, mode).length > 0)) {
      return { granted: Promise.resolve(null), abort: () => false };
    }
    const holding = participant.claim(kinds.request, () => encodeRequest(request));
    return {
      granted: this.#granted(holding),
      abort: () => holding.state === 'waiting' && participant.end(holding, kinds.abort, encodeId(holding.id)),
    };
  }

  query(): { held: WebLockInfo[]; pending: WebLockInfo[] } {
    this.#participant.look();
    return this.#participant.machine.query();
  }

  endClient(clientId: string): void {
    if (this.#participant.session === 0) return;
    this.#participant.tell(kinds.endClient, () => encodeText(clientId));
    this.#participant.dropEnded();
  }

  /** Ends the session: releases everything, rejects what waits. */
  close(): void {
    this.#participant.close();
  }

  readonly #release = (holding: Holding): void => this.#participant.release(holding);

  async #granted(holding: Holding): Promise<HeldWebLock | null> {
    const held = await holding.decision();
    return held || holding.state === 'lost' ? new GrantedWebLock(holding, this.#release) : null;
  }

  async #run<T>(holding: Holding, body: () => OperationResult<T> | Promise<OperationResult<T>>): Promise<T> {
    let changed = false;
    holding.running = true;
    try {
      const given = body();
      const result = given instanceof Promise ? await given : given;
      changed = result.changed;
      return result.value;
    } finally {
      holding.running = false;
      this.#participant.bodyEnded(holding);
      this.#participant.end(holding, kinds.finish, encodeFinish(holding.id, changed));
    }
  }

  /** Whether the table refuses: by what is known already, or else after a look at the news. */
  #isRefused(refuses: () => boolean): boolean {
    return refuses() && this.#participant.look() && refuses();
  }

  #operationRefusal(fields: { intent: Intent; own: number }): Locator | null {
    return this.#participant.machine.operationRefusal(this.#participant.session, fields)?.locator ?? null;
  }

  #locked(fields: { intent: Intent; own: number }): LockedError {
    return new LockedError(this.#operationRefusal(fields) ?? fields.intent.source);
  }

  #ownClaim(own: FileLock | undefined): number {
    if (own === undefined) return 0;
    if (!(own instanceof HeldFileLock) || own.lost) throw new HoldfastError('session-lost', 'The lock that the operation relies on was taken away');
    return own.holding.id;
  }
}
