import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { systemCode } from '../journal/disk-error.ts';
import { ensureDirectory } from '../directories.ts';
import { volumeFoldsNames } from '../names/probe.ts';
import type { Shared } from '../journal/lockfile.ts';
import { DiskSpace } from './disk-space.ts';
import type { Durability } from './durable.ts';
import { syncPath } from './durable.ts';
import { rootFailure, rootReadFailure } from './failure.ts';
import { foreignEntry, foreignError, hasOrigins } from './foreign.ts';
import type { Manifest } from './manifest.ts';
import { publishManifest, readManifest } from './manifest.ts';
import type { Vaults } from './origin-vault.ts';
import { requireLocalDisk } from './volume.ts';
import { sweepWorkshop } from './workshop.ts';

/**
 * The directory that holds all data of one deployment on one machine.
 *
 * - Making a `Root`, and reading through it, changes nothing on the disk.
 * - It is complete once `holdfast.json` is there, which is linked into place last; anyone may finish an unfinished one.
 * - Whatever is not complete yet is built in `new/` and moved to its place by one rename.
 * - Only what has the spelling of what Holdfast makes is ever deleted; a directory in which somebody else's entries
 *   have names of ours does not become a root.
 * - Directories are for their owner only (0700), and so are files (0600).
 */
export class Root {
  readonly path: string;
  readonly durability: Durability;
  /** Set where appends need not be atomic: then it may be on a network disk. */
  readonly shared: Shared | undefined;
  readonly space: DiskSpace;
  /** Undefined: whoever has this encrypts nothing, and encrypted origins are closed to it. */
  readonly vaults: Vaults | undefined;
  #manifest: Manifest | null = null;
  /** Whether something of the root was found to be missing. */
  #incomplete = false;
  #swept = false;

  constructor(directory: string, durability: Durability, shared?: Shared, vaults?: Vaults) {
    this.path = directory;
    this.durability = durability;
    this.shared = shared;
    this.vaults = vaults;
    this.space = new DiskSpace(directory);
  }

  /** Holds each origin's directory. */
  get origins(): string {
    return path.join(this.path, 'origins');
  }

  /** Where what is not complete yet is built. */
  get workshop(): string {
    return path.join(this.path, 'new');
  }

  /**
   * What the root's manifest says; null while there is no root. The disk is looked at until the root exists.
   *
   * @throws HoldfastError root-newer, root-unusable, disk-unsupported, disk-failed
   */
  open(): Manifest | null {
    if (this.#manifest !== null) return this.#manifest;
    const manifest = readManifest(this.path) ?? this.#lostManifest();
    if (manifest !== null) this.#requireFitDisk();
    return (this.#manifest = manifest);
  }

  /**
   * Creates the root unless it exists. Any number of processes may do so at once.
   *
   * @throws HoldfastError what `open` throws, root-read-only, disk-full
   */
  ensure(): Manifest {
    const manifest = this.open();
    if (manifest !== null && !this.#incomplete) return manifest;
    this.#requireFitDisk();
    try {
      if (manifest === null) this.#requireNothingForeign();
      withDescriptor(() => this.#create());
    } catch (error) {
      throw rootFailure('create', this.path, error);
    }
    const created = this.open();
    if (created === null) throw new HoldfastError('disk-failed', `The root ${this.path} vanished while it was created.`);
    this.#incomplete = false;
    return created;
  }

  /** To be called when the root, or a part of it, is found to have been deleted. */
  forget(): void {
    this.#manifest = null;
    this.#incomplete = true;
  }

  /** Removes what killed processes left in the workshop; looks once. */
  sweep(): void {
    if (this.#swept) return;
    this.#swept = true;
    sweepWorkshop(this.workshop);
  }

  #requireFitDisk(): void {
    if (this.shared === undefined) requireLocalDisk(this.path);
  }

  #create(): void {
    ensureDirectory(this.path);
    // A directory with other things in it is not ours to hide from version control.
    if (fs.readdirSync(this.path).length === 0) this.#ignoreInGit();
    ensureDirectory(this.workshop);
    ensureDirectory(this.origins);
    // Whatever the durability: origins without a manifest, or a manifest without its directories, are of no use to anyone.
    syncPath(this.path);
    publishManifest(this.path, this.workshop, volumeFoldsNames(this.workshop));
    syncPath(this.path);
  }

  #requireNothingForeign(): void {
    const entry = foreignEntry(this.path);
    // Another process may have created the root, and more in it, since we looked.
    if (entry !== null && readManifest(this.path) === null) throw foreignError(this.path, entry);
  }

  #ignoreInGit(): void {
    try {
      fs.writeFileSync(path.join(this.path, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 });
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }

  /** Data without a manifest is not a new root: its format and salt are lost. */
  #lostManifest(): Manifest | null {
    let origins: string[];
    try {
      origins = fs.readdirSync(this.origins);
    } catch (error) {
      const code = systemCode(error);
      if (code === 'ENOENT') return null;
      throw rootReadFailure(this.path, error);
    }
    if (origins.length === 0) return null;
    // Another process may have created the root, and origins in it, since we looked.
    const manifest = readManifest(this.path);
    if (manifest !== null) return manifest;
    const [first = ''] = origins;
    if (!hasOrigins(this.origins, origins)) throw foreignError(this.path, path.join('origins', first));
    throw new HoldfastError(
      'root-unusable',
      `The root ${this.path} holds origins but no holdfast.json; restore it from a backup.`,
    );
  }
}
