import { mulberry32 } from './mulberry32.ts';

/** Numbers that look random and are the same for the same seed. */
export class Random {
  readonly #next: () => number;

  constructor(seed: number) {
    this.#next = mulberry32(seed);
  }

  /** In [0, 1). */
  next(): number {
    return this.#next();
  }

  /** An integer in [0, limit). */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(values: readonly T[]): T {
    const picked = this.pickIfAny(values);
    if (picked === undefined) throw new Error('There is nothing to pick from');
    return picked;
  }

  pickIfAny<T>(values: readonly T[]): T | undefined {
    return values[this.below(values.length)];
  }

  fill(bytes: Uint8Array): Uint8Array {
    for (let index = 0; index < bytes.length; index++) bytes[index] = this.below(256);
    return bytes;
  }
}
