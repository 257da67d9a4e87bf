import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { ensureDirectory, isDirectory } from '../directories.ts';
import { systemCodeBehind } from '../journal/disk-error.ts';
import { candidateDirectory } from '../journal/generation-file.ts';
import { Journal } from '../journal/journal.ts';
import type { Space } from '../journal/space.ts';
import { encodeOrigin } from '../names/origin.ts';
import type { BucketPlace, PlaceKeys } from '../place.ts';
import { BucketDirectory } from '../root/bucket-directory.ts';
import { syncPlace, syncTree } from '../root/durable.ts';
import { rootFailure } from '../root/failure.ts';
import type { OriginVault } from '../root/origin-vault.ts';
import type { Root } from '../root/root.ts';
import { namesWith, SPELLING, type SpelledCoordinator } from './coordinator-names.ts';
import { moveCoordinator } from './move-coordinator.ts';
import { OwnedMachine } from './owned-machine.ts';
import { TURNS } from './owned-journal.ts';

/** In a coordinator's directory the bucket of what else it stores. */
export const STORAGE = 'storage';

/** In code units. */
const LONGEST_NAME = 512;

const CLASS_NAME = /^[A-Za-z][A-Za-z0-9_-]{0,63}$/;

/** Attempts at making a directory whose root keeps vanishing before giving up. */
const ATTEMPTS = 20;

/** Which coordinator. */
export interface CoordinatorKey {
  /** Serialized. */
  readonly origin: string;
  readonly className: string;
  readonly name: string;
}

/** @throws HoldfastError `bad-option` */
export function requireClassName(className: string): void {
  if (CLASS_NAME.test(className)) return;
  throw new HoldfastError('bad-option', `The class of a coordinator is known by a letter and at most 63 letters, digits, '_' and '-' after it, not '${className.slice(0, 80)}'.`);
}

/** @throws HoldfastError `bad-option` */
export function requireName(name: unknown): string {
  if (typeof name === 'string' && name.length > 0 && name.length <= LONGEST_NAME) return name;
  throw new HoldfastError('bad-option', `The name of a coordinator is a string of 1 to ${LONGEST_NAME} code units${typeof name === 'string' ? `, not of ${name.length}` : ''}.`);
}

/**
 * The directory of one coordinator. It holds a journal and nothing else: 12 KB and three inodes; what else its storage
 * has comes with the first use, in a bucket within.
 *
 * In an encrypted origin its path depends on the keys: it is one of the origin that is there when this is made, and of no
 * other that has its place later.
 */
export class CoordinatorPlace implements BucketPlace {
  readonly encryption: PlaceKeys | undefined;
  /** Those of the bucket within. */
  readonly storageEncryption: PlaceKeys | undefined;
  readonly #root: Root;
  readonly #key: CoordinatorKey;
  readonly #vault: OriginVault | null;
  /** How it is called by those keys; null: by none, so that nobody has to keep it while the coordinator rests in memory. */
  readonly #sealed: SpelledCoordinator | null;
  #isSettled = false;

  /**
   * @param vault - the origin's keys; null: it is not encrypted
   * @throws as {@link CoordinatorNames.spell}
   */
  constructor(root: Root, key: CoordinatorKey, vault: OriginVault | null = root.vaults?.of(key.origin) ?? null) {
    this.#root = root;
    this.#key = key;
    this.#vault = vault;
    this.#sealed = vault === null ? null : namesWith(vault).spell(key);
    this.encryption = this.#sealed === null ? undefined : vault?.place(this.#sealed.directory);
    this.storageEncryption = this.#sealed === null ? undefined : vault?.place(`${this.#sealed.directory}/${STORAGE}`);
  }

  /** Below the origin's: what its keys are of, too. */
  get directory(): string {
    return this.#spelled.directory;
  }

  get path(): string {
    return path.join(this.#root.origins, encodeOrigin(this.#key.origin), this.directory);
  }

  get #spelled(): SpelledCoordinator {
    return this.#sealed ?? namesWith(null).spell(this.#key);
  }

  /** Whether the coordinator is still to be found at this path. @throws HoldfastError as a vault's `require` */
  get isCurrent(): boolean {
    return this.#vault === null || namesWith(this.#vault).spell(this.#key).directory === this.directory;
  }

  /**
   * Where it is as long as it is not at its path: as it was called before its origin was encrypted. Null: nowhere else.
   *
   * @throws HoldfastError as a vault's `require`
   */
  get unmoved(): string | null {
    const before = namesWith(this.#vault).before(this.#key);
    if (before === null || isDirectory(this.path)) return null;
    const directory = path.join(this.#root.origins, encodeOrigin(this.#key.origin), before);
    return isDirectory(directory) ? directory : null;
  }

  get space(): Space {
    return this.#root.space;
  }

  /**
   * Has it go on encrypted, and at its path, where it is from before its origin was: nothing is added to it before.
   *
   * @throws as {@link moveCoordinator}
   */
  move(): void {
    if (this.encryption === undefined || namesWith(this.#vault).before(this.#key) === null) return;
    const move = { from: this.unmoved, to: this.path, encryption: this.encryption.journal(TURNS), spelling: this.#spelled.spelling, workshop: this.#root.workshop };
    if (move.from !== null || isDirectory(this.path)) moveCoordinator(move);
  }

  ensure(): void {
    for (let attempt = 1; ; attempt += 1) {
      try {
        this.move();
        if (isDirectory(this.path)) return this.#settle();
        // An origin that is not there yet is made as always, with its own bucket.
        new BucketDirectory(this.#root, this.#key.origin, 'default').ensure();
        if (!this.isCurrent) throw new HoldfastError('origin-missing', `The origin ${this.#key.origin} in which ${this.path} was is not there any more.`);
        ensureDirectory(path.dirname(this.path));
        withDescriptor(() => this.#build());
      } catch (error) {
        if (!['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes(systemCodeBehind(error)) || attempt === ATTEMPTS) throw rootFailure('write to', this.#root.path, error);
        this.#root.forget();
      }
    }
  }

  /** @throws HoldfastError as that of the origin's bucket: key-missing where it is encrypted and nobody here has its key */
  requirePlain(): void {
    new BucketDirectory(this.#root, this.#key.origin, 'default').requirePlain();
  }

  lost(): void {
    this.#isSettled = false;
    this.#root.forget();
  }

  /** Whoever made it may not have waited until the disk had it. */
  #settle(): void {
    if (this.#isSettled) return;
    if (this.#root.durability === 'strict') {
      syncTree(path.join(this.path, TURNS));
      syncPlace(this.path);
    }
    this.#isSettled = true;
  }

  #build(): void {
    const draft = path.join(this.#root.workshop, randomUuid());
    try {
      const turns = path.join(draft, TURNS);
      fs.mkdirSync(draft, { mode: 0o700 });
      fs.mkdirSync(turns, { mode: 0o700 });
      Journal.create(turns, new OwnedMachine().snapshot(), this.encryption?.journal(TURNS));
      // The first compaction makes it again.
      fs.rmdirSync(candidateDirectory(turns));
      const { spelling } = this.#spelled;
      if (spelling !== null) fs.writeFileSync(path.join(draft, SPELLING), spelling, { mode: 0o600 });
      if (this.#root.durability === 'strict') syncTree(draft);
      fs.renameSync(draft, this.path);
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true });
      // Another process was first: its directory is in the way of ours, and just as good.
      if (!isDirectory(this.path)) throw error;
    }
  }
}
