import fs from 'node:fs';
import { withDescriptors } from '../../runtime/descriptors.ts';
import { delay, uptime, wallClock } from '../../runtime/timers.ts';
import type { Draft } from './draft.ts';
import { areSame, factsOf, keptOf, type FileFacts } from './file-facts.ts';
import type { ListedFile } from './listing.ts';
import type { Part } from './part.ts';

/** Longer than a tick of any disk's clock, in milliseconds: what is written after it has another time than what was before. */
const TICK_MS = 25;

/** Bytes that are compared at once. */
const PIECE_BYTES = 2 ** 18;

/** A time so long ago that nobody needs to wait a tick for it, whatever the clocks say. */
const LONG_AGO_MS = 60_000;

type Facts = NonNullable<ReturnType<typeof factsOf>>;

/** A content that the file had at one moment. */
export interface Held {
  readonly facts: Facts;
  /** Where it was copied to; null: it is what the backup before has. */
  readonly file: string | null;
}

/**
 * A file that a handle may write to at any moment. A copy holds a content that existed if the file was the same before
 * and after, was not written to in the tick before the copy began, and has the same bytes a tick later.
 */
export class InPlacePart implements Part {
  readonly path: string;
  /** In the backup. */
  readonly relative: string;
  readonly #previous: ListedFile | undefined;
  held: Held | null = null;
  /** Whether what is held is what the file was at the common moment. */
  isOfMoment = false;
  #isAsHeld = false;

  constructor(path: string, relative: string, previous: ListedFile | undefined) {
    this.path = path;
    this.relative = relative;
    this.#previous = previous;
  }

  /** One that is written to all the time keeps nobody from finding a moment. */
  position(): string {
    this.#isAsHeld = this.held !== null && isStill(this.path, this.held.facts);
    return this.#isAsHeld ? 'as held' : 'apart';
  }

  settle(): boolean {
    this.isOfMoment = this.#isAsHeld;
    return true;
  }

  /** Copies it, once it stands still for long enough. @returns false where it did not within so many milliseconds */
  async take(draft: Draft, patienceMs: number): Promise<boolean> {
    for (const end = uptime() + patienceMs; ; await delay(1)) {
      const before = factsOf(this.path);
      if (before === null) return false;
      if (keptOf(this.#previous, before) === null && !isLongAgo(before)) await delay(TICK_MS);
      const held = this.#copyIfStill(draft, before);
      // The time of a write is that of its beginning: of one that was halted amid it for a tick, only its bytes tell.
      if (held !== null && held.file !== null && !isLongAgo(before)) await delay(TICK_MS);
      if (held !== null && (held.file === null || (await areEqual(held.file, this.path))) && isStill(this.path, before)) {
        this.held = held;
        return true;
      }
      if (uptime() > end) return false;
    }
  }

  #copyIfStill(draft: Draft, before: Facts): Held | null {
    if (!isStill(this.path, before)) return null;
    const file = keptOf(this.#previous, before) === null ? draft.copy(this.path) : null;
    return isStill(this.path, before) ? { facts: before, file } : null;
  }
}

/** Whether two files hold the same. */
async function areEqual(a: string, b: string): Promise<boolean> {
  const files = await Promise.all([a, b].map((path) => withDescriptors(() => fs.promises.open(path, 'r'))));
  try {
    const [one, two] = [Buffer.allocUnsafe(PIECE_BYTES), Buffer.allocUnsafe(PIECE_BYTES)];
    for (;;) {
      const [first = 0, second] = await Promise.all(files.map(async (file, index) => (await file.read(index === 0 ? one : two, 0, PIECE_BYTES, null)).bytesRead));
      if (first !== second || !one.subarray(0, first).equals(two.subarray(0, first))) return false;
      if (first === 0) return true;
    }
  } finally {
    await Promise.all(files.map((file) => file.close()));
  }
}

function isStill(path: string, before: FileFacts): boolean {
  const now = factsOf(path);
  return now !== null && areSame(now, before);
}

function isLongAgo({ mtime }: FileFacts): boolean {
  return Math.abs(wallClock() - Number(BigInt(mtime) / 1_000_000n)) > LONG_AGO_MS;
}
