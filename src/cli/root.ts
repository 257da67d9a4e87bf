import path from 'node:path';
import { hasOrigin, pathOfOrigin } from '../disk/maintenance/replace-origin.ts';
import { originsOf } from '../disk/root/origins.ts';
import { Root } from '../disk/root/root.ts';
import { isEncrypted, isKeyStored } from '../disk/root/encrypted.ts';
import type { OriginVault } from '../disk/root/origin-vault.ts';
import { encryptionPart } from '../host/encryption/provide.ts';
import { hostFromEnvironment } from '../host/install/environment.ts';
import { parseOrigin } from '../host/origin.ts';
import { StorageHost } from '../host/storage-host.ts';
import type { StorageClient } from '../host/storage-client.ts';
import type { Endpoints } from '../host/storage-buckets/endpoints.ts';
import type { StorageBucket } from '../storage/storage-bucket.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { UsageError } from './command.ts';
import { type Encryption, encryptionOf, type KeyValues as KeyOptionValues } from './keys-option.ts';
import { printable } from './table.ts';

/** Options that all commands have that look at a root. */
export const rootOptions = {
  root: { value: 'DIR', help: 'the root; default: HOLDFAST_ROOT in the environment, or .holdfast' },
  shared: { value: 'lockfile', help: 'the root is on a network disk, and its users give the option shared' },
} as const;

export const originOption = { origin: { value: 'ORIGIN', help: 'whose storage, such as https://app.example' } } as const;
export const bucketOption = { bucket: { value: 'NAME', help: 'the named bucket that is meant; default: the one that every origin has' } } as const;
export const jsonOption = { json: { help: 'print JSON' } } as const;

export type NamedBucket = StorageBucket<Endpoints>;

export interface RootValues {
  readonly root?: string;
  readonly shared?: string;
}

/** Of a command that opens what is encrypted too. */
export interface KeyValues extends RootValues, KeyOptionValues {}

export interface OriginValues extends KeyValues {
  readonly origin?: string;
}

export interface BucketValues extends OriginValues {
  readonly bucket?: string;
}

/** @throws UsageError */
export function sharedOf({ shared }: RootValues): 'lockfile' | undefined {
  if (shared === undefined || shared === 'lockfile') return shared;
  throw new UsageError(`'--shared' takes 'lockfile', not '${shared}'`);
}

/**
 * The root that is meant, which is there: none is ever made.
 *
 * @throws UsageError; HoldfastError root-unusable and others
 */
export function openRoot(values: RootValues): Root {
  const root = rootIn(values);
  if (root.open() === null) throw new HoldfastError('root-unusable', `There is no root at ${root.path}.`);
  return root;
}

/** Makes an empty one unless it is there. @throws as {@link openRoot} */
export function makeRoot(values: RootValues): void {
  rootIn(values).ensure();
}

function rootIn(values: RootValues): Root {
  if (values.root === '') throw new UsageError("'--root' takes a directory");
  const { root: chosen, durability = 'relaxed' } = hostFromEnvironment();
  return new Root(path.resolve(values.root ?? String(chosen)), durability, sharedOf(values));
}

/** The same for who only reads what is recorded: on any disk. */
function openRootToRead(values: RootValues): Root {
  sharedOf(values);
  return openRoot({ ...values, shared: 'lockfile' });
}

/** The same for what can do without one, where none was named: whether it is there or not. @throws as {@link openRoot} */
export function openRootIfNamed(values: RootValues): Root {
  return values.root === undefined ? rootIn(values) : openRootToRead(values);
}

/** The same as {@link openRootToRead}, for encrypted origins too, as far as the key is given. `open`: of who does not only read. @throws UsageError; HoldfastError bad-option, key-pending */
export async function openRootWithKey(values: KeyValues, open: (values: RootValues) => Root = openRootToRead): Promise<Root> {
  const encryption = await encryptionOf(values);
  const { path: root, durability, shared } = open(values);
  return new Root(root, durability, shared, encryption && encryptionPart.code.createVaults(root, encryption));
}

