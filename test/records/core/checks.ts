import assert from 'node:assert';
import fs from 'node:fs';
import path from 'node:path';
import type { DatabasesPlace, SqliteDatabases } from '../../../src/disk/records/databases.ts';
import { driverNamed } from '../../../src/disk/records/drivers.ts';
import { encodeKey, type EncodedKey } from '../../../src/disk/records/key.ts';
import type { BlobFile, Query, ReadTransaction, RecordDatabase, StoredRecord, StoredValue, WriteTransaction } from '../../../src/disk/records/record-database.ts';
import { componentOf, databasesAt, run } from '../support/databases.ts';

export type Checks = Record<string, (bucket: string) => Promise<void>>;
export const key = (value: unknown): EncodedKey => encodeKey(value) as EncodedKey;
export const only = (of: EncodedKey) => ({ lower: of, upper: of, lowerOpen: false, upperOpen: false });
export const value = (size: number, blobs: number[] = [], fill = 7): StoredValue => ({ bytes: new Uint8Array(size).fill(fill), blobs });
export const at = (bucket: string, change: Partial<DatabasesPlace> = {}): SqliteDatabases =>
  databasesAt(bucket, { ...(process.env.DRIVER === 'wasm' && { driverForNew: () => driverNamed('wasm') }), ...change });
export const all = { index: null, range: null, direction: 'next', values: true } as const;

export async function withStore(databases: SqliteDatabases, name = 'db'): Promise<{ database: RecordDatabase; store: number }> {
  const database = await databases.create(name);
  const upgrade = database.upgrade();
  const store = upgrade.createStore('s', null, true).id;
  upgrade.setVersion(1);
  void upgrade.commit('relaxed');
  return { database, store };
}

export function put(write: WriteTransaction, store: number, at: unknown, of: StoredValue): void {
  assert.strictEqual(write.put({ store, key: key(at), value: of, indexKeys: [], overwrite: true }), null);
}

export async function store(database: RecordDatabase, id: number, at: unknown, of: StoredValue): Promise<void> {
  const write = database.write();
  try {
    put(write, id, at, of);
    await write.commit('relaxed');
  } finally {
    write.rollback();
  }
}

export async function erase(database: RecordDatabase, id: number, at: unknown): Promise<void> {
  const write = database.write();
  run(write.delete(id, only(key(at))));
  await write.commit('relaxed');
}

export function get(transaction: ReadTransaction, id: number, at: unknown): StoredRecord | undefined {
  return transaction.first({ ...all, store: id, range: only(key(at)) } as Query);
}

export async function load(transaction: ReadTransaction, id: number, at: unknown): Promise<Uint8Array | undefined> {
  const found = get(transaction, id, at)?.value;
  return found ? ((await transaction.load(found)) ?? found).bytes : undefined;
}

export async function* content(...parts: string[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield await Promise.resolve(Buffer.from(part));
}

export async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (let waited = 0; !(await condition()); waited += 20) {
    assert(waited < 20_000, `it never came to be that ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

export const directoryOf = (bucket: string, name = 'db'): string => path.join(bucket, 'indexeddb', 'databases', name.startsWith('.') ? name : componentOf(name));
export const blobsIn = (bucket: string, name = 'db'): string[] => fs.readdirSync(path.join(directoryOf(bucket, name), 'blobs'));

/** What a file beside a database has, whether or not it is encrypted. */
export async function textOf({ path: where, size, sealed }: BlobFile): Promise<string> {
  if (sealed === undefined) return fs.readFileSync(where, 'utf8');
  const descriptor = fs.openSync(where, 'r');
  try {
    const bytes = Buffer.alloc(size);
    return bytes.toString('utf8', 0, await sealed.reader(descriptor)(bytes, 0));
  } finally {
    fs.closeSync(descriptor);
  }
}

/** Where nobody may look for garbage at other times, commits do. */
export async function untilGone(bucket: string, database: RecordDatabase, id: number, count = 0): Promise<void> {
  await until(async () => {
    if (!database.hasSnapshots) await store(database, id, 'other', value(3));
    return blobsIn(bucket).length === count;
  }, `${count} files are left`);
}
