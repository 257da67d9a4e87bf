import fs from 'node:fs';
import path from 'node:path';
import type { FileSystemDirectoryHandle } from '../../../src/file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../../../src/file-system/file-handle.ts';
import type { StorageClient } from '../../../src/host/storage-client.ts';
import { Journal } from '../../../src/disk/journal/journal.ts';
import { AccountMachine } from '../../../src/disk/quota/machine.ts';
import { encrypted, isEncrypted } from '../../support/sealed.ts';
import { StorageHost } from '../../../src/host/storage-host.ts';
import { weigh, weighAll } from '../../tree/support.ts';
import { bucketOf, bucketsIn, createFile, namesIn, origin, stateOf, until, untilSo } from './scenarios.ts';

/** Older than what a builder at work may be; the product's limit is ten minutes. */
const LONG_AGO_MS = 11 * 60_000;

/**
 * What a newcomer to a root finds wrong with it, where one of the `allowed` states is to be; nothing if all is well.
 * Those who used the root before are dead, so whatever they held must be free, and whatever they left must go.
 */
export async function examine(root: string, allowed: readonly string[]): Promise<string[]> {
  const bucket = bucketOf(root);
  const undercount = whatIsNotPaid(bucket);
  if (undercount > 0) return [`${undercount} bytes are on the disk that the account knows nothing of`];
  const leftovers = ageLeftovers(root, bucket);
  const host = new StorageHost({ root, ...encrypted });
  const client = host.origin(origin);
  try {
    const state = await stateOf(client);
    if (!allowed.includes(state)) return [`the state is\n${state}\nand should be one of\n${allowed.join('\n-- or --\n')}`];
    await use(client);
    await until(() => !leftovers.some((leftover) => fs.existsSync(leftover)), `for the end of ${leftovers.join()}`);
    const live = (await client.storageBuckets.keys()).length;
    await until(() => bucketsIn(root).length === live, 'for the end of buckets that nobody knows');
    return await miscounts(host, bucket);
  } catch (error) {
    return [`the store does not work: ${describe(error)}`];
  } finally {
    await host.close();
  }
}

/** Bytes that the disk has, and the account has not, though it was counted: whoever was killed had them for nothing. */
function whatIsNotPaid(bucket: string): number {
  if (isEncrypted) return 0;
  const machine = new AccountMachine();
  const journal = new Journal(path.join(bucket, 'quota'), machine);
  journal.catchUp();
  journal.close();
  return machine.countedAt === 0 ? 0 : weighAll(bucket) - machine.taken;
}

/** A kill may leave an account too high until somebody counts; then it is right to the byte. */
async function miscounts(host: StorageHost, bucket: string): Promise<string[]> {
  const { storage } = host.origin(origin);
  const isRight = async (): Promise<boolean> => (await storage.estimate()).usageDetails.fileSystem === weigh(bucket);
  await untilSo(isRight, 'for the account to be right');
  await untilSo(() => hasNoStrays(host, bucket), 'for the end of responses that no cache has');
  return [];
}

/** Whether every file of a response is in a cache, and the account says what they take. */
async function hasNoStrays(host: StorageHost, bucket: string): Promise<boolean> {
  const { caches, storage } = host.origin(origin);
  let entries = 0;
  for (const name of await caches.keys()) entries += (await (await caches.open(name)).keys()).length;
  const { usageDetails } = await storage.estimate();
  return namesIn(path.join(bucket, 'caches/responses')).length === entries && usageDetails.caches === weighAll(bucket) - weigh(bucket);
}

/** What nobody will ever use again, as old as it would be if its maker had not died just now. */
function ageLeftovers(root: string, bucket: string): string[] {
  const drafts = namesIn(path.join(root, 'new')).map((name) => path.join(root, 'new', name));
  const then = new Date(Date.now() - LONG_AGO_MS);
  for (const draft of drafts) fs.utimesSync(draft, then, then);
  const others = ['swap', 'trash'].flatMap((name) => namesIn(path.join(bucket, name)).map((child) => path.join(bucket, name, child)));
  for (const name of bucketsIn(root)) fs.utimesSync(path.join(path.dirname(bucket), 'buckets', name), then, then);
  return [...drafts, ...others];
}

/** Uses everything once, so that a lock that stayed or a journal that is wedged would show. */
export async function use(client: StorageClient): Promise<void> {
  const { localStorage, locks } = client;
  localStorage.setItem('probe', 'value');
  if (localStorage.getItem('probe') !== 'value') throw new Error('an item is not there');
  localStorage.removeItem('probe');
  for (const name of ['job', 'other']) await requireFree(locks, name);
  const root = await client.storage.getDirectory();
  await createFile(root, 'probe', 'content');
  const text = await (await (await root.getFileHandle('probe')).getFile()).text();
  if (text !== 'content') throw new Error(`a file reads '${text}'`);
  for await (const file of filesBelow(root)) (await file.createSyncAccessHandle()).close();
  // Needs every name for itself alone, so that no operation of the dead can be left undecided.
  await root.remove({ recursive: true });
}

async function requireFree(locks: StorageClient['locks'], name: string): Promise<void> {
  const granted = await locks.request(name, { ifAvailable: true }, (lock) => lock !== null);
  if (!granted) throw new Error(`the lock '${name}' is still held`);
}

async function* filesBelow(directory: FileSystemDirectoryHandle): AsyncGenerator<FileSystemFileHandle> {
  for await (const entry of directory.values()) {
    if (entry.kind === 'file') yield entry as FileSystemFileHandle;
    else yield* filesBelow(entry as FileSystemDirectoryHandle);
  }
}

export function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? `${error.name}: ${error.message}` : `${error.name}: ${error.message} (${describe(error.cause)})`;
}
