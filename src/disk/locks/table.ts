import path from 'node:path';
import { isThenable } from '../../runtime/brands.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { threadIdentity, threadLife } from '../../runtime/identity.ts';
import { nextTurn } from '../../runtime/timers.ts';
import { lockfileSection } from '../journal/lockfile.ts';
import type { Locator } from '../locator.ts';
import { type NameScript, plainScript } from '../names/script.ts';
import type { BucketPlace } from '../place.ts';
import { Bell } from './bell.ts';
import { ChangeFeed } from './change-feed.ts';
import type { Claim, FileLockClaim, WebClaim } from './claims.ts';
import { Fence } from './fence.ts';
import { HeldFileLock, WebLockTurn, type Holding } from './holding.ts';
import { sessionLost } from './holdings.ts';
import { removeLease, touchLease } from './lease.ts';
import { Liveness } from './liveness.ts';
import {
  LockedError,
  type FileChange,
  type FileLock,
  type FileLockTable,
  type Intent,
  type LockClass,
  type OperationResult,
  type PendingWebLock,
  type WebLockMode,
  type WebLockParties,
  type WebLockParty,
  type WebLockRequest,
  type WebLockState,
  type WebLockTable,
} from './lock-table.ts';
import { OpenLog } from './open-log.ts';
import { Participant } from './participant.ts';
import { PatientLook } from './patient-look.ts';
import {
  encodeFinish,
  encodeId,
  encodeLocator,
  encodeLock,
  encodeOperate,
  encodeRequest,
  encodeText,
  kinds,
} from './records.ts';
import type { LockTableOptions } from './table-options.ts';
import { Vigil } from './vigil.ts';

export type { LockTableOptions };

/** How often a session that waits looks at the journal and at the life of those before it, in milliseconds. */
const LOOK_MS = 1000;

const LEASE_MS = 30_000;

/** A lease is touched this often within its length. */
const TOUCHES_PER_LEASE = 6;

/** After these the journal cannot be read any more. */
const FATAL = new Set(['journal-damaged', 'unknown-record', 'root-newer', 'closed']);

type Body<T> = () => OperationResult<T> | Promise<OperationResult<T>>;

/**
 * The locks of one bucket as one realm sees them: file locks, operations on names, and Web Locks.
 *
 * Each acquisition and each release is one record in the bucket's lock journal, whose order decides. A lock lasts until
 * it is released, or its realm's thread ends; then whoever wants it next finds out. Methods throw or reject with
 * HoldfastError where the disk fails (`disk-full`, `disk-failed`, `root-read-only`, …), after {@link close} (`closed`), and
 * with `session-lost` for whatever relied on locks that were taken away.
 */
export class LockTable implements FileLockTable, WebLockTable, WebLockParties {
  readonly #participant: Participant;
  readonly #fence: Fence;
  readonly #liveness: Liveness;
  readonly #vigil: Vigil;
  readonly #feed: ChangeFeed;
  readonly #bell: Bell;
  readonly #bucket: string;
  readonly #patientLook = new PatientLook(() => this.#tryLater(() => this.#participant.lookSome()) === true);
  #running = 0;
  #isRead: Promise<void> | undefined;
  #closing: { readonly promise: Promise<void>; readonly finish: () => void } | null = null;

