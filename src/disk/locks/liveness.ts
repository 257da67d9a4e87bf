import fs from 'node:fs';
import path from 'node:path';
import type { ThreadIdentity, ThreadLife } from '../../runtime/identity.ts';
import { wallClock } from '../../runtime/timers.ts';
import { Bell } from './bell.ts';
import type { Session } from './claims.ts';
import type { Fence } from './fence.ts';
import { encodeId, kinds } from './records.ts';
import { LeaseObserver, removeLease } from './lease.ts';
import type { Participant } from './participant.ts';
import { sessionOfWake } from '../spelling.ts';
import { belongsTo } from './whereabouts.ts';

export interface LivenessOptions {
  readonly bucket: string;
  readonly probe: (identity: ThreadIdentity) => ThreadLife;
  /** How long a lease must be seen not to be touched, in milliseconds. */
  readonly leaseMs: number;
  /** How often sessions are looked at, in milliseconds. */
  readonly lookMs: number;
}

/** Files in `wake/` that one sweep removes, and sessions that it looks at. */
const SWEPT = 512;
const EXAMINED = 16;

/** Files in `wake/` that are ours, and whose each is; not all, where they are many. */
function wakeFiles(bucket: string): [file: string, folder: string][] {
  const found: [string, string][] = [];
  const wake = fs.opendirSync(path.join(bucket, 'wake'));
  try {
    for (let entry = wake.readSync(); entry !== null && found.length < SWEPT; entry = wake.readSync()) {
      const folder = sessionOfWake(entry.name);
      if (folder !== null) found.push([path.join(bucket, 'wake', entry.name), folder]);
    }
  } finally {
    wake.closeSync();
  }
  return found;
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

  /**
   * Removes the files in `wake/` of sessions that are gone, and looks at some that hold something: whoever was killed
   * while it did would stay in the table for ever. A session makes its file when its JOIN is in the journal; one that
   * was forgotten makes another when it needs one.
   */
  sweep(): void {
    if (!this.#participant.look()) return;
    const found = wakeFiles(this.#bucket);
    this.#participant.look();
    const sessions = [...this.#participant.machine.sessions.values()].filter(({ claims }) => claims.size > 0);
    const first = sessions.length === 0 ? 0 : wallClock() % sessions.length;
    for (const session of [...sessions.slice(first), ...sessions.slice(0, first)].slice(0, EXAMINED)) this.examine(session);
    const present = new Set(Array.from(this.#participant.machine.sessions.values(), ({ folder }) => folder));
    present.add(this.#participant.folder);
    for (const [file, folder] of found) if (!present.has(folder)) fs.rmSync(file, { force: true });
  }

  #examinePresent(session: Session): void {
    const life = this.#lifeOf(session);
    if (life === 'dead') return this.#fence.bury(session);
    if (life === 'alive') return;
    if (!this.#leases.hasEnded(session.folder)) {
      this.#suspects.add(session.id);
      return;
    }
    if (this.#participant.tell(kinds.expire, () => encodeId(session.id))) this.#fence.complete();
  }

  /** A session of another bucket, of which this one is a copy, holds nothing here. */
  #lifeOf({ identity, whereabouts }: Session): ThreadLife {
    const life = this.#probe(identity);
    if (life !== 'alive') return life;
    const place = belongsTo(this.#bucket, whereabouts);
    return place === 'here' ? life : place === 'elsewhere' ? 'dead' : 'unknown';
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
