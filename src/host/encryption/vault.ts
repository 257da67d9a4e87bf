import path from 'node:path';
import { isKeyOf, parseKeyFile, sealKeyFile, type SealedKeyFile } from '../../disk/encryption/key-file.ts';
import { addKeys, readKeys, replaceKeys, stampOf, writeKeys } from '../../disk/encryption/key-store.ts';
import { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import type { RootKeySource } from '../../disk/encryption/root-key-source.ts';
import type { AesSiv } from '../../disk/encryption/aes-siv.ts';
import type { JournalEncryption } from '../../disk/journal/journal-cipher.ts';
import { descriptionsWith, SealedDatabase } from '../../disk/encryption/databases/sealed-database.ts';
import { isDirectory } from '../../disk/directories.ts';
import { syncDirectories } from '../../disk/root/sync-directories.ts';
import { tracesIn } from '../../disk/encryption/traces.ts';
import { visibleNamesOf } from '../../disk/encryption/visible-names.ts';
import { FileSealing } from '../../disk/encryption/files/file-sealing.ts';
import { MovingNames } from '../../disk/encryption/files/moving-names.ts';
import { noNames } from '../../disk/encryption/files/no-names.ts';
import { SealedNames } from '../../disk/encryption/files/sealed-names.ts';
import type { NameScript } from '../../disk/names/script.ts';
import type { PlaceKeys } from '../../disk/place.ts';
import type { DatabaseSealing, Sealing, WrittenOnce } from '../../disk/tree/sealing.ts';
import type { OriginVault } from '../../disk/root/origin-vault.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { sourceOf, type KeySource, type RootKeys } from './key-sources.ts';
import { bytesOfNames, isStored, namesIn } from './stored-source.ts';
import { requireKeysThere, requireMigratable } from './migratable.ts';
import { openKeys } from './open-keys.ts';
import type { EncryptionSettings } from './options.ts';
import { VaultJournal } from './vault-journal.ts';

/*
 * Invariants
 * - Whatever is wrong with keys is an error before anything is written.
 * - Keys that are held are those of the file that is there, as of the last time that anything was opened or made; but
 *   while an origin is built they are those of its draft.
 * - Nothing is encrypted with keys that are not on the disk.
 */

export class Vault implements OriginVault {
  readonly origin: string;
  readonly directory: string;
  readonly migrates: boolean;
  readonly #workshop: string;
  readonly #settings: EncryptionSettings;
  readonly #source: KeySource;
  #keys: OriginKeys | null = null;
  #rootKeys: RootKeys | null = null;
  /** Of the file that the keys are from. */
  #stamp: string | null = null;
  #isBuilding = false;
  /** What the key that was given did not open. Who gave it may know better now: who can wait asks, the others say what is wrong. */
  #unopened: SealedKeyFile | null = null;

  /** Why the last who could wait got no key, or what it did not open. */
  #failure: unknown = null;

  constructor(directory: string, workshop: string, origin: string, settings: EncryptionSettings) {
    this.origin = origin;
    this.directory = directory;
    this.#workshop = workshop;
    this.#settings = settings;
    this.migrates = settings.migrates;
    this.#source = sourceOf(origin, settings);
  }

  require(isThere: boolean): void {
    this.#isBuilding = false;
    this.refresh();
    if (this.#keys !== null) return;
    // Whatever is wrong with the key is told by the first use, not by the first write.
    this.#rootKeysFor(null);
    if (isThere && !this.migrates) throw this.#notEncrypted();
  }

  ensure(): void {
    this.#isBuilding = false;
    this.refresh();
    if (this.#keys !== null) return;
    if (!this.migrates) throw this.#notEncrypted();
    requireMigratable(this.directory, this.origin);
    addKeys(this.directory, this.#workshop, this.#create(true).bytes);
    this.refresh();
  }

  build(draft: string): void {
    const { keys, bytes } = this.#create(false);
    writeKeys(draft, bytes);
    this.#keys = keys;
    this.#isBuilding = true;
  }

  #create(isMigrating: boolean): { readonly keys: OriginKeys; readonly bytes: Uint8Array } {
    const { active, kms, isStored: isElsewhere } = this.#source.take?.() ?? this.#rootKeysFor(null);
    const keys = OriginKeys.create(this.origin, { visibleNames: this.#settings.visibleNames, isMigrating, kms }).withKms(kms, isElsewhere);
    return { keys, bytes: sealKeyFile(active, keys.file, this.origin) };
  }

  forget(): void {
    this.#keys = null;
    this.#stamp = null;
    this.#isBuilding = false;
    this.#failure = null;
  }

  /** Reads the file of keys if it is another one than before. @throws HoldfastError */
  refresh(): void {
    if (this.#isBuilding) return;
    const stamp = stampOf(this.directory);
    if (stamp !== null && stamp === this.#stamp) return;
    this.#keys = null;
    const file = this.#sealed();
    if (file === null) return;
    this.#keys = this.#open(file);
    this.#stamp = stamp;
  }

  #sealed(): SealedKeyFile | null {
    const bytes = readKeys(this.directory);
    const file = bytes === null ? null : parseKeyFile(bytes, this.origin);
    if (file === null || !isStored(file) || this.#settings.store !== undefined) return file;
    throw new HoldfastError('key-missing', `The key of ${this.origin} is in a store, and none was given: option 'encryption.store' is missing.`);
  }

  #open(file: SealedKeyFile): OriginKeys {
    const rootKeys = this.#rootKeysFor(file);
    this.#unopened = file;
    const keys = openKeys(rootKeys, file, this.origin);
    [this.#unopened, this.#rootKeys] = [null, rootKeys];
    return keys;
  }

  /** Made where the origin is there without; see {@link PlaceKeys}. */
  get keys(): OriginKeys {
    if (this.#keys === null) this.refresh();
    if (this.#keys === null) this.ensure();
    if (this.#keys === null) throw this.#notEncrypted();
    return this.#keys;
  }

  /** The keys, if there are any. */
  get held(): OriginKeys | null {
    return this.#keys;
  }

  /** Who cannot wait hears why there is no key, where that is known, while another one may be on its way. */
  #rootKeysFor(file: SealedKeyFile | null): RootKeys {
    try {
      return this.#source.keysFor(file);
    } catch (error) {
      if (this.#failure !== null && error instanceof HoldfastError && error.code === 'key-pending') throw this.#failure;
      throw error;
    }
  }

  async prepare(): Promise<void> {
    try {
      await this.#prepared();
      this.#failure = null;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  async #prepared(): Promise<void> {
    if (this.#unopened !== null) this.#source.doubt?.(this.#unopened);
    if (this.#keys === null || stampOf(this.directory) !== this.#stamp) await this.#source.prepare(this.#sealedOrNone());
    this.refresh();
  }

  /** Nothing is put into a store for an origin that is refused. */
  #sealedOrNone(): SealedKeyFile | null {
    const file = this.#sealed();
    if (file === null && this.#settings.store !== undefined && !this.migrates && isDirectory(this.directory)) throw this.#notEncrypted();
    return file;
  }

  /** Whether the file of keys is wrapped with what is the root key now. */
  get #isCurrent(): boolean {
    const file = this.#sealed();
    return file === null || isKeyOf(this.#source.keysFor(file).active, file, this.origin);
  }

  async rewrap(withNewKey: boolean): Promise<boolean> {
    this.#isBuilding = false;
    this.refresh();
    const isRenewed = await this.#renew();
    if (!withNewKey && this.#keys !== null && this.#isCurrent) return isRenewed;
    this.replace((keys) => (withNewKey ? keys.withNewKey() : keys));
    return true;
  }

  /** Of what is elsewhere than in the root. Where it comes to be there, the file of keys is wrapped anew. */
  async #renew(): Promise<boolean> {
    const file = this.#sealed();
    const rootKeys = file === null ? undefined : await this.#source.renew?.(file);
    if (file === null || rootKeys === undefined || rootKeys === null) return false;
    this.#rootKeys = rootKeys;
    if (!isStored(file)) this.replace((keys) => keys);
    return true;
  }

  async destroy(): Promise<void> {
    const file = this.#sealed();
    if (file === null || !isStored(file)) return;
    await this.#source.destroy?.(file);
    this.forget();
  }

  /** The names under which a store has keys of this origin, once it was opened. */
  get storedNames(): readonly string[] {
    const file = this.#sealed();
    return file === null || !isStored(file) ? [] : namesIn(file);
  }

  /** Takes over the names of an origin that this one is to replace: who deletes this one destroys its keys too. */
  inherit(names: readonly string[]): void {
    this.refresh();
    const own = this.storedNames;
    if (names.every((name) => own.includes(name))) return;
    if (this.#rootKeys?.isStored !== true) throw new HoldfastError('encryption-unsupported', `${this.origin} has a key in a store, and what is to replace it has none: delete it first.`);
    this.#rootKeys = { ...this.#rootKeys, kms: bytesOfNames([...own, ...names]) };
    this.replace((keys) => keys);
  }

  retire(): readonly string[] {
    // What is being made elsewhere, of whatever origin, may have its place by the next look.
    const made = tracesIn(this.#workshop).ids;
    const { ids, plain, unfinished } = tracesIn(this.directory, made);
    const left = [...plain, ...unfinished].map((file) => path.relative(this.directory, file));
    if (left.length === 0 && this.keys.ids.some((id) => !ids.has(id) && id !== this.keys.activeId)) this.#settle((keys) => keys.only(ids));
    return left;
  }

  get isMigrating(): boolean {
    return this.keys.isMigrating;
  }

  endMigration(): readonly string[] {
    this.refresh();
    const { plain, unfinished } = tracesIn(this.directory);
    const visible = this.keys.visibleNames ? [] : visibleNamesOf(this.directory, (bucket) => new SealedNames(this.keys.namesCipher(bucket)));
    const left = [...new Set([...plain, ...unfinished, ...visible])].map((file) => path.relative(this.directory, file));
    if (left.length === 0 && this.keys.isMigrating) this.#settle((keys) => keys.migrated());
    return left;
  }

  /** Keys that say what is no longer there must not come to the disk before the names that took its place. */
  #settle(change: (keys: OriginKeys) => OriginKeys): void {
    syncDirectories(this.directory);
    this.replace(change);
  }

  /** Puts other keys, or the same wrapped anew, in the place of those that are there; under the lock of maintenance. */
  replace(change: (keys: OriginKeys) => OriginKeys): void {
    this.#isBuilding = false;
    this.refresh();
    if (this.#keys === null || this.#rootKeys === null || this.#stamp === null) throw this.#notEncrypted();
    const { active, kms, isStored: isElsewhere } = this.#rootKeys;
    const bytes = sealKeyFile(active, change(this.#keys).withKms(kms, isElsewhere).file, this.origin);
    const isOurs = replaceKeys(this.directory, this.#workshop, this.#stamp, bytes);
    this.refresh();
    if (!isOurs) throw new HoldfastError('root-busy', `Somebody else has changed the keys of ${this.origin} meanwhile; nothing was changed here. Try again.`);
  }

  /** Whether what is from before the origin was encrypted may be read, as far as is known: that ends, and never begins. */
  get allowsPlain(): boolean {
    return this.migrates && (this.#keys === null || this.#keys.isMigrating);
  }

  /** A generation from before the origin was encrypted may be read while that is under way. */
  requirePlainAllowed(what: string): void {
    if (this.allowsPlain) return;
    throw this.#keys === null ? this.#notEncrypted() : new HoldfastError('not-encrypted', `${what} is not encrypted, and ${this.origin} is: it is not used.`);
  }

  #notEncrypted(): HoldfastError {
    requireKeysThere(this.directory, this.origin);
    return new HoldfastError('not-encrypted', `${this.origin} is not encrypted, and the host encrypts; with encryption.plain 'migrate' it will be, with its next write.`);
  }

  place(bucket: string): PlaceKeys {
    return new VaultPlace(this, bucket);
  }

  /** New keys elsewhere are wrapped with what has wrapped the root's, if there are any. */
  get rootKeys(): RootKeySource {
    const { outside } = this.#source;
    // What is in a store is one root's alone.
    if (outside !== undefined) return { origin: this.origin, prepare: (file) => outside.prepare(file), keysFor: (file) => outside.keysFor(file) };
    return {
      origin: this.origin,
      prepare: (file) => (file === null ? this.prepare() : this.#source.prepare(file)),
      keysFor: (file) => (file === null && this.#keys !== null && this.#rootKeys !== null ? this.#rootKeys : this.#source.keysFor(file)),
    };
  }
}

class VaultPlace implements PlaceKeys {
  readonly sealing: Sealing;
  readonly descriptions: WrittenOnce;
  readonly migrates: boolean;
  readonly #vault: Vault;
  readonly #bucket: string;
  #names: { readonly keys: OriginKeys; readonly script: NameScript; readonly cipher: AesSiv } | null = null;

  constructor(vault: Vault, bucket: string) {
    this.#vault = vault;
    this.migrates = vault.migrates;
    this.#bucket = bucket;
    const present = (): OriginKeys => this.#present;
    const keys = {
      get activeId() {
        return present().activeId;
      },
      get oldestId() {
        return present().oldestId;
      },
      get allowsPlain() {
        if (!vault.allowsPlain) return false;
        vault.refresh();
        return vault.allowsPlain;
      },
      fileKey: (id: number, salt: Uint8Array) => present().fileKey(id, salt),
    };
    this.sealing = new FileSealing(keys, (visible) => this.#script(visible), bucket);
    this.descriptions = descriptionsWith(this.sealing);
  }

  /** Those of the origin that is there now: what another one's would encrypt, nobody could read. */
  get #present(): OriginKeys {
    this.#vault.refresh();
    return this.#vault.keys;
  }

  /** Whoever reads only what is encrypted has to find what has its name from before, too: not to make another one of that name. */
  #script(visible: NameScript): NameScript {
    this.#vault.refresh();
    const keys = this.#vault.held;
    if (keys === null) return this.#vault.allowsPlain ? visible : noNames;
    if (keys.visibleNames) return visible;
    const { script } = this.#namesOf(keys);
    return keys.isMigrating ? new MovingNames(script, visible) : script;
  }

  #namesOf(keys: OriginKeys): { readonly script: NameScript; readonly cipher: AesSiv } {
    if (this.#names?.keys === keys) return this.#names;
    const cipher = keys.namesCipher(this.#bucket);
    this.#names = { keys, cipher, script: new SealedNames(cipher) };
    return this.#names;
  }

  database(name: string): DatabaseSealing {
    return new SealedDatabase(this.sealing, this.#namesOf(this.#present).cipher, name);
  }

  get keys(): OriginKeys {
    return this.#present;
  }

  get rootKeys(): RootKeySource {
    return this.#vault.rootKeys;
  }

  get allowsPlain(): boolean {
    return this.#vault.allowsPlain;
  }

  beside(bucket: string): PlaceKeys {
    return this.#vault.place(bucket);
  }

  journal(name: string): JournalEncryption {
    return new VaultJournal(this.#vault, `${this.#bucket}/${name}`);
  }

  prepare(): Promise<void> {
    return this.#vault.prepare();
  }
}
