import fs from 'node:fs';
import type { Locator } from '../locator.ts';
import { plainScript } from '../names/script.ts';
import type { NameScript } from '../names/script.ts';
import type { BucketPlace } from '../place.ts';
import { weightOf } from '../quota/ledger.ts';
import type { Ledger } from '../quota/ledger.ts';
import { Base } from './base.ts';
import type { Access } from './base.ts';
import type { Found } from './found.ts';
import { locate, spelled } from './locate.ts';
import type { Located } from './locate.ts';
import { forgetSpelling, keepSpelling } from './long-names.ts';
import type { Sealing } from './sealing.ts';
import { syncDirectory } from './sync.ts';
import { TreeError } from './tree-error.ts';

export interface PlacementOptions {
  /** As `FileTreeOptions.epoch`. */
  epoch(): number;
  /** As `FileTreeOptions.foldsNames`. */
  foldsNames?(): boolean;
  readonly isStrict: boolean;
  readonly ledger: Ledger;
  readonly sealing: Sealing | undefined;
}

/**
 * Where the entries of a tree are on the disk, and how they come by their names and lose them. What has a long name, and
 * what names are encrypted to, is known here alone.
 */
export class Placement {
  readonly #bucket: BucketPlace;
  readonly #base: Base;
  readonly #options: PlacementOptions;

  constructor(place: BucketPlace, options: PlacementOptions) {
    this.#bucket = place;
    this.#base = new Base(place, () => options.epoch(), () => this.script.before !== undefined);
    this.#options = options;
  }

  get script(): NameScript {
    const visible = plainScript(this.#options.foldsNames?.() ?? false);
    return this.#options.sealing?.names(visible) ?? visible;
  }

  /** Runs `body` on an entry that is there. */
  on<T>(locator: Locator, access: Access, body: (found: Found) => T): T {
    return this.#base.attempt(locator, access, (base) => body(this.#find(base, locator)));
  }

  async onLater<T>(locator: Locator, access: Access, body: (found: Found, base: string) => Promise<T>): Promise<T> {
    return this.#base.attemptAsync(locator, access, async (base) => body(this.#find(base, locator), base));
  }

  /** Runs `body` on the place of an entry, whether or not it is there; the bucket is made where it is not. */
  at<T>(locator: Locator, body: (place: Located) => T): T {
    return this.#base.attempt(locator, 'write', (base) => body(this.locate(base, locator)), this.#bucket);
  }

  /** Runs `body` beside the tree, in the bucket, which is made where it is not. */
  beside<T>(body: () => T): T {
    return this.#base.attempt([], 'write', body, this.#bucket);
  }

  atLater<T>(locator: Locator, body: (place: Located) => Promise<T>): Promise<T> {
    return this.#base.attemptAsync(locator, 'write', async (base) => body(this.locate(base, locator)));
  }

  /** What is there; undefined when nothing is. @throws TreeError 'not-found' where nothing is yet, or not under this epoch */
  look(locator: Locator): fs.Stats | undefined {
    return this.#base.attempt(locator, 'read', (base) => {
      const { stats } = this.locate(base, locator);
      // Nothing under an epoch that has ended means nothing.
      if (stats === undefined && !this.#base.isCurrent(base)) throw new TreeError('not-found', locator);
      return stats;
    });
  }

  locate(base: string, locator: Locator): Located {
    return locate(base, locator, this.script);
  }

  #find(base: string, locator: Locator): Found {
    const { stats, ...place } = this.locate(base, locator);
    if (stats === undefined) throw new TreeError('not-found', locator);
    return { ...place, stats };
  }

  /** To be called before an entry is there. */
  keepSpelling({ parent, long }: Located): void {
    keepSpelling(parent, long, this.#options.isStrict, this.#options.ledger);
  }

  /** To be called when it is not there any more. */
  forgetSpelling({ parent, long }: Located): void {
    forgetSpelling(parent, long, this.#options.ledger);
  }

  /**
   * In this thread where it is quick; in another where the disk may flush the data of the file that takes the name. What
   * had the name is gone then.
   */
  async rename(path: string, target: Located): Promise<void> {
    const { ledger } = this.#options;
    const mark = ledger.mark();
    if (target.stats === undefined) fs.renameSync(path, target.path);
    else await fs.promises.rename(path, target.path);
    if (target.stats !== undefined) ledger.free(weightOf(target.stats), mark);
    ledger.moved(mark);
  }

  /** Makes a change of names in a directory durable, when that was asked for. */
  settle(directory: string): void {
    if (this.#options.isStrict) syncDirectory(directory);
  }

  /** Whether an entry has a name on the disk from before. */
  isToRespell(locator: Locator): boolean {
    return this.script.before !== undefined && this.on(locator, 'read', ({ path }) => spelled(path, locator, this.script).path !== path);
  }

  /** Gives an entry the name on the disk that is its own now, where it has one from before. */
  respell(locator: Locator): void {
    this.on(locator, 'write', (found) => {
      const target = spelled(found.path, locator, this.script);
      if (target.stats !== undefined) return;
      keepSpelling(target.parent, target.long, true, this.#options.ledger);
      fs.renameSync(found.path, target.path);
      // Not before the disk has the new name: under the old one nobody would find it.
      if (this.#options.isStrict || found.long !== null) syncDirectory(target.parent);
      this.forgetSpelling(found);
    });
  }
}
