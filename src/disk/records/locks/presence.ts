import type { Claim, Wanted } from '../database-locks.ts';
import { Answers } from './answers.ts';
import { Connection } from './connection.ts';
import type { LockClient } from './lock-client.ts';
import { lockName } from './lock-names.ts';
import { Solitude } from './solitude.ts';
import type { Turn } from './turn.ts';

/**
 * This realm's part in who has a database open. Invariants:
 * - the realm has one shared claim while it has connections, however many; but none while all that it has is the one of
 *   who is, or waits to be, alone;
 * - whoever was alone gives that up only after the shared claim for what it leaves open is in the queue;
 * - a connection that nothing in the journal stands for is lost.
 */
export class Presence {
  readonly #client: LockClient;
  readonly #database: string;
  readonly #onEmpty: () => void;
  readonly #connections = new Set<Connection>();
  readonly #answers: Answers;
  #share: Turn | null = null;
  #solitude: Solitude | null = null;
  /** The connection of who is alone. */
  #own: Claim | undefined;

  constructor(client: LockClient, database: string, onEmpty: () => void) {
    this.#client = client;
    this.#database = database;
    this.#onEmpty = onEmpty;
    this.#answers = new Answers(client, database, (wanted) => tellAll([...this.#connections], wanted));
  }

  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#solitude === null;
  }

  connect(onWanted: (wanted: Wanted) => Promise<void>): Claim {
    if (this.#solitude === null) this.#appear();
    const connection = new Connection(this.#client, onWanted, (left) => this.#leave(left));
    this.#connections.add(connection);
    return connection;
  }

  async alone(wanted: Wanted, onBlocked: () => void, own: Claim | undefined): Promise<Claim> {
    const solitude: Solitude = new Solitude(this.#client, {
      database: this.#database,
      wanted,
      onBlocked,
      othersHere: () => this.#others().length,
      ends: { releasing: () => this.#reappear(), lost: () => this.#lostSolitude(solitude) },
    });
    this.#solitude = solitude;
    this.#own = own;
    this.#makeWay();
    await solitude.wait(() => tellAll(this.#others(), wanted));
    return solitude.turn;
  }

  #others(): Connection[] {
    return [...this.#connections].filter((connection) => connection !== this.#own);
  }

  #leave(connection: Connection): void {
    this.#connections.delete(connection);
    this.#makeWay();
    this.#dropIfEmpty();
  }

  /** Gives the shared claim up as soon as nothing needs it. */
  #makeWay(): void {
    const isNeeded = this.#solitude === null ? this.#connections.size > 0 : this.#others().length > 0;
    if (!isNeeded) this.#disappear();
  }

  #appear(): void {
    if (this.#share !== null) return;
    const lost = (): void => {
      if (this.#share === share) this.#loseAll();
    };
    const share: Turn = this.#client.request(lockName('c', this.#database), 'shared', { lost });
    this.#share = share;
    this.#answers.begin();
  }

  #disappear(): void {
    const share = this.#share;
    this.#share = null;
    share?.release();
    this.#answers.end();
  }

  /** Who was alone is about to give that up. */
  #reappear(): void {
    this.#solitude = null;
    this.#own = undefined;
    try {
      if (this.#connections.size > 0) this.#appear();
    } catch {
      this.#loseAll();
    }
    this.#dropIfEmpty();
  }

  /** A wait hears of it a little later than others: there may be a new one by then. */
  #lostSolitude(solitude: Solitude): void {
    if (this.#solitude === solitude) this.#loseAll();
  }

  #loseAll(): void {
    const connections = [...this.#connections];
    this.#connections.clear();
    this.#solitude = null;
    this.#own = undefined;
    this.#disappear();
    for (const connection of connections) connection.lose();
    this.#dropIfEmpty();
  }

  #dropIfEmpty(): void {
    if (this.isEmpty) this.#onEmpty();
  }
}

async function tellAll(connections: readonly Connection[], wanted: Wanted): Promise<void> {
  await Promise.all(connections.map((connection) => connection.tell(wanted)));
}