  /** Does no I/O. */
  constructor(place: BucketPlace, options: LockTableOptions = {}) {
    const bucket = place.path;
    const journal = path.join(bucket, 'locks');
    const { durability = 'relaxed', foldsNames = () => false, leaseMs = LEASE_MS, detach = (body) => body() } = options;
    const { onCompaction, keenMs = 0, hasFiles = true } = options;
    const createLog =
      options.log ??
      ((machine) =>
        new OpenLog(journal, machine, {
          durability,
          space: place.space,
          encryption: place.encryption?.journal('locks'),
          vital: () => true,
          ...(onCompaction && { onCompaction }),
          ...lockfileSection(journal, options.shared),
          onReplaced: () => this.#participant.replaced(),
        }));
    this.#bucket = bucket;
    this.#participant = new Participant(place, options.identity ?? threadIdentity(), createLog, {
      changed: (change) => this.#feed.changed(change),
      gap: () => this.#feed.gap(),
      wake: (folders) => folders.forEach((folder) => Bell.ring(bucket, folder)),
      stirred: () => this.#vigil.update(),
      queued: () => this.#vigil.expect(),
      replaced: () => this.#replaced(),
    });
    const names = options.names ?? ((visible: NameScript) => place.encryption?.sealing.names(visible) ?? visible);
    this.#fence = new Fence(this.#participant, { bucket, script: () => names(plainScript(foldsNames())), hasFiles });
    const probe = options.probe ?? threadLife;
    const lookMs = Math.min(LOOK_MS, leaseMs / TOUCHES_PER_LEASE);
    this.#liveness = new Liveness(this.#participant, this.#fence, { bucket, probe, leaseMs, lookMs });
    this.#feed = new ChangeFeed({ directory: journal, look: () => this.#patientLook.look(), lookMs, detach });
    this.#bell = new Bell(bucket, this.#participant.folder, () => this.#patientLook.look(), detach);
    this.#vigil = new Vigil(this.#bell, this.#duties(), { lookMs, touchMs: leaseMs / TOUCHES_PER_LEASE, keenMs, detach });
  }

  /** The name of this realm's own directory in `swap/`. */
  get folder(): string {
    return this.#participant.folder;
  }

  /** Whether nothing is held, waited for or listened to. */
  get isIdle(): boolean {
    return !this.#participant.isBusy && !this.#feed.hasListeners && this.#running === 0;
  }

  /**
   * Resolves when what the journal had at the first call was read, in as many turns of the event loop as that took: for
   * whoever asks for something next, so that thousands of claims of others keep nobody's turn. Never rejects: what is
   * asked for then meets the error. All who await it go on in the order in which they asked.
   */
  get isRead(): Promise<void> {
    return (this.#isRead ??= this.#readInParts());
  }

  async #readInParts(): Promise<void> {
    try {
      while (this.#participant.lookSome()) await nextTurn();
    } catch {
      // What is asked for next reads again, and has somebody to tell.
    }
  }

  async lockFile(locator: Locator, lockClass: LockClass): Promise<FileLock | null> {
    const fields = { locator, lockClass };
    const obstacle = (): Claim | null => this.#participant.machine.lockRefusal(fields);
    while (!this.#isRefused(obstacle)) {
      const holding = this.#participant.claim(kinds.lock, () => encodeLock(fields));
      if (holding.state === 'waiting') await holding.decision();
      if (holding.state !== 'refused') return new HeldFileLock(holding, this.#release);
    }
    return null;
  }

  async operate<T>(intent: Intent, body: Body<T>, own?: FileLock): Promise<T> {
    const fields = { intent, own: ownClaim(own) };
    const obstacle = (): FileLockClaim | null => this.#participant.machine.operationRefusal(this.#participant.session, fields);
    while (!this.#isRefused(obstacle)) {
      const holding = this.#participant.claim(kinds.operate, () => encodeOperate(fields));
      if (holding.state === 'waiting') await holding.decision();
      if (holding.state === 'refused') continue;
      // A new session was granted what the old one, and `own` with it, has lost.
      if (own?.lost === true) {
        this.#finish(holding, false);
        throw sessionLost();
      }
      return await this.#run(holding, body);
    }
    throw new LockedError(obstacle()?.locator ?? intent.source);
  }

  /** @throws HoldfastError when the bucket is missing and cannot be made. */
  subscribe(onChange: (change: FileChange) => void, onGap: () => void): () => void {
    this.#participant.require();
    const unsubscribe = this.#feed.add(onChange, onGap);
    this.#participant.wantsChanges = true;
    return () => {
      unsubscribe();
      this.#participant.wantsChanges = this.#feed.hasListeners;
    };
  }

  changed(locator: Locator): void {
    this.#participant.mention(kinds.changed, () => encodeLocator(locator));
  }

  epoch(): number {
    this.#participant.look();
    this.#participant.assertNotLost();
    if (this.#participant.machine.expired.size > 0) this.#fence.complete();
    return this.#participant.machine.epoch;
  }

  request(request: WebLockRequest): PendingWebLock {
    const participant = this.#participant;
    const { name, mode, ifAvailable } = request;
    const obstacle = (): Claim | null => (ifAvailable ? participant.machine.webObstacle(name, mode) : null);
    while (!this.#isRefused(obstacle)) {
      const holding = participant.claim(kinds.request, () => encodeRequest(request));
      if (holding.state !== 'refused') return new WebLockTurn(holding, this.#release, (waiting) => participant.withdraw(waiting));
    }
    return { granted: Promise.resolve(null), held: null, abort: () => false };
  }

  query(): WebLockState {
    if (this.#participant.look()) this.#liveness.examineAll();
    return this.#participant.machine.query();
  }

  isWantedElsewhere(name: string, mode: WebLockMode): boolean {
    this.#participant.look();
    return this.#participant.machine.isWantedBeside(this.#participant.session, name, mode);
  }

  parties(name: string): { held: WebLockParty[]; pending: WebLockParty[] } {
    this.#participant.look();
    const { held, pending } = this.#participant.machine.webParties(name);
    return { held: Array.from(held, this.#party), pending: Array.from(pending, this.#party) };
  }

  watch(name: string, listener: () => void): () => void {
    return this.#participant.names.add(name, listener);
  }

  ring(name: string): void {
    const { session: own, machine } = this.#participant;
    const { held, pending } = machine.webParties(name);
    const others = [...held, ...pending].filter(({ session }) => session.id !== own);
    for (const folder of new Set(others.map(({ session }) => session.folder))) Bell.ring(this.#bucket, folder);
  }

  endClient(clientId: string): void {
    if (this.#participant.session === 0) return;
    try {
      this.#participant.tell(kinds.endClient, () => encodeText(clientId));
    } catch (error) {
      // Otherwise what the client had went with the session, whose journal was replaced by what cannot be used.
      if (this.#participant.session !== 0) throw error;
    }
  }

  /** Whether the realm to which a directory in `swap/` belongs has ended. To be asked about directories that were seen. */
  isDead(folder: string): boolean {
    if (folder === this.folder) return false;
    this.#participant.look();
    const session = [...this.#participant.machine.sessions.values()].find((each) => each.folder === folder);
    return session === undefined || this.#liveness.examine(session);
  }

  /** Clears away what sessions that are gone have left in the table and in `wake/`, a part at a time. */
  sweep(): void {
    this.#liveness.sweep();
  }

  /**
   * Refuses whatever is asked for from now on, rejects what waits, lets operations that run come to their end, then
   * releases everything. Resolves when that is done.
   */
  close(): Promise<void> {
    if (this.#closing !== null) return this.#closing.promise;
    let finish = (): void => {};
    const promise = new Promise<void>((resolve) => (finish = resolve));
    this.#closing = { promise, finish };
    const closed = new HoldfastError('closed', 'The locks were asked for by a host or client that is closed');
    this.#participant.refuse(closed, this.#running === 0);
    this.#closeIfDone();
    return promise;
  }

  readonly #party = ({ name, mode, clientId, session }: WebClaim): WebLockParty => {
    return { name, mode, clientId, isOwn: session.id === this.#participant.session };
  };

  readonly #release = (holding: Holding): void => {
    if (holding.state === 'held') this.#participant.end(holding, kinds.release, () => encodeId(holding.id));
  };

  async #run<T>(holding: Holding, body: Body<T>): Promise<T> {
    this.#running++;
    holding.running = true;
    let changed = false;
    try {
      const given = body();
      const result = isThenable(given) ? await given : given;
      changed = result.changed;
      // Before this call returns, others must not have been given what it relied on.
      if (!this.#finish(holding, changed)) throw sessionLost();
      return result.value;
    } finally {
      if (holding.running) this.#finish(holding, false);
      this.#running--;
      this.#closeIfDone();
    }
  }

  /** DONE or ABORTED; false when the claim had been taken away. */
  #finish(holding: Holding, changed: boolean): boolean {
    holding.running = false;
    this.#participant.bodyEnded(holding);
    return this.#participant.end(holding, kinds.finish, () => encodeFinish(holding.id, changed));
  }

  /** Nobody rings for a session that has left, nor looks at its lease. */
  #removeWakeFiles(): void {
    try {
      removeLease(this.#bucket, this.folder);
      Bell.remove(this.#bucket, this.folder);
    } catch {
      // A later sweep removes them.
    }
  }

  #closeIfDone(): void {
    if (this.#closing === null || this.#running > 0) return;
    this.#patientLook.close();
    this.#vigil.close();
    this.#feed.close();
    this.#participant.close();
    this.#removeWakeFiles();
    this.#closing.finish();
  }

  /**
   * Whether something is in the way that stays there: by what is known and by the news, and because its session lives.
   * Asked before each attempt; so where the journal refuses one that looked possible, it decides whether to try again.
   */
  #isRefused(obstacle: () => Claim | null): boolean {
    if (obstacle() === null) return false;
    this.#participant.look();
    // It may be in its own way, by a release that the disk has refused before.
    this.#participant.payDebts();
    for (let claim = obstacle(), next = claim; claim !== null; claim = next) {
      this.#liveness.examine(claim.session);
      next = obstacle();
      if (next === claim) return true;
    }
    return false;
  }

  #replaced(): void {
    this.#bell.close();
    this.#feed.restart();
  }

  #duties(): ConstructorParameters<typeof Vigil>[1] {
    return {
      state: () => {
        if (this.#participant.isWaiting) return 'waiting';
        return this.#participant.isBusy || this.#liveness.hasSuspects ? 'keeping' : 'idle';
      },
      look: () => this.#patientLook.look(),
      attend: () => this.#attendQuietly(),
      touch: () => touchLease(this.#bucket, this.folder),
    };
  }

  #attendQuietly(): void {
    this.#tryLater(() => {
      this.#participant.payDebts();
      for (const session of this.#participant.sessionsAhead()) this.#liveness.examine(session);
      this.#liveness.observeSuspects();
    });
  }

  /** What a timer or a watch does has no caller to fail: the next round tries again, or else what waits is told. */
  #tryLater<T>(body: () => T): T | undefined {
    try {
      return body();
    } catch (error) {
      if (error instanceof HoldfastError && FATAL.has(error.code)) this.#participant.refuse(error);
      return undefined;
    }
  }
}

function ownClaim(own: FileLock | undefined): number {
  if (own === undefined) return 0;
  if (own instanceof HeldFileLock && !own.lost) return own.holding.id;
  throw sessionLost();
}
