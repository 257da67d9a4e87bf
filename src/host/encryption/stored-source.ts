import { Buffer } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import { entropy } from '../../disk/encryption/entropy.ts';
import { isKeyOf, MOST_KMS_BYTES, openKeyFile, parseKeyFile, sealKeyFile, type KeyFile, type SealedKeyFile } from '../../disk/encryption/key-file.ts';
import { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import { STORED } from '../../disk/root/key-file-head.ts';
import { isUint8Array } from '../../runtime/byte-brands.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { bad } from '../option-checks.ts';
import type { KeySource, RootKeys } from './key-sources.ts';
import type { KeyStore } from './options.ts';
import { bounded, pending } from './waiting.ts';

/*
 * Between the root key and an origin's keys there is one more: a random one, which is in a store, wrapped by the root key,
 * and nowhere else. The file of keys in the root is wrapped with it, and says its name. So neither a root nor a backup can
 * be read without the store, whatever state of the origin's keys it has; and data keys come and go without it.
 *
 * Invariants
 * - A name is never used for a second key: of two processes that make an origin at once each puts its own, and the root
 *   says which counts. No store has to compare anything, and none can lose a key by being asked in the wrong order.
 * - Nothing is wrapped with a key that the store has not given back.
 * - What is put under a name again is the same key, wrapped anew.
 */

const NAME_BYTES = 16;

/** A key as the store has it. */
interface Entry {
  readonly name: string;
  readonly secret: KeyObject;
  readonly file: KeyFile;
  /** Null: it was made here, by what wraps now. */
  readonly sealed: SealedKeyFile | null;
  readonly store: KeyStore;
}

/** Whether what opens a file of keys is in a store. */
export function isStored(file: SealedKeyFile): boolean {
  return (file.flags & STORED) !== 0;
}

/** The names under which a store has what opens a file of keys, and former ones of the same origin: the present one first. */
export function namesIn(file: Pick<SealedKeyFile, 'kms'>): string[] {
  const hex = Buffer.from(file.kms).toString('hex');
  return hex.match(new RegExp(`.{${2 * NAME_BYTES}}`, 'g')) ?? [];
}

/** Names as a file of keys has them. @throws HoldfastError `encryption-unsupported` */
export function bytesOfNames(names: readonly string[]): Uint8Array {
  const bytes = Uint8Array.from(Buffer.from([...new Set(names)].join(''), 'hex'));
  if (bytes.length > MOST_KMS_BYTES) throw new HoldfastError('encryption-unsupported', 'An origin was replaced so often that its file of keys has no room for one more name of a key in a store: delete it first.');
  return bytes;
}

export class StoredSource implements KeySource {
  readonly outside: KeySource;
  readonly #origin: string;
  readonly #store: KeyStore;
  readonly #previous: readonly KeyStore[];
  readonly #known = new Map<string, Entry>();
  readonly #waiting = new Map<string, Promise<void>>();
  /** For an origin that is yet to be made, or moved to the store: no root names it. */
  #unused: Entry | null = null;
  /** What an origin was made with that may have lost its place to another one's. */
  #taken: Entry | null = null;

  /** `outside`: what wraps keys that are in no root. */
  constructor(origin: string, store: KeyStore, previous: readonly KeyStore[], outside: KeySource) {
    this.#origin = origin;
    this.#store = store;
    this.#previous = previous;
    this.outside = outside;
  }

  keysFor(file: SealedKeyFile | null): RootKeys {
    if (file !== null && !isStored(file)) return this.outside.keysFor(file);
    const entry = file === null ? this.#unused : this.#entryOf(file);
    if (entry !== null) return this.#rootKeys(entry, file);
    this.#begin(file).catch(() => undefined);
    throw pending(this.#origin);
  }

  #entryOf(file: SealedKeyFile): Entry | null {
    this.#dropUnused(namesIn(file));
    return this.#known.get(this.#nameIn(file)) ?? null;
  }

  #rootKeys({ name, secret }: Entry, file: SealedKeyFile | null): RootKeys {
    const names = file === null || !isStored(file) ? [name] : namesIn(file);
    return { active: secret, kms: bytesOfNames(names), all: [secret], isStored: true };
  }

  async prepare(file: SealedKeyFile | null): Promise<void> {
    if (file !== null && !isStored(file)) return this.outside.prepare(file);
    if ((file === null ? this.#unused : this.#entryOf(file)) !== null) return;
    const waiting = this.#begin(file);
    try {
      await bounded(this.#origin, waiting);
    } catch (error) {
      // Who comes next asks anew.
      if (this.#waiting.get(this.#nameIn(file)) === waiting) this.#waiting.delete(this.#nameIn(file));
      throw error;
    }
  }

  doubt(file: SealedKeyFile): void {
    if (isStored(file)) this.#known.delete(this.#nameIn(file));
    else this.outside.doubt?.(file);
  }

  take(): RootKeys {
    const keys = this.keysFor(null);
    // What one origin was made with is not for another one, should that be deleted, and its key with it.
    if (this.#unused !== null) this.#known.set(this.#unused.name, this.#unused);
    this.#taken = this.#unused;
    this.#unused = null;
    return keys;
  }

  /** Whether or not somebody else has made the origin is known once it is there. */
  #dropUnused(names: readonly string[]): void {
    const dropped = [this.#unused, this.#taken].flatMap((entry) => (entry === null || names.includes(entry.name) ? [] : [entry.name]));
    this.#unused = this.#taken = null;
    for (const name of dropped) this.#ask('delete', () => this.#store.delete(name, this.#origin)).catch(() => undefined);
  }

  #begin(file: SealedKeyFile | null): Promise<void> {
    const name = this.#nameIn(file);
    const before = this.#waiting.get(name);
    if (before !== undefined) return before;
    const waiting = this.#wait(name).finally(() => {
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    });
    this.#waiting.set(name, waiting);
    return waiting;
  }

  async #wait(name: string): Promise<void> {
    if (name !== '') this.#known.set(name, await this.#fetch(name));
    else this.#unused = await this.#make();
  }

  /** Empty for what is yet to be made. */
  #nameIn(file: SealedKeyFile | null): string {
    if (file === null) return '';
    const [name] = namesIn(file);
    if (name !== undefined && file.kms.length % NAME_BYTES === 0) return name;
    throw new HoldfastError('keys-damaged', `The keys of ${this.#origin} are in a store, and do not say under which name. Restore the file 'keys' of the origin from a backup.`);
  }

  async #make(): Promise<Entry> {
    await this.outside.prepare(null);
    const { active, kms } = this.outside.keysFor(null);
    const name = Buffer.from(entropy(NAME_BYTES)).toString('hex');
    const { file } = OriginKeys.create(this.#labelOf(name), { visibleNames: false, isMigrating: false, kms });
    await this.#put(name, sealKeyFile(active, file, this.#labelOf(name)));
    return { name, file, secret: secretIn(file), sealed: null, store: this.#store };
  }

  /** @throws HoldfastError `key-missing` where no store has it; `key-wrong`, `key-pending`, `keys-damaged` */
  async #fetch(name: string): Promise<Entry> {
    const entry = await this.#find(name);
    if (entry !== null) return entry;
    throw new HoldfastError('key-missing', `The option 'encryption.store' has no key of ${this.#origin} under the name ${name}: it was deleted there, or this is another store.`);
  }

  async #find(name: string): Promise<Entry | null> {
    for (const store of [this.#store, ...this.#previous]) {
      const bytes = await this.#ask('give', () => store.get(name, this.#origin));
      if (bytes !== undefined && bytes !== null) return this.#open(name, store, bytes);
    }
    return null;
  }

  async #open(name: string, store: KeyStore, bytes: unknown): Promise<Entry> {
    if (!isUint8Array(bytes)) throw bad(`What option 'encryption.store' gives for ${this.#origin} must be the Uint8Array that was put.`);
    const label = this.#labelOf(name);
    const sealed = this.#judged(name, () => parseKeyFile(bytes, label));
    await this.outside.prepare(sealed);
    const rootKey = this.outside.keysFor(sealed).all.find((each) => isKeyOf(each, sealed, label));
    if (rootKey === undefined) {
      this.outside.doubt?.(sealed);
      throw new HoldfastError('key-wrong', `The key that was given is not that of ${this.#origin}, whose key in the store, ${name}, another one has wrapped. Nothing was opened.`);
    }
    const file = this.#judged(name, () => openKeyFile(rootKey, sealed, label));
    return { name, file, secret: secretIn(file), sealed, store };
  }

  #judged<T>(name: string, body: () => T): T {
    try {
      return body();
    } catch (cause) {
      if (!(cause instanceof HoldfastError) || cause.code !== 'keys-damaged') throw cause;
      throw new HoldfastError('keys-damaged', `What option 'encryption.store' gives for ${this.#origin} under the name ${name} is not what was put: bring it back there.`, { cause });
    }
  }

  /** An entry of another origin, or under another name, is none of this one's. */
  #labelOf(name: string): string {
    return `${this.#origin} in a store as ${name}`;
  }

  async #put(name: string, bytes: Uint8Array): Promise<void> {
    await this.#ask('keep', () => this.#store.put(name, Uint8Array.from(bytes), this.#origin));
    const given: unknown = await this.#ask('give', () => this.#store.get(name, this.#origin));
    if (isUint8Array(given) && Buffer.from(given).equals(bytes)) return;
    throw bad(`Option 'encryption.store' does not give back what was put for ${this.#origin}; nothing was encrypted with it.`);
  }

  /** What a store throws may say what nobody else should know: it is the cause, and not repeated. */
  async #ask<T>(what: string, body: () => T): Promise<Awaited<T>> {
    try {
      return await body();
    } catch (cause) {
      throw new HoldfastError('key-missing', `The option 'encryption.store' could not ${what} the key of ${this.#origin}.`, { cause });
    }
  }

  async renew(file: SealedKeyFile): Promise<RootKeys | null> {
    if (!isStored(file)) {
      await this.prepare(null);
      return this.take();
    }
    return (await bounded(this.#origin, this.#renewAll(namesIn(file)))) ? this.keysFor(file) : null;
  }

  /** Backups may need the former ones, of which it is enough that they are there. */
  async #renewAll([present = '', ...former]: readonly string[]): Promise<boolean> {
    let isChanged = await this.#renewOne(await this.#fetch(present));
    for (const name of former) {
      const entry = await this.#find(name);
      if (entry !== null && (await this.#renewOne(entry))) isChanged = true;
    }
    return isChanged;
  }

  async #renewOne({ name, sealed, file, store }: Entry): Promise<boolean> {
    await this.outside.prepare(sealed);
    const { active, kms } = this.outside.keysFor(sealed);
    const label = this.#labelOf(name);
    if (store === this.#store && sealed !== null && isKeyOf(active, sealed, label)) return false;
    await this.#put(name, sealKeyFile(active, { ...file, kms }, label));
    if (store !== this.#store) await this.#ask('delete', () => store.delete(name, this.#origin));
    return true;
  }

  async destroy(file: SealedKeyFile): Promise<void> {
    const late = (cause: Error): HoldfastError => new HoldfastError('key-pending', `The option 'encryption.store' did not say in time that it has deleted the key of ${this.#origin}, of which nothing else was deleted. Delete it again.`, { cause });
    await bounded(this.#origin, this.#destroy(namesIn(file)), late);
  }

  /** What a file of keys says is only a name: it has to be one of this origin's keys. */
  async #destroy(names: readonly string[]): Promise<void> {
    for (const name of names) {
      await this.#find(name).catch(unlessDamaged);
      for (const store of [this.#store, ...this.#previous]) await this.#ask('delete', () => store.delete(name, this.#origin));
      this.#known.delete(name);
    }
  }
}

function unlessDamaged(error: unknown): void {
  // It opens nothing, of nobody's.
  if (!(error instanceof HoldfastError) || error.code !== 'keys-damaged') throw error;
}

function secretIn({ keys, active }: KeyFile): KeyObject {
  const secret = keys.get(active);
  if (secret === undefined) throw new Error('a file of keys has no active one');
  return secret;
}
