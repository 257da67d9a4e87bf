import fs from 'node:fs';
import { onShortage } from './descriptors.ts';

/** What is to be closed, apart from who holds it. */
interface Held {
  descriptor: number | null;
  /** Whether it can do without it for now. */
  isIdle: boolean;
}

/** Holders that are kept for the next who needs one. */
const MOST_FREE = 16;

const free: HeldDescriptor[] = [];

/** Of all holders that there are. */
const all = new Set<Held>();

/** Those of holders that were dropped. */
const dropped = new FinalizationRegistry<Held>((held) => {
  all.delete(held);
  close(held);
});

onShortage(() => [...all].map((held) => held.isIdle && close(held)).includes(true));

function close(held: Held): boolean {
  const { descriptor } = held;
  if (descriptor === null) return false;
  held.descriptor = null;
  fs.closeSync(descriptor);
  return true;
}

/**
 * Holds the descriptor of an open file for one owner, and closes it when the owner is dropped. Holders are used again:
 * to register one costs the collector more than it takes to read a megabyte. Invariants:
 * - a holder has one owner at a time, which does not touch it any more once it is released;
 * - what is idle may be closed whenever descriptors run out, and then is null.
 */
export class HeldDescriptor {
  readonly #held: Held = { descriptor: null, isIdle: false };

  private constructor() {
    all.add(this.#held);
    dropped.register(this, this.#held);
  }

  /** One that holds nothing yet. */
  static take(): HeldDescriptor {
    return free.pop() ?? new HeldDescriptor();
  }

  /** From now on it is the holder's to close. `isIdle`: it can do without it for now. */
  hold(descriptor: number, isIdle: boolean): void {
    this.#held.descriptor = descriptor;
    this.#held.isIdle = isIdle;
  }

  /** What it holds, for good; null: it was closed. */
  use(): number | null {
    this.#held.isIdle = false;
    return this.#held.descriptor;
  }

  /** Closes what it holds; whoever has called this has it no more. */
  release(): void {
    const { descriptor } = this.#held;
    this.#held.descriptor = null;
    this.#held.isIdle = false;
    if (free.length < MOST_FREE) free.push(this);
    if (descriptor !== null) fs.closeSync(descriptor);
  }
}
