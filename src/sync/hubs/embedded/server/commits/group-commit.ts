import { setImmediate } from '../../../../../runtime/timers.ts';
import type { CommitLog } from './commit-log.ts';
import type { Stretch } from './commit-records.ts';

/** What is committed at once, in bytes, but for a call that is larger by itself. */
const GROUP_BYTES = 2 ** 23;

/** Calls to append to one log, of which the first ones are to be committed. */
export interface Piece {
  /** Null where they append nothing. */
  readonly stretch: Stretch | null;
  readonly bytes: number;
  /** It is on the disk. */
  landed(): void;
  failed(error: unknown): void;
}

/** A log with calls that wait. */
export interface Committing {
  /** The first calls that wait, of about so many bytes, one at least; null when none waits. What fails is told to whom it concerns. */
  take(room: number): Piece | null;
  /** All that waited was settled. */
  settled(): void;
}

/**
 * (group commit) What is appended to all logs in one turn of the event loop is one record of the commit journal, and one
 * sync, whatever their number.
 */
export class GroupCommit {
  readonly #commits: CommitLog;
  readonly #retry: (work: () => void) => void;
  readonly #done: () => void;
  #waiting = new Set<Committing>();

  /**
   * @param retry - does what may want descriptors, and again where there were none
   * @param done - hears when a turn's appends are over
   */
  constructor(commits: CommitLog, retry: (work: () => void) => void, done: () => void) {
    this.#commits = commits;
    this.#retry = retry;
    this.#done = done;
  }

  /** Commits what waits of a log, before long. */
  request(log: Committing): void {
    this.#waiting.add(log);
    if (this.#waiting.size === 1) setImmediate(() => this.#commitAll());
  }

  #commitAll(): void {
    const logs = this.#waiting;
    this.#waiting = new Set();
    for (const group of groups(logs)) this.#commit(group);
    for (const log of logs) log.settled();
    this.#done();
  }

  #commit(pieces: readonly Piece[]): void {
    const stretches = pieces.flatMap(({ stretch }) => stretch ?? []);
    try {
      if (stretches.length > 0) this.#retry(() => this.#commits.commit(stretches));
    } catch (error) {
      for (const piece of pieces) piece.failed(error);
      return;
    }
    for (const piece of pieces) piece.landed();
  }
}

/** Of each log no more than one piece is in a group: the next one's place is known when this one has landed. */
function* groups(logs: Iterable<Committing>): Generator<Piece[]> {
  for (let left = [...logs]; left.length > 0; ) {
    const again: Committing[] = [];
    let group: Piece[] = [];
    let room = GROUP_BYTES;
    for (const log of left) {
      const piece = log.take(room);
      if (piece === null) continue;
      again.push(log);
      if (group.length > 0 && piece.bytes > room) {
        yield group;
        group = [];
        room = GROUP_BYTES;
      }
      group.push(piece);
      room -= piece.bytes;
    }
    if (group.length > 0) yield group;
    left = again;
  }
}
