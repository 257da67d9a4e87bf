import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The way to the hub: whatever is asked over it has an answer in bounded time, or counts as unreachable; after `cut`
 * nothing has.
 */
export class Line {
  readonly #surroundings: Pick<Surroundings, 'after'>;
  readonly #open = new Set<(error: HoldfastError) => void>();
  #isCut = false;

  constructor(surroundings: Pick<Surroundings, 'after'>) {
    this.#surroundings = surroundings;
  }

  /** @throws HoldfastError hub-unreachable when there is no answer in time, closed once the line is cut; and as `answer` */
  ask<T>(what: string, milliseconds: number, answer: () => Promise<T>): Promise<T> {
    if (this.#isCut) return Promise.reject(isCut());
    return new Promise<T>((resolve, reject) => {
      const fail = (error: unknown): void => {
        this.#open.delete(fail);
        cancel();
        reject(error as Error);
      };
      const cancel = this.#surroundings.after(milliseconds, () => fail(noAnswer(what, milliseconds)));
      this.#open.add(fail);
      answer().then((value) => {
        this.#open.delete(fail);
        cancel();
        resolve(value);
      }, fail);
    });
  }

  cut(): void {
    this.#isCut = true;
    for (const fail of this.#open) fail(isCut());
  }
}

function noAnswer(what: string, milliseconds: number): HoldfastError {
  return new HoldfastError('hub-unreachable', `The hub was asked ${what} and gave no answer within ${milliseconds / 1000} seconds.`);
}

function isCut(): HoldfastError {
  return new HoldfastError('closed', 'Nothing more is asked of the hub: its replicator was stopped.');
}
