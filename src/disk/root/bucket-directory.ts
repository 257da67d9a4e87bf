import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { isDirectory, isLink } from '../directories.ts';
import { systemCodeBehind } from '../journal/disk-error.ts';
import { Journal } from '../journal/journal.ts';
import type { Space } from '../journal/space.ts';
import { encodeOrigin } from '../names/origin.ts';
import type { BucketPlace, PlaceKeys } from '../place.ts';
import { syncPlace, syncTree } from './durable.ts';
import { rootFailure } from './failure.ts';
import type { OriginVault } from './origin-vault.ts';
import type { Root } from './root.ts';

const makeDirectory = (directory: string): void => fs.mkdirSync(directory, { mode: 0o700 });

const journals = ['local-storage', 'locks'] as const;

/** Attempts at creating a bucket whose root keeps vanishing (someone deletes it meanwhile) before giving up. */
const attempts = 20;

/** Someone deleted the root, swept our unfinished work, or created the origin with another bucket: begin again. */
function isPassing(error: unknown): boolean {
  return ['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCodeBehind(error));
}

/** What has a name, links not followed; undefined where nobody can say: whoever goes on meets it again. */
function lookAt(directory: string): fs.Stats | undefined {
  try {
    return fs.lstatSync(directory, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

/** A bucket's directory: built in the root's workshop, complete when it appears in its place. */
export class BucketDirectory implements BucketPlace {
  readonly path: string;
  readonly encryption: PlaceKeys | undefined;
  readonly #vault: OriginVault | undefined;
  readonly #root: Root;
  readonly #origin: string;
  readonly #originPath: string;
  readonly #name: string;
  #settled = false;
  /** Whether it is there, and nothing on the way to it from the root is a link. */
  #isPlain = false;

  constructor(root: Root, origin: string, name: string) {
    this.#root = root;
    this.#origin = origin;
    this.#name = name;
    this.#originPath = path.join(root.origins, encodeOrigin(origin));
    this.path = path.join(this.#originPath, name);
    this.#vault = root.vaults?.of(origin);
    this.encryption = this.#vault?.place(name);
  }

  get space(): Space {
    return this.#root.space;
  }

  ensure(): void {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.requirePlain();
        if (isDirectory(this.path)) return this.#settle();
        this.#root.ensure();
        withDescriptor(() => this.#build());
      } catch (error) {
        if (!isPassing(error) || attempt === attempts) throw rootFailure('write to', this.#root.path, error);
        this.#root.forget();
      }
    }
  }

  /**
   * Looks, until the bucket is there, whether a symbolic link has its name or the origin's. An operator may link the
   * root as a whole; but a link in it may be one tenant's way to another's data, or out of the root.
   *
   * Then, whether what is there and what the host has of keys fit.
   *
   * @throws HoldfastError root-unusable for a link; key-missing where the origin is encrypted and the host encrypts
   * nothing, and what a vault throws
   */
  requirePlain(): void {
    if (this.#isPlain) return;
    let isThere = false;
    for (const directory of [this.#originPath, this.path]) {
      const stats = lookAt(directory);
      if (stats?.isSymbolicLink() === true) throw new HoldfastError('root-unusable', `${directory} is a symbolic link, which is not followed.`);
      isThere = stats !== undefined;
    }
    this.#vault?.require(isThere);
    if (this.#vault === undefined && lookAt(path.join(this.#originPath, 'keys'))) throw new HoldfastError('key-missing', `${this.#origin} is encrypted.`);
    this.#isPlain = isThere;
  }

  /** @throws HoldfastError root-unusable where a link has taken its place; as {@link requirePlain} */
  lost(): void {
    this.#settled = this.#isPlain = false;
    this.#vault?.forget();
    this.#root.forget();
    this.requirePlain();
  }

  /** A bucket made by someone who does not sync must be on the disk before a strict write into it counts as done. */
  #settle(): void {
    this.#vault?.ensure();
    if (this.#settled) return;
    if (this.#root.durability === 'strict') syncBucket(this.path, this.#root.path);
    this.#settled = true;
    this.#root.sweep();
  }

  #build(): void {
    const draft = path.join(this.#root.workshop, randomUuid());
    const originExists = fs.existsSync(this.#originPath);
    try {
      if (!originExists) this.#buildOrigin(draft);
      else {
        this.#vault?.ensure();
        buildBucket(draft, this.encryption);
      }
      if (this.#root.durability === 'strict') syncTree(draft);
      fs.renameSync(draft, originExists ? this.path : this.#originPath);
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true });
      this.#vault?.forget();
      // Another process was first: its directory is in the way of ours, and just as good.
      if (!isDirectory(this.path)) throw error;
    }
  }

  #buildOrigin(draft: string): void {
    makeDirectory(draft);
    const facts = { origin: this.#origin, created: new Date(wallClock()).toISOString() };
    fs.writeFileSync(path.join(draft, 'origin.json'), `${JSON.stringify(facts)}\n`, { flag: 'wx', mode: 0o600 });
    this.#vault?.build(draft);
    buildBucket(path.join(draft, this.#name), this.encryption);
  }
}

/** Makes a bucket in a directory that is not there yet, and that nobody else sees. */
export function buildBucket(draft: string, keys?: PlaceKeys): void {
  makeDirectory(draft);
  for (const name of [...journals, 'files.0', 'swap', 'trash', 'wake']) makeDirectory(path.join(draft, name));
  for (const journal of journals) Journal.create(path.join(draft, journal), [], keys?.journal(journal));
}

/** A bucket that somebody else may have made; its journals too: one that the disk has in part only cannot be opened again. */
export function syncBucket(bucket: string, root: string): void {
  try {
    for (const journal of journals) {
      const directory = path.join(bucket, journal);
      if (!isLink(directory)) syncTree(directory);
    }
    syncPlace(bucket);
  } catch (error) {
    throw rootFailure('sync', root, error);
  }
}
