import timers from 'node:timers';
import { Chance } from './chance.ts';

/** What lives and may die: what comes for the dead is lost. */
export interface Mortal {
  readonly name: string;
  readonly alive: boolean;
}

/** Something on its way. */
export interface Message {
  readonly what: string;
  /** To whom it comes; null: the hub. */
  readonly to: Mortal | null;
  /** A request may fail on its way. */
  readonly fail?: (() => void) | undefined;
  arrive(): void;
}

interface Timer {
  readonly at: number;
  readonly of: Mortal;
  ring(): void;
}

/** Time, and everything that is under way: nothing moves but by a step that it takes. */
export class World {
  readonly chance: Chance;
  /** Milliseconds. */
  time = 1_700_000_000_000;
  messages: Message[] = [];
  /** Whether messages may be lost, doubled and delayed. */
  troubled = true;
  readonly trace: string[] = [];
  #timers: Timer[] = [];

  constructor(seed: number) {
    this.chance = new Chance(seed);
  }

  note(line: string): void {
    this.trace.push(line);
  }

  send(message: Message): void {
    this.messages.push(message);
  }

  after(of: Mortal, milliseconds: number, ring: () => void): () => void {
    const timer = { at: this.time + milliseconds, of, ring };
    this.#timers.push(timer);
    return () => {
      const index = this.#timers.indexOf(timer);
      if (index >= 0) this.#timers.splice(index, 1);
    };
  }

  /** Delivers any message, or the oldest once there is no trouble; whatever may happen to it does. */
  deliver(): void {
    const index = this.troubled ? this.chance.below(this.messages.length) : 0;
    const [message] = this.messages.splice(index, 1);
    if (message === undefined || message.to?.alive === false) return;
    this.note(message.what);
    if (!this.troubled) return message.arrive();
    const fate = this.chance.next();
    if (fate < 0.04 && message.fail !== undefined) return this.note(`lost: ${message.what}`);
    if (fate < 0.08 && message.fail !== undefined) {
      this.note(`failed: ${message.what}`);
      return message.fail();
    }
    if (fate < 0.13) {
      this.note(`doubled: ${message.what}`);
      this.messages.push(message);
    }
    message.arrive();
  }

  /** What is on its way to the hub, and is what somebody looks for, does not arrive. */
  breakOff(isMeant: (what: string) => boolean): void {
    const lost = this.messages.filter(({ to, what }) => to === null && isMeant(what));
    this.messages = this.messages.filter((message) => !lost.includes(message));
    for (const { fail } of lost) fail?.();
  }

  /** Lets time go on until the next timer rings. False: there is none. */
  passTime(): boolean {
    this.#timers = this.#timers.filter(({ of }) => of.alive);
    const next = this.#timers.reduce<Timer | null>((first, timer) => (first === null || timer.at < first.at ? timer : first), null);
    if (next === null) return false;
    this.#timers.splice(this.#timers.indexOf(next), 1);
    this.time = Math.max(this.time, next.at);
    next.ring();
    return true;
  }
}

/** Until every promise has done what it can do without another step. */
export function settled(): Promise<void> {
  return new Promise((resolve) => timers.setImmediate(resolve));
}
