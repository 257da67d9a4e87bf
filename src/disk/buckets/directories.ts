import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { ensureDirectory } from '../directories.ts';
import { systemCode, systemCodeBehind } from '../journal/disk-error.ts';
import type { PlaceKeys } from '../place.ts';
import { buildBucket } from '../root/bucket-directory.ts';
import { syncPlace, syncTree } from '../root/durable.ts';
import type { Root } from '../root/root.ts';
import { rootFailure } from '../root/failure.ts';
import { isThere, keysOfNamed } from './named-directory.ts';
import { DEAD, idOfBucket } from './spelling.ts';

/** Attempts at making a directory whose draft keeps vanishing before giving up. */
const ATTEMPTS = 20;

/** How old a directory must be that no register knows, in milliseconds, before it counts as left behind by a killed process. */
const ABANDONED_MS = 10 * 60_000;

/**
 * The directories of an origin's named buckets. Each is built elsewhere, has its final name before the register knows
 * it, and gets another name before it is removed: so one that is there is whole.
 */
export class BucketDirectories {
  readonly #root: Root;
  readonly #parent: string;
  readonly #keys: PlaceKeys | undefined;

  /** `keys`: those of any bucket of the origin, where it is encrypted. */
  constructor(root: Root, parent: string, keys?: PlaceKeys) {
    this.#root = root;
    this.#parent = parent;
    this.#keys = keys;
  }

  pathOf(id: string): string {
    return path.join(this.#parent, id);
  }

  /** @throws HoldfastError where that cannot be told */
  has(id: string): boolean {
    return isThere(this.pathOf(id), this.#root);
  }

  /**
   * Makes one that is on the disk when this returns. The root and the origin are there.
   *
   * @returns its id
   * @throws HoldfastError
   */
  make(): string {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return withDescriptor(() => this.#make());
      } catch (error) {
        if (systemCodeBehind(error) !== 'ENOENT' || attempt === ATTEMPTS) throw rootFailure('write to', this.#root.path, error);
        this.#root.forget();
        this.#root.ensure();
      }
    }
  }

  #make(): string {
    const id = randomUuid();
    const draft = path.join(this.#root.workshop, id);
    try {
      buildBucket(draft, keysOfNamed(this.#keys, id));
      syncTree(draft);
      ensureDirectory(this.#parent);
      isThere(this.pathOf(id), this.#root);
      fs.renameSync(draft, this.pathOf(id));
      syncPlace(this.#parent);
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true });
      throw error;
    }
    return id;
  }

  /** Takes one away; from then on nobody comes to it by its name. Its space is freed when the promise fulfils. */
  async remove(id: string): Promise<void> {
    const doomed = this.pathOf(id) + DEAD;
    try {
      fs.renameSync(this.pathOf(id), doomed);
    } catch (error) {
      // Somebody has done so already, and perhaps more.
      if (systemCode(error) !== 'ENOENT') throw error;
    }
    await fs.promises.rm(doomed, { recursive: true, force: true });
  }

  /** Those that were left behind. `isKnown`: whether the register has it, or had it. */
  abandoned(isKnown: (id: string) => boolean): string[] {
    const ids = new Set<string>();
    for (const name of namesIn(this.#parent)) {
      const id = idOfBucket(name);
      if (id !== null && !isKnown(id) && (name.endsWith(DEAD) || this.#isOld(name))) ids.add(id);
    }
    return [...ids];
  }

  #isOld(name: string): boolean {
    const stats = fs.lstatSync(path.join(this.#parent, name), { throwIfNoEntry: false });
    return stats !== undefined && wallClock() - stats.mtimeMs > ABANDONED_MS;
  }
}

function namesIn(directory: string): string[] {
  try {
    return fs.readdirSync(directory);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  }
}