/** Calls `body` with a host of the root that is meant, and closes it: one more process of that root. `given`: in place of what the options say; null: none. */
export async function withHost<T>(values: KeyValues, body: (host: StorageHost) => Promise<T>, given?: Encryption | null): Promise<T> {
  const encryption = given === undefined ? await encryptionOf(values) : given;
  const { path: root } = openRoot(values);
  const shared = sharedOf(values);
  const host = new StorageHost({ ...hostFromEnvironment(), root, ...(shared !== undefined && { shared }), encryption: encryption ?? undefined });
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

/** What becomes of an origin that the root has nothing of: it is made by what is written, or it is an error. */
export type Missing = 'made' | 'refused';

/** The same with a client of the origin that is meant. @throws HoldfastError origin-missing, key-missing, key-wrong, keys-damaged */
export async function withClient<T>(values: OriginValues, body: (client: StorageClient, host: StorageHost) => Promise<T>, missing: Missing = 'refused'): Promise<T> {
  const encryption = await encryptionOf(values);
  const root = openRoot(values);
  const origin = missing === 'made' ? originIn(values) : knownOrigin(values, root);
  if (encryption === undefined) requirePlain(root, origin);
  return withHost(values, async (host) => {
    await host.unlock(origin);
    return body(host.client(origin), host);
  }, isPlain(root, origin) ? null : encryption);
}

/** Whether it is there and not encrypted: then no key is needed for it, given or not. */
function isPlain(root: Root, origin: string): boolean {
  return hasOrigin(root, origin) && !isEncrypted(pathOfOrigin(root, origin));
}

/**
 * The named bucket that is meant, which is there: none is ever made. Null: the default one is.
 *
 * @throws HoldfastError bad-option
 */
export async function namedBucketIn({ bucket }: BucketValues, client: StorageClient): Promise<NamedBucket | null> {
  if (bucket === undefined) return null;
  const names = await client.storageBuckets.keys();
  if (!names.includes(bucket)) throw noBucket(client.origin, bucket);
  return await client.storageBuckets.open(bucket);
}

function noBucket(origin: string, bucket: string): HoldfastError {
  return new HoldfastError('bad-option', `${origin} has no bucket '${bucket}'.`);
}

/** A bucket is one of an origin. @throws UsageError */
export function requireOrigin({ origin, bucket }: BucketValues): void {
  if (bucket !== undefined && origin === undefined) throw new UsageError("'--bucket' needs '--origin'");
}

/** The `localStorage` that is meant. @throws HoldfastError bad-option for a named bucket, which has none */
export function localStorageIn({ bucket }: BucketValues, { localStorage }: StorageClient): StorageClient['localStorage'] {
  if (bucket === undefined) return localStorage;
  throw new HoldfastError('bad-option', `Only an origin's default bucket has localStorage, not '${bucket}'.`);
}

/** The origin that is meant, of which the root has something. @throws UsageError; HoldfastError bad-option, origin-missing */
export function knownOrigin(values: OriginValues, root: Root): string {
  const origin = originIn(values);
  if (!hasOrigin(root, origin)) throw new HoldfastError('origin-missing', `The root ${root.path} has nothing of ${origin}.`);
  return origin;
}

/** The same, and its key was given where it is encrypted, and is there. @throws as {@link knownOrigin}, {@link unlock} */
export async function readableOrigin(values: OriginValues, root: Root): Promise<string> {
  const origin = knownOrigin(values, root);
  await unlock(root, origin);
  return origin;
}

/** Those whose key may have come by a promise: they stay as long as the root. */
const unlocked = new WeakMap<Root, OriginVault[]>();

/** Waits for the key of an origin, if it is encrypted. @throws HoldfastError key-missing, key-wrong, key-pending, keys-damaged */
async function unlock(root: Root, origin: string): Promise<void> {
  if (root.vaults === undefined) return requirePlain(root, origin);
  if (!isEncrypted(pathOfOrigin(root, origin))) return;
  const vault = root.vaults.of(origin);
  await vault.prepare();
  vault.require(true);
  const others = unlocked.get(root) ?? [];
  others.push(vault);
  unlocked.set(root, others);
}

/** Of a root, which may change meanwhile. @throws HoldfastError */
export function encryptedOrigins(root: Root): string[] {
  return Array.from(originsOf(root)).filter(({ path: place }) => isEncrypted(place)).map(({ origin }) => origin);
}

/** Services that are asked at once. */
const AT_ONCE = 16;

/**
 * Has the keys of origins there that promises bring, for who then reads them in one turn.
 *
 * @param failing - what becomes of a key that does not open, or is not given: it is told beside, or it is an error; that
 * one does not come in time always is
 * @throws as {@link unlock}
 */
export async function unlockAll(values: KeyValues, root: Root, origins: Iterable<string>, failing: 'told' | 'thrown'): Promise<void> {
  // A file has its key at once: whoever reads with a wrong one is told by that.
  if (root.vaults === undefined || (values.keys === undefined && failing === 'thrown')) return;
  for (let left = [...origins]; left.length > 0; left = left.slice(AT_ONCE)) {
    await Promise.all(left.slice(0, AT_ONCE).map((origin) => unlock(root, origin).catch((error: unknown) => {
      if (failing === 'thrown' || !(error instanceof HoldfastError) || error.code === 'key-pending') throw error;
      console.error(`holdfast: ${printable(error.message)}`);
    })));
  }
}

/** @throws HoldfastError key-missing for who has no key, where the origin is encrypted */
function requirePlain(root: Root, origin: string): void {
  if (!isEncrypted(pathOfOrigin(root, origin))) return;
  if (isKeyStored(pathOfOrigin(root, origin))) throw new HoldfastError('key-missing', `${origin} is encrypted, and its key is in a store, which '--keys MODULE' gives: a module that exports the option 'encryption', with its 'store'.`);
  throw new HoldfastError('key-missing', `${origin} is encrypted, and no key was given.`);
}

/** @throws UsageError; HoldfastError bad-option for what is no origin */
export function originIn({ origin }: OriginValues): string {
  if (origin === undefined || origin === '') throw new UsageError("'--origin ORIGIN' is missing");
  return originOf(origin);
}

/** @throws HoldfastError bad-option */
export function originOf(text: string): string {
  try {
    return parseOrigin(text);
  } catch (cause) {
    throw new HoldfastError('bad-option', `'${text}' is not an origin, such as https://app.example.`, { cause });
  }
}
