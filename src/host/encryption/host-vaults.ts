import path from 'node:path';
import { sealKeyFile } from '../../disk/encryption/key-file.ts';
import { writeKeys } from '../../disk/encryption/key-store.ts';
import { encodeOrigin } from '../../disk/names/origin.ts';
import { destroyKeys } from '../../disk/root/encrypted.ts';
import type { Vaults } from '../../disk/root/origin-vault.ts';
import { RecentlyUsed } from '../recently-used.ts';
import { WeakMapByName } from '../weak-map-by-name.ts';
import { sourceOf } from './key-sources.ts';
import type { EncryptionSettings } from './options.ts';
import { Vault } from './vault.ts';

/** How many stay though nobody holds them: what a service gave for one is not asked for again at the next step. */
const WARM = 256;

export class HostVaults implements Vaults {
  readonly #root: string;
  readonly #settings: EncryptionSettings;
  readonly #vaults = new WeakMapByName<Vault>();
  readonly #warm = new RecentlyUsed<Vault>(WARM);

  /** `root`: its absolute path. */
  constructor(root: string, settings: EncryptionSettings) {
    this.#root = root;
    this.#settings = settings;
  }

  of(origin: string): Vault {
    const vault = this.#vaults.get(origin) ?? this.#make(origin);
    this.#warm.use(vault);
    return vault;
  }

  #make(origin: string): Vault {
    const vault = this.at(path.join(this.#root, 'origins', encodeOrigin(origin)), origin);
    this.#vaults.set(origin, vault);
    return vault;
  }

  at(directory: string, origin: string): Vault {
    return new Vault(directory, path.join(this.#root, 'new'), origin, this.#settings);
  }

  async rebind(directory: string, from: string, to: string): Promise<void> {
    const source = this.at(directory, from);
    await source.prepare();
    const target = sourceOf(to, this.#settings);
    await target.prepare(null);
    const { active, kms, isStored } = target.take?.() ?? target.keysFor(null);
    const keys = source.keys.withKms(kms, isStored);
    destroyKeys(directory);
    writeKeys(directory, sealKeyFile(active, keys.file, to));
  }

  async succeed(staged: string, origin: string): Promise<void> {
    const names = this.of(origin).storedNames;
    const vault = this.at(staged, origin);
    await vault.prepare();
    vault.inherit(names);
  }
}
