import type { ThreadIdentity, ThreadLife } from '../../runtime/identity.ts';
import { Bell } from './bell.ts';
import type { Session } from './claims.ts';
import type { Fence } from './fence.ts';
import { encodeId, kinds } from './records.ts';
import { LeaseObserver, removeLease } from './lease.ts';
import type { Participant } from './participant.ts';

export interface LivenessOptions {
  readonly bucket: string;
  readonly probe: (identity: ThreadIdentity) => ThreadLife;
  /** How long a lease must be seen not to be touched, in milliseconds. */
  readonly leaseMs: number;
  /** How often sessions are looked at, in milliseconds. */
  readonly lookMs: number;
}

/**
 * Decides whether a session that is in somebody's way still lives, and ends it if not. Proof decides where there can be
 * one: whoever is seen to live keeps its locks, paused or not. Only where nothing can be proven does a lease decide.
 */
export class Liveness {
  readonly #participant: Participant;
  readonly #fence: Fence;
  readonly #bucket: string;
  readonly #probe: (identity: ThreadIdentity) => ThreadLife;
  readonly #leases: LeaseObserver;
  /** Sessions that were in the way and whose life is not proven: they are observed until they answer or have ended. */
  readonly #suspects = new Set<number>();

  constructor(participant: Participant, fence: Fence, options: LivenessOptions) {
    this.#participant = participant;
    this.#fence = fence;
    this.#bucket = options.bucket;
    this.#probe = options.probe;
    this.#leases = new LeaseObserver(options.bucket, options.leaseMs, 2 * options.lookMs);
  }

  get hasSuspects(): boolean {
    return this.#suspects.size > 0;
  }

  /** One look at a session that is in the way; true when it is not any more. */
  examine(session: Session): boolean {
    const { machine } = this.#participant;
    if (session.id === this.#participant.session) return false;
    if (session.standing === 'expired') this.#fence.complete();
    else if (session.standing === 'fenced') this.#expireAgain(session);
    else this.#examinePresent(session);
    const ended = machine.sessions.get(session.id) !== session;
    if (ended) this.#forget(session);
    return ended;
  }

  /** Looks at every other session; for whoever wants to know all that is held by the living. */
  examineAll(): void {
    for (const session of [...this.#participant.machine.sessions.values()]) this.examine(session);
  }

  /** One more look at those whose life is not proven. */
  observeSuspects(): void {
    for (const id of [...this.#suspects]) {
      const session = this.#participant.machine.sessions.get(id);
      if (session === undefined || session.claims.size === 0) this.#suspects.delete(id);
      else this.examine(session);
    }
  }

  #examinePresent(session: Session): void {
    const life = this.#probe(session.identity);
    if (life === 'dead') return this.#fence.bury(session);
    if (life === 'alive') return;
    if (!this.#leases.hasEnded(session.folder)) {
      this.#suspects.add(session.id);
      return;
    }
    if (this.#participant.tell(kinds.expire, () => encodeId(session.id))) this.#fence.complete();
  }

  /** It was fenced but for files that others share; when nobody does any more, these are fenced in a further epoch. */
  #expireAgain(session: Session): void {
    const { machine } = this.#participant;
    for (const claim of session.claims.values()) if (claim.type === 'lock' && machine.isShared(claim)) return;
    if (this.#participant.tell(kinds.expire, () => encodeId(session.id))) this.#fence.complete();
  }

  #forget(session: Session): void {
    this.#suspects.delete(session.id);
    this.#leases.forget(session.folder);
    removeLease(this.#bucket, session.folder);
    Bell.remove(this.#bucket, session.folder);
  }
}
