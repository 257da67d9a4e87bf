import fs from 'node:fs';
import type { Locator } from '../locator.ts';
import type { BucketPlace } from '../place.ts';
import { systemCode, toTreeError, TreeError } from './tree-error.ts';
import type { TreeErrorCode } from './tree-error.ts';

/** What is being done, for the errors of the system. */
export type Access = 'read' | 'write';

/** What was found may get another name before it is used; that often in a row it is no coincidence. */
const LOOKS = 4;

export function isCode(error: unknown, code: TreeErrorCode): boolean {
  return error instanceof TreeError && error.code === code;
}

/**
 * The directory that holds a tree's entries, `files.<epoch>/`. Whoever fences off what others hold gives it another name
 * at any moment; so what is done in it is done again under its new name where something was missing.
 */
export class Base {
  readonly #place: BucketPlace;
  readonly #epoch: () => number;
  readonly #isMoving: () => boolean;
  /** The epoch whose directory is known to be one, and no link. */
  #plainEpoch = -1;

  /** `epoch`: asked again whenever something is missing; `isMoving`: whether directories in it get other names. */
  constructor(place: BucketPlace, epoch: () => number, isMoving: () => boolean) {
    this.#place = place;
    this.#epoch = epoch;
    this.#isMoving = isMoving;
  }

  /** Whether this is its path now. */
  isCurrent(base: string): boolean {
    return base === this.#spelled(this.#epoch());
  }

  /** Runs `body` under the epoch of now, again when that one ended meanwhile; `missing` is made when it is not there. */
  attempt<T>(locator: Locator, access: Access, body: (base: string) => T, missing?: BucketPlace): T {
    for (let epoch = this.#epoch(), place = missing, looks = 1; ; place = undefined, looks += 1) {
      try {
        return body(this.#pathOf(epoch));
      } catch (error) {
        epoch = this.#afterMissing(error, epoch, looks, place) ?? fail(error, locator, access);
      }
    }
  }

  async attemptAsync<T>(locator: Locator, access: Access, body: (base: string) => Promise<T>): Promise<T> {
    for (let epoch = this.#epoch(), looks = 1; ; looks += 1) {
      try {
        return await body(this.#pathOf(epoch));
      } catch (error) {
        epoch = this.#afterMissing(error, epoch, looks) ?? fail(error, locator, access);
      }
    }
  }

  /** The epoch to try again under, after something was missing; null when that would not help. */
  #afterMissing(error: unknown, epoch: number, looks: number, place?: BucketPlace): number | null {
    if (systemCode(error) !== 'ENOENT' && !isCode(error, 'not-found')) return null;
    const now = this.#epoch();
    if (now !== epoch || (looks < LOOKS && this.#isMoving())) return now;
    if (place === undefined || fs.existsSync(this.#spelled(now))) return null;
    place.ensure();
    return this.#epoch();
  }

  #spelled(epoch: number): string {
    return `${this.#place.path}/files.${epoch}`;
  }

  /** What is done in it follows no link. @throws TreeError 'not-plain', the operating system's error */
  #pathOf(epoch: number): string {
    const base = this.#spelled(epoch);
    if (epoch !== this.#plainEpoch) this.#plainEpoch = requirePlain(base) ? epoch : -1;
    return base;
  }
}

/** False where nothing is yet. @throws TreeError 'not-plain' for what would lead out of the bucket */
function requirePlain(base: string): boolean {
  const stats = fs.lstatSync(base, { throwIfNoEntry: false });
  if (stats !== undefined && !stats.isDirectory()) throw new TreeError('not-plain', []);
  return stats !== undefined;
}

function fail(error: unknown, locator: Locator, access: Access): never {
  throw toTreeError(error, locator, access);
}
