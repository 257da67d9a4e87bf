import { getUint32, getUint53, putUint32, putUint53 } from './bytes.ts';

/** How many sessions are remembered: the ones whose records are the most recent in journal order. */
export const REMEMBERED_SESSIONS = 1024;

const ENTRY_BYTES = 12;

/**
 * The last sequence of each recent session. A writer that had to append a record twice used the same session and
 * sequence, so the second is void. What is forgotten depends on the journal's order alone, so that all readers agree.
 */
export class Dedupe {
  /** Least recent first, without the most recent session: it often writes many records in a row. */
  readonly #others = new Map<number, number>();
  #recent = 0;
  #recentSequence = 0;

  has(session: number, sequence: number): boolean {
    if (session === this.#recent) return sequence <= this.#recentSequence;
    return sequence <= (this.#others.get(session) ?? -1);
  }

  /** Remembers a record; false when it was there before. */
  accept(session: number, sequence: number): boolean {
    if (this.has(session, sequence)) return false;
    if (session !== this.#recent) this.#makeRecent(session);
    this.#recentSequence = sequence;
    return true;
  }

  #makeRecent(session: number): void {
    this.#others.delete(session);
    if (this.#recent !== 0) this.#others.set(this.#recent, this.#recentSequence);
    this.#recent = session;
    if (this.#others.size < REMEMBERED_SESSIONS) return;
    for (const oldest of this.#others.keys()) {
      this.#others.delete(oldest);
      return;
    }
  }

  encode(): Uint8Array {
    const sessions = [...this.#others];
    if (this.#recent !== 0) sessions.push([this.#recent, this.#recentSequence]);
    const bytes = new Uint8Array(sessions.length * ENTRY_BYTES);
    sessions.forEach(([session, sequence], index) => {
      putUint53(bytes, index * ENTRY_BYTES, session);
      putUint32(bytes, index * ENTRY_BYTES + 8, sequence);
    });
    return bytes;
  }

  static decode(bytes: Uint8Array): Dedupe {
    const dedupe = new Dedupe();
    for (let at = 0; at + ENTRY_BYTES <= bytes.length; at += ENTRY_BYTES) {
      dedupe.accept(getUint53(bytes, at), getUint32(bytes, at + 8));
    }
    return dedupe;
  }
}
