import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import '../../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../../src/index.ts';
import type { EncryptionOptions } from '../../../src/host/encryption/options.ts';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import type { IDBFactory } from '../../../src/indexed-db/factory.ts';
import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import { ended, result } from '../../indexed-db/support/promises.ts';

export const ORIGIN = 'https://a.example';
export const key = Uint8Array.from(randomBytes(32));

const hosts: StorageHost[] = [];

export function hostOf(root: string, encryption: EncryptionOptions | undefined = { key }): StorageHost {
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  hosts.push(host);
  return host;
}

export const factoryOf = (root: string, encryption?: EncryptionOptions): IDBFactory => hostOf(root, encryption).client(ORIGIN).indexedDB;

export async function closeHosts(): Promise<void> {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
}

/** Where the databases of the default bucket are. */
export const databasesIn = (root: string): string => path.join(root, 'origins/https_a.example/default/indexeddb/databases');

/** The directory of the only one. */
export function directoryIn(root: string): string {
  const [only, ...others] = fs.readdirSync(databasesIn(root));
  if (only === undefined || others.length > 0) throw new Error('there is not one database');
  return path.join(databasesIn(root), only);
}

export async function put(database: IDBDatabase, store: string, records: readonly (readonly [unknown, unknown])[], durability: 'relaxed' | 'strict' = 'relaxed'): Promise<string> {
  const transaction = database.transaction(store, 'readwrite', { durability });
  for (const [at, value] of records) transaction.objectStore(store).put(value, at);
  return await ended(transaction);
}

export function get(database: IDBDatabase, store: string, at: unknown): Promise<unknown> {
  return result(database.transaction(store).objectStore(store).get(at));
}

/** The code of the HoldfastError that is behind what a promise rejects with. */
export async function codeBehindLater(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    for (let at: unknown = error; at !== undefined && at !== null; at = (at as { cause?: unknown }).cause) if (at instanceof HoldfastError) return at.code;
    throw error;
  }
  return 'nothing was thrown';
}
