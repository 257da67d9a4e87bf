import { hasOrigin, pathOfOrigin } from '../disk/maintenance/replace-origin.ts';
import { isEncrypted } from '../disk/root/encrypted.ts';
import type { Root } from '../disk/root/root.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { parseOrigin } from '../host/origin.ts';
import type { StorageClient } from '../host/storage-client.ts';
import type { StorageHost } from '../host/storage-host.ts';
import type { StorageManager } from '../storage/storage-manager.ts';
import type { Hub } from '../sync/hub.ts';
import type { FileSystemDirectoryHandle } from '../file-system/directory-handle.ts';
import type { Arguments } from './arguments.ts';
import { missing } from './failure.ts';
import type { Census } from './census.ts';

/** The bucket that every origin has. */
export const DEFAULT_BUCKET = 'default';

/** What all requests of an inspector share. */
export interface Context {
  readonly host: StorageHost;
  /** A host for origins that are not encrypted, where `host` encrypts. */
  readonly plain: StorageHost | null;
  readonly root: Root;
  readonly census: Census;
  readonly readOnly: boolean;
  /** The hub that origins follow, where the host itself follows none. */
  readonly hub: Hub | null;
}

/** A client of an origin's bucket, for one request. */
export interface Opened {
  readonly client: StorageClient;
  readonly bucket: Pick<StorageClient, 'indexedDB' | 'caches'>;
  readonly directory: () => Promise<FileSystemDirectoryHandle>;
}

/** Calls `body` with a client of its own, which ends with it: whatever it writes, all others hear of. */
export async function withBucket<T>(context: Context, args: Arguments, body: (opened: Opened) => Promise<T>): Promise<T> {
  const opened = await openBucket(context, args);
  try {
    return await body(opened);
  } finally {
    await opened.client.end();
  }
}

/** To be ended by whoever asks. @throws Refused, HoldfastError origin-missing: looking makes nothing */
export async function openBucket(context: Context, args: Arguments): Promise<Opened> {
  const client = await clientOf(context, originOf(context, args));
  try {
    return await bucketOf(client, args.textOr('bucket', DEFAULT_BUCKET, 256));
  } catch (error) {
    await client.end();
    throw error;
  }
}

/** A client of an origin that is there, once its key is. @throws HoldfastError key-missing, key-wrong, key-pending, keys-damaged */
export async function clientOf({ host, plain, root }: Context, origin: string): Promise<StorageClient> {
  if (!isEncrypted(pathOfOrigin(root, origin))) return (plain ?? host).client(origin);
  if (root.vaults === undefined) throw new HoldfastError('key-missing', `${origin} is encrypted, and the inspector has no key: 'holdfast inspect' takes it by --key-file or --keys, a host by its option 'encryption'.`);
  await host.unlock(origin);
  return host.client(origin);
}

async function bucketOf(client: StorageClient, name: string): Promise<Opened> {
  if (name === DEFAULT_BUCKET) return { client, bucket: client, directory: () => (client.storage as StorageManager<FileSystemDirectoryHandle>).getDirectory() };
  const names = await client.storageBuckets.keys();
  if (!names.includes(name)) throw missing(`There is no bucket '${name}'.`);
  const bucket = await client.storageBuckets.open(name);
  return { client, bucket, directory: () => bucket.getDirectory() };
}

/** @throws HoldfastError bad-option, origin-missing */
export function originOf({ root }: Pick<Context, 'root'>, args: Arguments): string {
  const origin = parseOrigin(args.text('origin', 4096));
  if (root.open() !== null && hasOrigin(root, origin)) return origin;
  throw new HoldfastError('origin-missing', `The root has nothing of ${origin}.`);
}
