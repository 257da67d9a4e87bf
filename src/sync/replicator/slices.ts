import type { Surroundings } from './surroundings.ts';
import type { Unpacked } from './unpacking.ts';

/** Operations that are applied before other work has its turn, some milliseconds; so many bytes are as much work as one. */
export const SLICE = 512;
const BYTES_AN_OPERATION = 4096;

/** Much may be read at once, and all of it be applied: nobody else waits for more than a slice of it, or one entry. */
export class Slices {
  readonly #surroundings: Pick<Surroundings, 'turn'>;
  #done = 0;

  constructor(surroundings: Pick<Surroundings, 'turn'>) {
    this.#surroundings = surroundings;
  }

  /** To be called after each entry. */
  async next({ batch, bytes }: Pick<Unpacked, 'batch' | 'bytes'>): Promise<void> {
    this.#done += 1 + batch.operations.length + bytes / BYTES_AN_OPERATION;
    if (this.#done < SLICE) return;
    this.#done = 0;
    await this.#surroundings.turn();
  }
}
