import type { Locator } from '../locator.ts';
import {
  coversTree,
  locatorsOf,
  type Claim,
  type FileClaim,
  type FileLockClaim,
  type OperationClaim,
} from './claims.ts';
import type { Intent, LockClass } from './lock-table.ts';
import { PathIndex } from './path-index.ts';

/**
 * The file locks and operations of a bucket. Invariants:
 * - an operation waits for every earlier one that conflicts with it, whether running or waiting;
 * - a claim is decided (held or refused) in the moment when nothing that it waits for is left, in claim order;
 * - only operations are waited for: a handle's lock refuses, at once;
 * - a lock waits only for operations; a later operation on its file waits for the same ones, so the lock is decided
 *   first although nobody waits for it.
 */
export class FileQueue {
  readonly #index = new PathIndex();
  readonly #settled: (claim: FileClaim) => void;

  /** `settled` hears of each claim that had to wait and was then decided. */
  constructor(settled: (claim: FileClaim) => void) {
    this.#settled = settled;
  }

  /** A new claim: decided at once, or waiting. */
  enter(claim: FileClaim): void {
    if (!this.#mustWait(claim)) this.#decide(claim);
    if (claim.type === 'operation' && claim.state !== 'refused') this.#index.addOperation(claim);
  }

  /** A claim from a snapshot, in claim order: its state is known, what it waits for is found again. */
  readmit(claim: FileClaim): void {
    if (claim.state === 'waiting') this.#mustWait(claim);
    if (claim.type === 'operation') this.#index.addOperation(claim);
    else if (claim.state === 'held') this.#index.addLock(claim);
  }

  /** Ends a claim that is held. */
  end(claim: FileClaim): void {
    claim.state = 'ended';
    if (claim.type === 'lock') this.#index.removeLock(claim);
    else this.#letGo(claim);
  }

  /** Ends claims that wait. None of them is granted because of the end of another. */
  cancel(claims: readonly FileClaim[]): void {
    for (const claim of claims) claim.state = 'ended';
    for (const claim of claims) {
      claim.session.behindOthers?.delete(claim);
      for (const blocker of claim.waitsFor ?? []) blocker.dependents?.delete(claim);
      if (claim.type === 'operation') this.#letGo(claim, true);
    }
  }

  /** The handle's lock that refuses a lock here, if any. */
  lockRefusal(locator: Locator, lockClass: LockClass): FileLockClaim | null {
    for (const lock of this.#index.locksOn(locator)) {
      // With a session that is to be fenced nobody may share: the fence changes the file's inode.
      if (lock.session.standing !== 'present' || classesConflict(lock.lockClass, lockClass)) return lock;
    }
    return null;
  }

  /** The handle's lock that refuses an operation, if any; `own` is a lock that its session holds itself. */
  operationRefusal(intent: Intent, own: Claim | undefined): FileLockClaim | null {
    // Creating changes nothing where something exists already, locked or not.
    if (intent.operation === 'create') return null;
    if (intent.operation === 'hold') return null;
    const exempt = own?.type === 'lock' && own.state === 'held' ? own.locator : null;
    for (const locator of locatorsOf(intent)) {
      const lock = this.#index.lockInTheWay(locator, coversTree(intent), exempt);
      if (lock !== null) return lock;
    }
    return null;
  }

  /** Whether a session that is well holds a lock on a file. */
  isLockedByPresent(locator: Locator): boolean {
    for (const { session } of this.#index.locksOn(locator)) if (session.standing === 'present') return true;
    return false;
  }

  #mustWait(claim: FileClaim): boolean {
    const blockers =
      claim.type === 'lock'
        ? this.#index.operationsInTheWay([claim.locator], false, claim.order)
        : this.#index.operationsInTheWay(locatorsOf(claim.intent), claim.tree, claim.order);
    if (blockers === null) return false;
    for (const blocker of blockers) linkBehind(claim, blocker);
    return true;
  }

  #decide(claim: FileClaim): boolean {
    claim.waitsFor = null;
    claim.session.behindOthers?.delete(claim);
    const refusal =
      claim.type === 'lock'
        ? this.lockRefusal(claim.locator, claim.lockClass)
        : this.operationRefusal(claim.intent, claim.session.claims.get(claim.own));
    claim.state = refusal === null ? 'held' : 'refused';
    if (claim.type === 'lock' && claim.state === 'held') this.#index.addLock(claim);
    return claim.state === 'held';
  }

  /**
   * Takes operations out and decides whoever waited for nothing else; a refused one is taken out in turn. Behind one
   * that was `cancelled` before its turn, whatever it stood for is still in the way of some.
   */
  #letGo(first: OperationClaim, cancelled = false): void {
    const leaving = [first];
    for (const claim of leaving) {
      this.#index.removeOperation(claim);
      for (const dependent of inOrder(claim.dependents)) {
        dependent.waitsFor?.delete(claim);
        if (dependent.state !== 'waiting') continue;
        if (cancelled && claim === first) this.#mustWait(dependent);
        if (dependent.waitsFor?.size !== 0) continue;
        const held = this.#decide(dependent);
        this.#settled(dependent);
        if (!held && dependent.type === 'operation') leaving.push(dependent);
      }
      claim.dependents = null;
    }
  }
}

function classesConflict(a: LockClass, b: LockClass): boolean {
  return a === 'exclusive' || a !== b;
}

function linkBehind(claim: FileClaim, blocker: OperationClaim): void {
  (claim.waitsFor ??= new Set()).add(blocker);
  (blocker.dependents ??= new Set()).add(claim);
  if (blocker.session !== claim.session) (claim.session.behindOthers ??= new Set()).add(claim);
}

function inOrder(claims: Set<FileClaim> | null): FileClaim[] {
  return claims === null ? [] : [...claims].sort((a, b) => a.order - b.order);
}
