import path from 'node:path';
import type { FileSystemDirectoryHandle } from '../../src/file-system/directory-handle.ts';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { namesIn } from '../crash/support/scenarios.ts';

export { createFile } from '../crash/support/scenarios.ts';

type Databases = StorageClient['indexedDB'];
type Database = Extract<Databases['open'] extends (...args: never[]) => { result: infer Result } ? Result : never, object>;

export async function readFile(directory: FileSystemDirectoryHandle, name: string): Promise<string> {
  return (await (await directory.getFileHandle(name)).getFile()).text();
}

/** The name of what a promise rejects with; empty if it does not. */
export async function nameOfError(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
    return '';
  } catch (error) {
    return error instanceof Error || error instanceof DOMException ? error.name : String(error);
  }
}

/** With one store. */
export function openDatabase(databases: Databases, name: string): Promise<Database> {
  return new Promise((resolve, reject) => {
    const request = databases.open(name);
    request.onupgradeneeded = () => void (request.result as Database).createObjectStore('store');
    request.onsuccess = () => resolve(request.result as Database);
    request.onerror = () => reject(request.error as unknown as Error);
  });
}

/** A record, in a transaction of its own. */
export function storeIn(database: Database, durability: 'default' | 'relaxed'): Promise<void> {
  const transaction = database.transaction('store', 'readwrite', { durability });
  transaction.objectStore('store').put('value', 'key');
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error as unknown as Error);
  });
}

export async function collect<T>(iterable: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const each of iterable) all.push(each);
  return all;
}

/** The directories of named buckets of the origin of the tests, those included that are to go. */
export function namedDirectories(root: string): string[] {
  return namesIn(path.join(root, 'origins/https_app.example/buckets'));
}
