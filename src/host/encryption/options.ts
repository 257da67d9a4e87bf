import type { KeyObject } from 'node:crypto';
import { KEY_BYTES, secretOf } from '../../disk/encryption/derive.ts';
import { isUint8Array } from '../../runtime/byte-brands.ts';
import { bad, givenOptions, requireOneOf } from '../option-checks.ts';

/** 32 random bytes; what is given is copied at once, so the caller may wipe it. */
export type EncryptionKey = Uint8Array | KeyObject;

/** A service that wraps keys, and gives back what it has wrapped. Neither may return what it was given. */
export interface KeyManagement {
  /** The bytes are 32, and wiped when the promise settles; at most 16,384 come back. */
  wrap(key: Uint8Array, origin: string): Uint8Array | Promise<Uint8Array>;
  unwrap(wrapped: Uint8Array, origin: string): Uint8Array | Promise<Uint8Array>;
}

/**
 * Where what opens an origin's keys is kept, elsewhere than in the root and in its backups. The store sees no key: what it
 * is given is wrapped. A name is 32 hexadecimal digits, made for one origin as it is created, and never for another one.
 */
export interface KeyStore {
  /** The bytes that were put last under the name; undefined or null where there are none. */
  get(name: string, origin: string): Uint8Array | null | undefined | Promise<Uint8Array | null | undefined>;
  /** Resolves once the bytes, some hundreds, are there for good: in the place of what was there as a whole, or not at all. */
  put(name: string, bytes: Uint8Array, origin: string): unknown;
  /** Resolves once nobody can get them any more, from no copy either. A name that is not there is no error. */
  delete(name: string, origin: string): unknown;
}

/** One of `key`, `keyFor` and `kms` is to be there. docs/ENCRYPTION.md */
export interface EncryptionOptions {
  /** One key for all origins. */
  readonly key?: EncryptionKey | undefined;
  /** A key for each origin, asked for once; if it is a promise, see {@link StorageHost.unlock}. */
  readonly keyFor?: ((origin: string) => EncryptionKey | Promise<EncryptionKey>) | undefined;
  /** A key for each origin, made here and known to the service only. */
  readonly kms?: KeyManagement | undefined;
  /** Keeps what opens the keys of each origin: deleted there, the origin is gone from all copies of the root too. */
  readonly store?: KeyStore | undefined;
  /**
   * Keys that were `key`, or those of `keyFor`, before, services that were `kms`, and stores that were `store`: what they
   * have wrapped, or keep, opens, until `rekey()` has wrapped it anew, or brought it to the present store.
   */
  readonly previous?: readonly (EncryptionKey | Pick<KeyManagement, 'unwrap'> | KeyStore)[] | undefined;
  /** Whether names of files can be read without a key. Settled when an origin is made. Default `encrypted`. */
  readonly names?: 'encrypted' | 'visible' | undefined;
  /** What becomes of origins that are not encrypted: an error (`refuse`, the default), or they are from their next change on. */
  readonly plain?: 'refuse' | 'migrate' | undefined;
}

export interface EncryptionSettings {
  readonly key: KeyObject | undefined;
  readonly keyFor: EncryptionOptions['keyFor'];
  readonly kms: KeyManagement | undefined;
  readonly previous: readonly KeyObject[];
  readonly previousKms: readonly Pick<KeyManagement, 'unwrap'>[];
  readonly store: KeyStore | undefined;
  readonly previousStores: readonly KeyStore[];
  readonly visibleNames: boolean;
  readonly migrates: boolean;
}

const known = ['key', 'keyFor', 'kms', 'store', 'previous', 'names', 'plain'] as const;

/** @throws HoldfastError bad-option */
export function encryptionSettings(given: unknown): EncryptionSettings {
  // A key that was given in its place is not repeated.
  if (typeof given !== 'object') throw bad(`Option 'encryption' takes an object of options, not ${typeof given}.`);
  const options = givenOptions(given as EncryptionOptions, known, "Option 'encryption'");
  const { key, keyFor, kms, store, previous = [], names = 'encrypted', plain = 'refuse' } = options;
  if ([key, keyFor, kms].filter((way) => way !== undefined).length !== 1) throw bad("Option 'encryption' takes exactly one of 'key', 'keyFor' and 'kms'.");
  if (keyFor !== undefined && typeof keyFor !== 'function') throw bad("Option 'encryption.keyFor' must be a function that gives the key of an origin.");
  if (kms !== undefined && (typeof kms?.wrap !== 'function' || typeof kms.unwrap !== 'function')) throw bad("Option 'encryption.kms' must have the methods wrap() and unwrap().");
  if (store !== undefined && !isStore(store)) throw bad("Option 'encryption.store' must have the methods get(), put() and delete().");
  if (!Array.isArray(previous)) throw bad("Option 'encryption.previous' must be an array of keys.");
  const before = previous as readonly unknown[];
  const stores = before.filter(isStore);
  if (store === undefined && stores.length > 0) throw bad("Option 'encryption.previous' has a store, and there is no other one to go to: option 'encryption.store'.");
  return {
    key: key === undefined ? undefined : requireKey(key, "Option 'encryption.key'"),
    keyFor,
    kms,
    previous: before.filter((each) => !isService(each) && !isStore(each)).map((each) => requireKey(each, "Each of option 'encryption.previous'")),
    previousKms: before.filter(isService),
    store,
    previousStores: stores,
    visibleNames: requireOneOf('encryption.names', names, ['encrypted', 'visible']) === 'visible',
    migrates: requireOneOf('encryption.plain', plain, ['refuse', 'migrate']) === 'migrate',
  };
}

function isService(given: unknown): given is Pick<KeyManagement, 'unwrap'> {
  return typeof (given as Partial<KeyManagement> | null | undefined)?.unwrap === 'function';
}

function isStore(given: unknown): given is KeyStore {
  const { get, put, delete: remove } = (given ?? {}) as Partial<KeyStore>;
  return [get, put, remove].every((method) => typeof method === 'function');
}

/** What is wrong with it is said without it. @throws HoldfastError bad-option */
export function requireKey(given: unknown, what: string): KeyObject {
  if (isUint8Array(given) && given.length === KEY_BYTES) return secretOf(Uint8Array.from(given));
  const object = given as Partial<KeyObject> | null | undefined;
  const isSecret = typeof object === 'object' && object?.type === 'secret' && object.symmetricKeySize === KEY_BYTES && typeof object.export === 'function';
  const secret = isSecret ? (object as KeyObject).export() : undefined;
  if (isUint8Array(secret) && secret.length === KEY_BYTES) return secretOf(Uint8Array.from(secret));
  const found = isUint8Array(given) ? `${given.length} bytes` : kindOf(object);
  throw bad(`${what} must be ${KEY_BYTES} bytes (a Uint8Array or a secret KeyObject), not ${found}.`);
}

function kindOf(given: Partial<KeyObject> | null | undefined): string {
  if (typeof given !== 'object' || given === null) return given === null ? 'null' : typeof given;
  if (['public', 'private'].includes(String(given.type))) return `a ${given.type} key`;
  return given.type === 'secret' ? `a secret of ${given.symmetricKeySize} bytes` : Object.prototype.toString.call(given).slice(8, -1);
}
