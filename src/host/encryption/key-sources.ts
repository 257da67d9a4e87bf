import { Buffer } from 'node:buffer';
import type { KeyObject } from 'node:crypto';
import { KEY_BYTES, secretOf } from '../../disk/encryption/derive.ts';
import { entropy } from '../../disk/encryption/entropy.ts';
import { MOST_KMS_BYTES, type SealedKeyFile } from '../../disk/encryption/key-file.ts';
import { isThenable } from '../../runtime/brands.ts';
import { isUint8Array } from '../../runtime/byte-brands.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { requireKey, type EncryptionSettings, type KeyManagement } from './options.ts';
import { StoredSource } from './stored-source.ts';
import { bounded, failed, pending } from './waiting.ts';

/** The root keys of one origin. */
export interface RootKeys {
  /** What new keys are wrapped with. */
  readonly active: KeyObject;
  /** What a KMS has wrapped that one to, or its names in a store. */
  readonly kms: Uint8Array;
  /** Whether it is in a store. */
  readonly isStored?: true;
  /** All that may have been used. Which one it was is told by its id. */
  readonly all: readonly KeyObject[];
}

/** Where root keys come from. `file`: what is on the disk; null: there is nothing yet. */
export interface KeySource {
  /** @throws HoldfastError `key-pending`, `key-missing`, `bad-option` */
  keysFor(file: SealedKeyFile | null): RootKeys;
  /** Resolves when `keysFor` has nothing to wait for. @throws HoldfastError as that, `key-pending` after ten seconds */
  prepare(file: SealedKeyFile | null): Promise<void>;
  /** Has what did not open a file asked for again, by whoever prepares next. */
  doubt?(file: SealedKeyFile): void;
  /** What wraps keys that are in no root, where that is something else. */
  readonly outside?: KeySource;
  /** As `keysFor(null)`, for one origin that is made now. */
  take?(): RootKeys;
  /**
   * Has what is kept elsewhere than in the root wrapped with the root key of now, in the store of now.
   *
   * @returns what the file of keys is to be wrapped with; null: nothing was changed
   * @throws HoldfastError as `prepare`
   */
  renew?(file: SealedKeyFile): Promise<RootKeys | null>;
  /** Deletes what is kept elsewhere than in the root. @throws HoldfastError; then nothing in the root may be deleted */
  destroy?(file: SealedKeyFile): Promise<void>;
}

type Unwrapping = Pick<KeyManagement, 'unwrap'>;

const NONE = new Uint8Array(0);

/** `previous`: of whoever asks. */
export function sourceOf(origin: string, settings: EncryptionSettings): KeySource {
  const { store, previousStores } = settings;
  const source = withoutStore(origin, settings);
  return store === undefined ? source : new StoredSource(origin, store, previousStores, source);
}

function withoutStore(origin: string, settings: EncryptionSettings): KeySource {
  const { kms, previous, previousKms } = settings;
  if (kms !== undefined) return new KmsSource(origin, kms, previous, previousKms);
  const source = withoutKms(origin, settings);
  return previousKms.length === 0 ? source : new FormerlyKms(origin, source, previousKms);
}

function withoutKms(origin: string, { key, keyFor, previous }: EncryptionSettings): KeySource {
  if (key !== undefined) return new FixedSource({ active: key, kms: NONE, all: [key, ...previous] });
  if (keyFor !== undefined) return new FunctionSource(origin, keyFor, previous);
  throw new Error('an origin is encrypted with no key');
}

/** The key that a service has wrapped. */
async function unwrapped(origin: string, service: Unwrapping, kms: Uint8Array): Promise<KeyObject> {
  return requireKey(await service.unwrap(Uint8Array.from(kms), origin), `What option 'encryption.kms' unwraps for ${origin}`);
}

/** The same by whichever of several it was: no service opens what another has wrapped. Fails as the first does. */
async function unwrappedByAny(origin: string, services: readonly Unwrapping[], kms: Uint8Array): Promise<KeyObject> {
  const outcomes = await Promise.allSettled(services.map((service) => unwrapped(origin, service, kms)));
  for (const outcome of outcomes) if (outcome.status === 'fulfilled') return outcome.value;
  throw outcomes.find((outcome) => outcome.status === 'rejected')?.reason;
}

