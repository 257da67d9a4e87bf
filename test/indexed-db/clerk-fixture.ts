import fs from 'node:fs';
import process from 'node:process';
import { isMainThread, parentPort, workerData } from 'node:worker_threads';
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/index.ts';
import type { IDBDatabase } from '../../src/indexed-db/database.ts';
import type { IDBRequest } from '../../src/indexed-db/request.ts';
import type { IDBTransaction } from '../../src/indexed-db/transaction.ts';
import { encrypted } from '../support/sealed.ts';

// Moves amounts among accounts, counts what it does, and looks whether the books are right, again and again, until it is
// told to stop or killed. Prints what is wrong.

export interface ClerkOptions {
  readonly root: string;
  /** Has a byte for each count that is known to have been committed. */
  readonly ledger: string;
  readonly seed: number;
}

const { root, ledger, seed } = (isMainThread ? JSON.parse(process.argv[2] ?? '{}') : workerData) as ClerkOptions;

const ACCOUNTS = 5;
const DEPOSIT = 1000;
const stores = ['left', 'right', 'counter', 'counts'];
const client = new StorageHost({ root, ...encrypted }).origin('https://app.example');
const factory = client.indexedDB;
const report = (message: object): void => {
  if (!isMainThread) parentPort?.postMessage(message);
  else if (process.connected) process.send?.(message);
};

let state = seed;
/** An integer in [0, limit). */
function below(limit: number): number {
  state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
  return Math.floor((state / 2 ** 32) * limit);
}

function settled<T>(request: IDBRequest): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result as T);
    request.onerror = () => reject(request.error ?? new Error('no error'));
  });
}

/** Whether it was committed. */
function ended(transaction: IDBTransaction): Promise<boolean> {
  return new Promise((resolve) => {
    transaction.oncomplete = () => resolve(true);
    transaction.onabort = () => resolve(false);
  });
}

let db: IDBDatabase | null = null;

/** A connection that goes when somebody wants to upgrade. */
async function connect(version?: number): Promise<IDBDatabase> {
  const request = version === undefined ? factory.open('books') : factory.open('books', version);
  request.onupgradeneeded = () => {
    const { transaction } = request;
    const upgraded = request.result as IDBDatabase;
    if (!upgraded.objectStoreNames.contains('left')) {
      for (const name of stores) upgraded.createObjectStore(name);
      for (const name of ['left', 'right']) {
        for (let account = 0; account < ACCOUNTS; account++) transaction?.objectStore(name).put(DEPOSIT, account);
      }
      transaction?.objectStore('counter').put(0, 'n');
    }
    const left = transaction?.objectStore('left');
    if (left?.indexNames.contains('amounts') === true) left.deleteIndex('amounts');
    else left?.createIndex('amounts', 'amount');
  };
  const opened = await settled<IDBDatabase>(request);
  opened.onversionchange = () => {
    opened.close();
    if (db === opened) db = null;
  };
  return opened;
}

/** From an account of one store to one of another, or of the same. */
async function move(books: IDBDatabase): Promise<void> {
  const [from, to] = [stores[below(2)] ?? '', stores[below(2)] ?? ''];
  const [source, target] = [below(ACCOUNTS), below(ACCOUNTS)];
  if (from === to && source === target) return;
  const transaction = books.transaction([from, to], 'readwrite');
  const end = ended(transaction);
  const amount = below(100);
  const had = await settled<number>(transaction.objectStore(from).get(source));
  transaction.objectStore(from).put(had - amount, source);
  const has = await settled<number>(transaction.objectStore(to).get(target));
  transaction.objectStore(to).put(has + amount, target);
  if (below(8) === 0) transaction.abort();
  await end;
}

/** One more; each number is given once. */
async function count(books: IDBDatabase): Promise<void> {
  const transaction = books.transaction(['counter', 'counts'], 'readwrite', { durability: below(4) === 0 ? 'strict' : 'relaxed' });
  const end = ended(transaction);
  const next = (await settled<number>(transaction.objectStore('counter').get('n'))) + 1;
  transaction.objectStore('counter').put(next, 'n');
  await settled(transaction.objectStore('counts').add('x'.repeat(below(4000)), next));
  if (below(8) === 0) transaction.abort();
  if (await end) fs.appendFileSync(ledger, '.');
}

/** Whoever looks sees the books between two transactions, and all that was committed before. */
async function audit(books: IDBDatabase): Promise<void> {
  const committed = fs.statSync(ledger).size;
  const transaction = books.transaction(stores, 'readonly');
  const sums = await Promise.all(
    ['left', 'right'].map(async (name) => {
      const amounts = await settled<number[]>(transaction.objectStore(name).getAll());
      return amounts.reduce((sum, amount) => sum + amount, 0);
    }),
  );
  const [n, counts] = await Promise.all([
    settled<number>(transaction.objectStore('counter').get('n')),
    settled<number>(transaction.objectStore('counts').count()),
  ]);
  const total = sums.reduce((sum, each) => sum + each, 0);
  const isRight = total === 2 * ACCOUNTS * DEPOSIT && n === counts && n >= committed;
  if (!isRight) report({ wrong: `${sums.join(' + ')} in all, ${n} and ${counts} counted, ${committed} known` });
}

/** What others interrupt by an upgrade is given up; anything else is wrong. */
async function act(): Promise<void> {
  try {
    db ??= await connect();
    const chance = below(100);
    if (chance < 3) {
      const { version } = db;
      db.close();
      db = await connect(version + 1);
    } else if (chance < 40) await move(db);
    else if (chance < 70) await count(db);
    else await audit(db);
    report({ did: true });
  } catch (error) {
    const name = error instanceof Error || error instanceof DOMException ? error.name : '';
    // The connection was closed meanwhile, or somebody has upgraded to the version first.
    if (['InvalidStateError', 'AbortError', 'VersionError'].includes(name)) db = null;
    else report({ wrong: error instanceof Error ? `${error.name}: ${error.stack ?? error.message}` : String(error) });
  }
}

let isStopping = false;
const stop = (): void => void (isStopping = true);
if (isMainThread) process.on('message', stop);
else parentPort?.on('message', stop);

db = await connect();
while (!isStopping) await act();
report({ stopped: true });
if (isMainThread) process.disconnect();
else parentPort?.close();
