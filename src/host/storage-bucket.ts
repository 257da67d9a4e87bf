import fs from 'node:fs';
import path from 'node:path';
import { systemCode } from '../disk/journal/disk-error.ts';
import type { FileSystemDirectoryHandle } from '../file-system/directory-handle.ts';
import { loadBehaviour } from '../file-system/loading.ts';
import type { ManagedBucket, UsageDetails } from '../storage/storage-manager.ts';
import type { Bucket } from './bucket.ts';
import type { StorageClient } from './storage-client.ts';
import { withDescriptors } from '../runtime/descriptors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { domException } from '../webidl/dom-exception.ts';
import { errorMessage, isDOMException } from '../runtime/errors.ts';
import { asWebError } from './web-error.ts';

/** Says that a bucket is persistent; beside its data, so that every process and every later run knows. */
const marker = 'persisted';

/** The default bucket of a client's origin, as its StorageManager sees it. */
export class ClientStorageBucket implements ManagedBucket<FileSystemDirectoryHandle> {
  readonly #client: StorageClient;
  readonly #bucket: Bucket;

  constructor(client: StorageClient, bucket: Bucket) {
    this.#client = client;
    this.#bucket = bucket;
  }

  directory(): Promise<FileSystemDirectoryHandle> {
    return this.#attempt((bucket) => bucket.holding(async () => (await loadBehaviour()).createRootHandle(this.#client.fileSystem)));
  }

  usage(): Promise<UsageDetails> {
    return this.#attempt((bucket) => bucket.usage());
  }

  quota(usage: number): Promise<number> {
    return this.#attempt((bucket) => bucket.quota(usage));
  }

  isPersistent(): Promise<boolean> {
    return this.#attempt(async ({ place }) => isFile(path.join(place.path, marker)));
  }

  makePersistent(): Promise<boolean> {
    return this.#attempt(async ({ place }) => {
      try {
        place.ensure();
        const file = path.join(place.path, marker);
        await withDescriptors(() => fs.promises.writeFile(file, '', { flag: 'a', mode: 0o600 }));
        return true;
      } catch (error) {
        if (isReadOnly(error)) return false;
        throw error;
      }
    });
  }

  async #attempt<Result>(action: (bucket: Bucket) => Promise<Result>): Promise<Result> {
    try {
      this.#client.requireOpen();
      const { encryption } = this.#bucket.place;
      if (encryption !== undefined) await encryption.prepare();
      this.#bucket.open();
      return await action(this.#bucket);
    } catch (error) {
      throw asStorageError(error);
    }
  }
}

/** What fails while the disk is read for this has no error of its own in the standard. */
function asStorageError(error: unknown): unknown {
  if (error instanceof HoldfastError || isDOMException(error)) return asWebError(error);
  return domException('UnknownError', `The storage cannot be read: ${errorMessage(error)}`, error);
}

/** What keeps from remembering something on a disk that is only read. */
export function isReadOnly(error: unknown): boolean {
  if (error instanceof HoldfastError) return error.code === 'root-read-only';
  return ['EROFS', 'EACCES', 'EPERM'].includes(systemCode(error));
}

async function isFile(file: string): Promise<boolean> {
  try {
    return (await fs.promises.stat(file)).isFile();
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return false;
    throw error;
  }
}
