import type { Wanted } from '../database-locks.ts';
import type { LockClient } from './lock-client.ts';
import { lockName } from './lock-names.ts';
import type { Turn } from './turn.ts';
import { answerName, readWant, type Want } from './want.ts';

/**
 * What a realm that has a database open does for others who want to be alone with it. Invariants:
 * - each want is told once to all connections that are open then; new ones cannot come while it is there;
 * - an answer says that all of them have heard it. It is held until the want is gone or no connection is left.
 */
export class Answers {
  readonly #client: LockClient;
  readonly #database: string;
  readonly #tell: (wanted: Wanted) => Promise<void>;
  /** By the wants that are there; null while the connections are being told. */
  readonly #given = new Map<string, Turn | null>();
  #stop: (() => void) | null = null;

  constructor(client: LockClient, database: string, tell: (wanted: Wanted) => Promise<void>) {
    this.#client = client;
    this.#database = database;
    this.#tell = tell;
  }

  /** To be called when the realm begins to have it open. */
  begin(): void {
    this.#stop = this.#client.watch(lockName('c', this.#database), () => this.#attend());
  }

  /** To be called when it no longer has, to the journal's knowledge. */
  end(): void {
    this.#stop?.();
    this.#stop = null;
    for (const answer of this.#given.values()) answer?.release();
    // Who waits for answers of others too is not told by the table that this one has gone.
    if (this.#given.size > 0) this.#ring();
    this.#given.clear();
  }

  #attend(): void {
    const wants = this.#wants();
    for (const [id, answer] of this.#given) {
      if (wants.has(id)) continue;
      this.#given.delete(id);
      answer?.release();
    }
    for (const want of wants.values()) if (!this.#given.has(want.id)) void this.#answer(want);
  }

  /** None where the journal cannot be read; whoever asks for something next is told why. */
  #wants(): Map<string, Want> {
    const wants = new Map<string, Want>();
    try {
      for (const { mode, isOwn, clientId } of this.#client.parties(lockName('c', this.#database)).pending) {
        if (mode !== 'exclusive' || isOwn) continue;
        const want = readWant(clientId);
        wants.set(want.id, want);
      }
    } catch {
      // As above.
    }
    return wants;
  }

  async #answer(want: Want): Promise<void> {
    this.#given.set(want.id, null);
    await this.#tell({ newVersion: want.newVersion });
    if (this.#given.get(want.id) !== null) return;
    try {
      this.#given.set(want.id, this.#client.request(answerName(want), 'shared'));
      this.#ring();
    } catch {
      // The disk refuses the record: then the other is not told that it is blocked. It is as blocked as before.
    }
  }

  /** Has those look who have the queue, or wait for it: whoever wants to be alone is the first of them. */
  #ring(): void {
    this.#client.ring(lockName('q', this.#database));
  }
}
