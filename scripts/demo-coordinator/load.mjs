// Customers and talkers: what they were told is what has to be true in the end.
import { setTimeout as delay } from 'node:timers/promises';
import { ORIGIN } from './classes.mjs';

const ROOMS = ['foyer', 'bar'];

/** Of customers who have a seat, those who never pay. */
const FICKLE = 0.2;

export class Load {
  calls = 0;
  /** Errors that callers saw, by outcome or name. */
  errors = new Map();
  /** Show, seat and customer of each whom the show has told that the seat is paid. */
  told = [];
  /** By room: place and text of each message whose author was told that it is taken, and texts of whom nobody was told. */
  said = new Map(ROOMS.map((room) => [room, []]));
  doubtful = new Set();
  /** What was wrong while it ran. */
  wrong = [];
  /** What calls: one for each place where it is done. */
  #callers;
  #show = 1;
  #customers = 0;
  #messages = 0;

  constructor(callers) {
    this.#callers = callers;
  }

  get shows() {
    return Array.from({ length: this.#show }, (_, index) => `show-${index + 1}`);
  }

  /** `who`: the number of somebody, who always calls from the same place. */
  show(name, who = 0) {
    return this.#callerOf(who).get(ORIGIN, 'Show', name);
  }

  room(name, who = 0) {
    return this.#callerOf(who).get(ORIGIN, 'Room', name);
  }

  #callerOf(who) {
    return this.#callers[who % this.#callers.length];
  }

  /** The result, or null and what the error says of what has happened. */
  async #ask(call) {
    this.calls += 1;
    try {
      return { result: await call(), outcome: 'ran' };
    } catch (error) {
      const outcome = error.outcome ?? 'an error of the show';
      this.errors.set(outcome, (this.errors.get(outcome) ?? 0) + 1);
      return { result: null, outcome };
    }
  }

  /** Buys one seat after another until `isOver()`. */
  async customer(isOver, who) {
    while (!isOver()) {
      const name = `show-${this.#show}`;
      const customer = `customer-${(this.#customers += 1)}`;
      const { result: seat, outcome } = await this.#ask(() => this.show(name, who).book(customer));
      if (seat === null && outcome === 'ran' && name === `show-${this.#show}`) this.#show += 1;
      if (seat !== null && Math.random() >= FICKLE) await this.#pay(who, name, seat, customer);
    }
  }

  /** Asks until it is told: with a provider that fails, and processes that are killed amid a payment. */
  async #pay(who, name, seat, customer) {
    for (;;) {
      const { result } = await this.#ask(() => this.show(name, who).pay(seat, customer));
      if (result === 'paid') this.told.push({ show: name, seat, customer });
      if (result !== null) return;
      await delay(20);
    }
  }

  async talker(isOver, who) {
    while (!isOver()) {
      const room = ROOMS[Math.floor(Math.random() * ROOMS.length)];
      const text = `message ${(this.#messages += 1)}`;
      const { result: place, outcome } = await this.#ask(() => this.room(room, who).say(text));
      if (place !== null) this.said.get(room).push({ place, text });
      else if (outcome !== 'not-run') this.doubtful.add(text);
      await delay(Math.random() * 10);
    }
  }

  /** Reads on and on: what was there once stays where it is. */
  async reader(isOver) {
    const [room] = ROOMS;
    const seen = [];
    while (!isOver()) {
      const from = Math.max(0, seen.length - 5);
      const { result } = await this.#ask(() => this.room(room).history(from));
      result?.forEach((text, index) => {
        const before = seen[from + index];
        if (before !== undefined && before !== text) this.wrong.push(`message ${from + index} of ${room} was '${before}' and is '${text}'`);
        seen[from + index] = text;
      });
      if (result !== null && from + result.length < seen.length) this.wrong.push(`the history of ${room} has become shorter`);
      await delay(20);
    }
  }
}
