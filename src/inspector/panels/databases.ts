import type { Arguments } from '../arguments.ts';
import type { Call } from '../call.ts';
import { withBucket, type Context } from '../context.ts';
import { describe } from '../describe.ts';
import { badRequest, missing, Refused } from '../failure.ts';
import type { DatabaseInfo, Page, RecordRow, StoreInfo } from '../messages.ts';
import type { IDBCursorWithValue } from '../../indexed-db/cursor.ts';
import type { IDBDatabase } from '../../indexed-db/database.ts';
import type { IDBFactory } from '../../indexed-db/factory.ts';
import { fromHandle, handleOf } from '../record-key.ts';
import { settled } from '../settled.ts';

/** Records that are passed over to come to a window: each takes some microseconds. */
const FARTHEST = 2 ** 20;

/** How long somebody who changes the database's version may keep it from being opened, in milliseconds. */
const PATIENCE_MS = 3000;

export const databases: Call = {
  run: (context, args) => withBucket(context, args, async ({ bucket }) => ({ databases: await namesOf(bucket.indexedDB) })),
};

async function namesOf(factory: IDBFactory): Promise<{ name: string; version: number }[]> {
  const found = await factory.databases();
  return found.map(({ name, version }) => ({ name, version })).sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Calls `body` with a connection that ends with it, and that is in nobody's way. */
async function withDatabase<T>(context: Context, args: Arguments, body: (database: IDBDatabase) => Promise<T>): Promise<T> {
  return withBucket(context, args, async ({ bucket }) => {
    const name = args.text('database');
    if (!(await namesOf(bucket.indexedDB)).some((each) => each.name === name)) throw missing('There is no such database.');
    const database = await open(bucket.indexedDB, name);
    database.addEventListener('versionchange', () => database.close());
    try {
      return await body(database);
    } finally {
      database.close();
    }
  });
}

async function open(factory: IDBFactory, name: string): Promise<IDBDatabase> {
  const request = factory.open(name);
  // It was deleted between two looks: it is not made anew.
  request.addEventListener('upgradeneeded', () => request.transaction?.abort());
  return await settled<IDBDatabase>(request, PATIENCE_MS, 'Somebody else changes the database just now.');
}

export const database: Call = {
  run: (context, args) =>
    withDatabase(context, args, async (opened): Promise<DatabaseInfo> => {
      const names = [...opened.objectStoreNames];
      const stores = names.length === 0 ? [] : await storesOf(opened, names);
      return { name: opened.name, version: opened.version, stores };
    }),
};

async function storesOf(opened: IDBDatabase, names: readonly string[]): Promise<StoreInfo[]> {
  const transaction = opened.transaction(names, 'readonly');
  const counts = names.map((name) => settled<number>(transaction.objectStore(name).count()));
  const stores = names.map((name) => transaction.objectStore(name));
  const records = await Promise.all(counts);
  return stores.map((store, index) => ({
    name: store.name,
    keyPath: store.keyPath === null ? null : pathText(store.keyPath),
    autoIncrement: store.autoIncrement,
    records: records[index] ?? 0,
    indexes: [...store.indexNames].map((name) => {
      const { keyPath, unique, multiEntry } = store.index(name);
      return { name, keyPath: pathText(keyPath), unique, multiEntry };
    }),
  }));
}

function pathText(keyPath: unknown): string {
  return typeof keyPath === 'string' ? keyPath : JSON.stringify(keyPath);
}

type Store = ReturnType<ReturnType<IDBDatabase['transaction']>['objectStore']>;

export const records: Call = {
  run: (context, args) =>
    withDatabase(context, args, async (opened): Promise<Page<RecordRow>> => {
      const { offset, limit } = args.window();
      if (offset > FARTHEST) throw badRequest('It is too far from the beginning of the store.');
      const store = storeOf(opened, args, 'readonly');
      const index = args.textOr('index', null) === null ? null : args.text('index');
      if (index !== null && !store.indexNames.contains(index)) throw missing('There is no such index.');
      const source = index === null ? store : store.index(index);
      const [total, rows] = await Promise.all([settled<number>(source.count()), limit === 0 ? [] : rowsOf(source.openCursor(), offset, limit)]);
      return { total, offset, rows };
    }),
};

function storeOf(opened: IDBDatabase, args: Arguments, mode: 'readonly' | 'readwrite'): Store {
  const name = args.text('store');
  if (!opened.objectStoreNames.contains(name)) throw missing('There is no such store.');
  return opened.transaction(name, mode).objectStore(name);
}

/** A transaction ends where nothing is asked of it: so each step asks for the next one in its own event. */
function rowsOf(request: ReturnType<Store['openCursor']>, offset: number, limit: number): Promise<RecordRow[]> {
  const rows: RecordRow[] = [];
  let isThere = offset === 0;
  return new Promise((resolve, reject) => {
    request.addEventListener('error', () => reject(request.error as Error));
    request.addEventListener('success', () => {
      try {
        const cursor = request.result as IDBCursorWithValue | null;
        if (cursor === null || rows.length === limit) return resolve(rows);
        if (!isThere) {
          isThere = true;
          return cursor.advance(offset);
        }
        rows.push(rowOf(cursor));
        if (rows.length === limit) return resolve(rows);
        cursor.continue();
      } catch (error) {
        reject(error as Error);
      }
    });
  });
}

function rowOf({ key, primaryKey, value }: IDBCursorWithValue): RecordRow {
  return { key: describe(key), primaryKey: describe(primaryKey), handle: handleOf(primaryKey), value: describe(value) };
}

export const removeRecord: Call = {
  changes: true,
  run: (context, args) =>
    withDatabase(context, args, async (opened) => {
      const key = fromHandle(args.any('handle'));
      const store = storeOf(opened, args, 'readwrite');
      await Promise.all([settled(store.delete(key)), completed(store.transaction)]);
      return {};
    }),
};

export const clearStore: Call = {
  changes: true,
  run: (context, args) =>
    withDatabase(context, args, async (opened) => {
      const store = storeOf(opened, args, 'readwrite');
      await Promise.all([settled(store.clear()), completed(store.transaction)]);
      return {};
    }),
};

/** Only then have all others it, too. */
function completed(transaction: Store['transaction']): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.addEventListener('complete', () => resolve());
    transaction.addEventListener('abort', () => reject(transaction.error ?? new Refused(409, 'aborted', 'It was aborted.')));
  });
}

export const deleteDatabase: Call = {
  changes: true,
  run: (context, args) =>
    withBucket(context, args, async ({ bucket }) => {
      await settled(bucket.indexedDB.deleteDatabase(args.text('database')), PATIENCE_MS, 'Somebody has the database open, and does not close it: it is deleted once nobody has.');
      return {};
    }),
};
