// What runs in the processes that are killed: shows, whose seats are sold, and rooms, in which people talk.
import { Coordinator } from 'holdfast/coordinator';

export const ORIGIN = 'https://booking.example';
export const SEATS = 40;

/** Milliseconds that a seat is kept for whoever has not begun to pay, and after which a payment that was interrupted is looked after. */
const KEPT_MS = 1500;
const CARE_MS = 400;

/** A seat is free (no item), `kept` for a customer, `paying`, or `paid`. */
export class Show extends Coordinator {
  #seat(number) {
    return JSON.parse(this.localStorage.getItem(`seat ${number}`) ?? 'null');
  }

  #put(number, seat) {
    this.localStorage.setItem(`seat ${number}`, JSON.stringify(seat));
  }

  #wakeBy(time) {
    const before = this.state.getAlarm();
    if (before === null || before > time) this.state.setAlarm(time);
  }

  /** A seat for this customer, or null: sold out. One turn: when the caller hears of it, it is in the journal with its alarm. */
  book(customer) {
    for (let number = 1; number <= SEATS; number++) {
      if (this.#seat(number) !== null) continue;
      const until = Date.now() + KEPT_MS;
      this.#put(number, { state: 'kept', customer, until });
      this.#wakeBy(until);
      return number;
    }
    return null;
  }

  /**
   * `paid`, or `gone`: the seat was kept for too long. Before the provider is asked the journal says that it is, so
   * that whoever runs the show next asks again, with the same key: the provider charges each key once.
   */
  async pay(number, customer) {
    const seat = this.#seat(number);
    if (seat?.customer !== customer) return 'gone';
    if (seat.state === 'paid') return 'paid';
    this.#put(number, { state: 'paying', customer });
    this.#wakeBy(Date.now() + CARE_MS);
    return this.#charge(number, customer);
  }

  async #charge(number, customer) {
    // Leaves once what was written above is in the journal.
    const response = await this.state.fetch(`${process.env.PROVIDER}/${this.state.name}/${number}/${customer}`, { method: 'POST' });
    if (!response.ok) throw new Error(`The provider answers ${response.status}.`);
    this.#put(number, { state: 'paid', customer });
    return 'paid';
  }

  /** Gives free what nobody pays for, and asks for payments again whose processes were killed. */
  async alarm() {
    const numbers = Array.from({ length: SEATS }, (_, index) => index + 1);
    const now = Date.now();
    for (const number of numbers) {
      const seat = this.#seat(number);
      if (seat?.state === 'kept' && seat.until <= now) this.localStorage.removeItem(`seat ${number}`);
    }
    await Promise.allSettled(numbers.flatMap((number) => (this.#seat(number)?.state === 'paying' ? [this.#charge(number, this.#seat(number).customer)] : [])));
    const open = numbers.map((number) => this.#seat(number)).filter((seat) => seat?.state === 'kept' || seat?.state === 'paying');
    if (open.length > 0) this.state.setAlarm(Math.min(...open.map((seat) => seat.until ?? Date.now() + CARE_MS)));
  }

  seats() {
    return Array.from({ length: SEATS }, (_, index) => this.#seat(index + 1));
  }
}

/** Messages in the order in which they were taken. */
export class Room extends Coordinator {
  /** Its place in the history. */
  say(text) {
    const place = Number(this.localStorage.getItem('length') ?? 0);
    this.localStorage.setItem(`message ${place}`, text);
    this.localStorage.setItem('length', String(place + 1));
    return place;
  }

  history(from) {
    const length = Number(this.localStorage.getItem('length') ?? 0);
    return Array.from({ length: Math.max(0, length - from) }, (_, index) => this.localStorage.getItem(`message ${from + index}`));
  }
}
