import { setImmediate, uptime } from './timers.ts';

/** How much of a turn of the event loop something may take. */
export interface Share {
  readonly items: number;
  readonly milliseconds: number;
}

/**
 * Does one thing to each of many, in order: at once, or when this turn of the event loop has had its share, in a later
 * one, after those that were there before. So however many they are, timers and sockets have their turn.
 */
export class Paced<Item> {
  readonly #act: (item: Item) => void;
  readonly #share: Share;
  readonly #waiting: Item[] = [];
  /** When this turn's time is over; null where nothing has begun one. */
  #deadline: number | null = null;
  #left = 0;
  readonly #nextTurn = (): void => this.#goOn();

  constructor(act: (item: Item) => void, share: Share) {
    this.#act = act;
    this.#share = share;
  }

  add(item: Item): void {
    if (this.#deadline === null) this.#beginTurn();
    if (this.#waiting.length > 0 || !this.#hasTime) {
      this.#waiting.push(item);
      return;
    }
    this.#left--;
    this.#act(item);
  }

  #beginTurn(): void {
    setImmediate(this.#nextTurn);
    this.#deadline = uptime() + this.#share.milliseconds;
    this.#left = this.#share.items;
  }

  get #hasTime(): boolean {
    return this.#left > 0 && this.#deadline !== null && uptime() < this.#deadline;
  }

  #goOn(): void {
    this.#deadline = null;
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#beginTurn();
    let done = 0;
    try {
      // At least one, however little time there is.
      for (let next: Item | undefined = first; next !== undefined; next = this.#hasTime ? this.#waiting[done] : undefined) {
        this.#left--;
        done++;
        this.#act(next);
      }
    } finally {
      this.#waiting.splice(0, done);
    }
  }
}