class FixedSource implements KeySource {
  readonly #keys: RootKeys;

  constructor(keys: RootKeys) {
    this.#keys = keys;
  }

  keysFor(): RootKeys {
    return this.#keys;
  }

  async prepare(): Promise<void> {
    // It is there.
  }
}

/** Asks once, and again after a failure. */
class FunctionSource implements KeySource {
  readonly #origin: string;
  readonly #ask: (origin: string) => unknown;
  readonly #previous: readonly KeyObject[];
  #keys: RootKeys | null = null;
  #waiting: Promise<void> | null = null;

  constructor(origin: string, ask: (origin: string) => unknown, previous: readonly KeyObject[]) {
    this.#origin = origin;
    this.#ask = ask;
    this.#previous = previous;
  }

  keysFor(): RootKeys {
    this.#begin();
    if (this.#keys === null) throw pending(this.#origin);
    return this.#keys;
  }

  async prepare(): Promise<void> {
    this.#begin();
    const waiting = this.#waiting;
    if (waiting === null) return;
    try {
      await bounded(this.#origin, waiting);
    } catch (error) {
      // Whoever comes next asks anew; what comes late is taken too.
      if (this.#waiting === waiting) this.#waiting = null;
      throw error;
    }
  }

  doubt(): void {
    this.#keys = null;
  }

  #begin(): void {
    if (this.#keys !== null || this.#waiting !== null) return;
    let given: unknown;
    try {
      given = this.#ask(this.#origin);
    } catch (error) {
      throw failed(this.#origin, error);
    }
    if (!isThenable(given)) return this.#take(given);
    const waiting = this.#wait(given).finally(() => {
      if (this.#waiting === waiting) this.#waiting = null;
    });
    this.#waiting = waiting;
    // Whoever waits is told; nobody may.
    waiting.catch(() => undefined);
  }

  async #wait(given: PromiseLike<unknown>): Promise<void> {
    try {
      this.#take(await given);
    } catch (error) {
      throw failed(this.#origin, error);
    }
  }

  #take(given: unknown): void {
    if (this.#keys !== null) return;
    const active = requireKey(given, `What option 'encryption.keyFor' gives for ${this.#origin}`);
    this.#keys = { active, kms: NONE, all: [active, ...this.#previous] };
  }
}

/** Keys that come without a service, where one has wrapped before: what it unwraps opens too. */
class FormerlyKms implements KeySource {
  readonly #origin: string;
  readonly #source: KeySource;
  readonly #services: readonly Unwrapping[];
  /** By what they were wrapped to, in hexadecimal. */
  readonly #known = new Map<string, KeyObject>();

  constructor(origin: string, source: KeySource, services: readonly Unwrapping[]) {
    this.#origin = origin;
    this.#source = source;
    this.#services = services;
  }

  keysFor(file: SealedKeyFile | null): RootKeys {
    const keys = this.#source.keysFor(file);
    if (file === null || file.kms.length === 0) return keys;
    const known = this.#known.get(nameOf(file));
    if (known !== undefined) return { ...keys, all: [...keys.all, known] };
    this.#unwrap(file).catch(() => undefined);
    throw pending(this.#origin);
  }

  async prepare(file: SealedKeyFile | null): Promise<void> {
    await this.#source.prepare(file);
    if (file !== null && file.kms.length > 0 && !this.#known.has(nameOf(file))) await bounded(this.#origin, this.#unwrap(file));
  }

  doubt(file: SealedKeyFile): void {
    this.#source.doubt?.(file);
    this.#known.delete(nameOf(file));
  }

  async #unwrap(file: SealedKeyFile): Promise<void> {
    try {
      this.#known.set(nameOf(file), await unwrappedByAny(this.#origin, this.#services, Uint8Array.from(file.kms)));
    } catch (error) {
      throw failed(this.#origin, error);
    }
  }
}

/**
 * A key of its own for each origin, of which the disk has only what the service has made of it. What another key has
 * wrapped, or another service, opens where it was given before; a new key of this one is made then, to wrap it anew.
 */
class KmsSource implements KeySource {
  readonly #origin: string;
  readonly #kms: KeyManagement;
  readonly #previous: readonly KeyObject[];
  readonly #services: readonly Unwrapping[];
  /** By what they were wrapped to, in hexadecimal; empty: for an origin that is yet to be made. */
  readonly #known = new Map<string, RootKeys>();
  readonly #waiting = new Map<string, Promise<void>>();

  constructor(origin: string, kms: KeyManagement, previous: readonly KeyObject[], services: readonly Unwrapping[]) {
    this.#origin = origin;
    this.#kms = kms;
    this.#previous = previous;
    this.#services = services;
  }

  keysFor(file: SealedKeyFile | null): RootKeys {
    const known = this.#known.get(nameOf(file));
    // What was made for an origin is that one's alone, should it be deleted and made again.
    if (file !== null) this.#known.delete('');
    if (known !== undefined) return known;
    this.#begin(file).catch(() => undefined);
    throw pending(this.#origin);
  }

  async prepare(file: SealedKeyFile | null): Promise<void> {
    const name = nameOf(file);
    if (this.#known.has(name)) return;
    const waiting = this.#begin(file);
    try {
      await bounded(this.#origin, waiting);
    } catch (error) {
      // Whoever comes next asks anew; what comes late is taken too.
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
      throw error;
    }
  }

  doubt(file: SealedKeyFile): void {
    this.#known.delete(nameOf(file));
  }

  #begin(file: SealedKeyFile | null): Promise<void> {
    const name = nameOf(file);
    const before = this.#waiting.get(name);
    if (before !== undefined) return before;
    const waiting = this.#wait(name, file).finally(() => {
      if (this.#waiting.get(name) === waiting) this.#waiting.delete(name);
    });
    this.#waiting.set(name, waiting);
    return waiting;
  }

  async #wait(name: string, file: SealedKeyFile | null): Promise<void> {
    try {
      const keys = file === null ? await this.#make() : await this.#unwrap(Uint8Array.from(file.kms));
      if (this.#known.has(name)) return;
      this.#known.set(name, keys);
      this.#known.set(nameOf({ kms: keys.kms }), keys);
    } catch (error) {
      throw failed(this.#origin, error);
    }
  }

  async #make(): Promise<RootKeys> {
    const bytes = entropy(KEY_BYTES);
    const given = Uint8Array.from(bytes);
    try {
      const wrapped: unknown = await this.#kms.wrap(given, this.#origin);
      if (!isUint8Array(wrapped) || wrapped.length === 0 || wrapped.length > MOST_KMS_BYTES || Buffer.from(wrapped).includes(Buffer.from(bytes))) {
        throw new HoldfastError('bad-option', `What option 'encryption.kms' wraps a key to must be a Uint8Array of at most ${MOST_KMS_BYTES} bytes, without the key in it.`);
      }
      const kms = Uint8Array.from(wrapped);
      const active = secretOf(bytes);
      // A service that answers something else, a page that asks for a password, would lose all that is written until the end.
      if (!active.equals(await unwrapped(this.#origin, this.#kms, kms))) {
        throw new HoldfastError('bad-option', `Option 'encryption.kms' does not unwrap what it has wrapped for ${this.#origin}; nothing was encrypted with it.`);
      }
      return { active, kms, all: [active] };
    } finally {
      given.fill(0);
    }
  }

  async #unwrap(kms: Uint8Array): Promise<RootKeys> {
    if (kms.length === 0) return this.#succeeding(this.#previous);
    try {
      const active = await unwrapped(this.#origin, this.#kms, kms);
      return { active, kms, all: [active] };
    } catch (error) {
      if (this.#services.length === 0) throw error;
      const before = await unwrappedByAny(this.#origin, this.#services, kms).catch(() => undefined);
      if (before === undefined) throw error;
      return this.#succeeding([before]);
    }
  }

  async #succeeding(before: readonly KeyObject[]): Promise<RootKeys> {
    if (before.length === 0) throw new HoldfastError('key-wrong', `The keys of ${this.#origin} were not wrapped by a KMS.`);
    const made = await this.#make();
    return { ...made, all: [made.active, ...before] };
  }
}

function nameOf(file: Pick<SealedKeyFile, 'kms'> | null): string {
  return file === null ? '' : `of ${Buffer.from(file.kms).toString('hex')}`;
}
