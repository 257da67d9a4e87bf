import { platformKinds } from '../../disk/values/platform-kinds.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import { ValueDamagedError } from '../../disk/values/value-error.ts';
import type { BlobFiles, KeyPath } from '../../disk/records/record-database.ts';
import { entryOf } from '../../file-system/handle.ts';
import { deserializeHandle, type HandleData } from '../../file-system/handles.ts';
import type { IDBDatabase } from '../../indexed-db/database.ts';
import type { IDBObjectStore } from '../../indexed-db/object-store.ts';
import type { IDBRequest } from '../../indexed-db/request.ts';
import type { IDBTransaction } from '../../indexed-db/transaction.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { indexedDb } from '../indexed-db/provide.ts';
import { archiveError } from './archive-error.ts';
import { databaseHead } from './database-head.ts';
import type { ImportTarget } from './import-bucket.ts';
import { wholeContent, wholeJson } from './read-entry.ts';
import { decodeRecordPart, type DatabaseHead, type PackedRecord, type StoreHead } from './record-parts.ts';
import type { Scratch } from './scratch.ts';
import type { TarEntry } from './tar-reader.ts';

interface Imported {
  readonly at: string;
  readonly head: DatabaseHead;
  readonly database: IDBDatabase;
  /** Holds the files that its records refer to. */
  readonly blobs: Scratch;
}

/** Imports databases, by IndexedDB itself, a part of a store in each transaction. */
export class DatabaseImport {
  readonly #target: ImportTarget;
  #current: Imported | null = null;

  constructor(target: ImportTarget) {
    this.#target = target;
  }

  async take(path: string, entry: TarEntry): Promise<void> {
    const [, at = '', name = ''] = /^(indexeddb\/[0-9]+)\/(database\.json|blobs\/[0-9]{1,16}|[0-9]{1,9}\.[0-9]{1,9}\.records)$/.exec(path) ?? [];
    if (name === 'database.json') return this.#open(at, entry);
    if (at === '' || this.#current?.at !== at) throw archiveError(`it has an entry '${entry.path}', which no export has`);
    if (name.startsWith('blobs/')) return this.#current.blobs.keep(name.slice('blobs/'.length), entry);
    const store = this.#current.head.stores.find(({ id }) => id === Number.parseInt(name, 10));
    if (store === undefined) throw archiveError(`its entry '${entry.path}' is of no store`);
    await this.#put(this.#current, store, await wholeContent(entry));
  }

  async #open(at: string, entry: TarEntry): Promise<void> {
    await this.end();
    const head = databaseHead(await wholeJson(entry), entry.path);
    const blobs = this.#target.scratch.inside();
    this.#current = { at, head, database: await openDatabase(this.#target, head), blobs };
  }

  async #put({ database, blobs }: Imported, store: StoreHead, part: Buffer): Promise<void> {
    const records: { key: unknown; value: unknown }[] = [];
    for (const record of decodeRecordPart(part)) records.push(await this.#read(record, blobs));
    const transaction = database.transaction(store.name, 'readwrite');
    const objects = transaction.objectStore(store.name);
    const put = store.keyPath === null ? ({ key, value }: { key: unknown; value: unknown }) => objects.put(value, key) : ({ value }: { value: unknown }) => objects.put(value);
    for (const record of records) put(record);
    await completed(transaction, `database '${database.name}'`);
  }

  async #read({ key, bytes, blobs: ids }: PackedRecord, blobs: Scratch): Promise<{ key: unknown; value: unknown }> {
    const { decodeKey, readWithBlobs } = indexedDb.code;
    try {
      return { key: decodeKey(key), value: await readWithBlobs(bytes, ids, filesIn(blobs), await this.#platform()) };
    } catch (cause) {
      throw archiveError(`a record of a database in it makes no sense: ${errorMessage(cause)}`, { cause });
    }
  }

  /** Handles of files become those of the origin that is imported into. */
  async #platform(): Promise<PlatformObjects> {
    const { area, source } = this.#target;
    const system = entryOf(await area.getDirectory())?.system;
    if (system === undefined) throw new Error('a directory belongs to no file system');
    return {
      serialize: () => null,
      deserialize: ({ kind, data }) => {
        const handle = data as HandleData;
        if (kind !== platformKinds.handle) throw new ValueDamagedError('it has an object that cannot be in it');
        return deserializeHandle(system, handle?.origin === source ? { ...handle, origin: system.origin, bucket: system.bucket } : handle);
      },
    };
  }

  /** Completes the database that was imported last. */
  async end(): Promise<void> {
    const current = this.#current;
    this.#current = null;
    if (current === null) return;
    try {
      for (const store of current.head.stores) if (store.autoIncrement) await raiseGenerator(current.database, store);
    } finally {
      current.database.close();
      current.blobs.remove();
    }
  }
}

/** Files of an archive, as those of a database. Nobody deletes them while they are read. */
function filesIn(scratch: Scratch): BlobFiles {
  const refuse = (): never => {
    throw new Error('files of an archive are only read');
  };
  return {
    write: refuse,
    file: (id) => scratch.blob(id),
    whereabouts: (id) => scratch.pathOf(String(id)),
    hold: () => undefined,
    release: () => undefined,
  };
}

async function openDatabase({ area }: ImportTarget, { name, version, stores }: DatabaseHead): Promise<IDBDatabase> {
  const request = area.indexedDB().open(name, version);
  request.onupgradeneeded = () => {
    for (const store of stores) createStore(request.result as IDBDatabase, store);
  };
  request.onblocked = () => undefined;
  const database = (await result(request, `database '${name}'`)) as IDBDatabase;
  database.onversionchange = () => undefined;
  return database;
}

function createStore(database: IDBDatabase, { name, keyPath, autoIncrement, indexes }: StoreHead): void {
  const store = database.createObjectStore(name, { keyPath: mutable(keyPath), autoIncrement });
  for (const index of indexes) store.createIndex(index.name, mutable(index.keyPath), { unique: index.unique, multiEntry: index.multiEntry });
}

function mutable<Path extends KeyPath | null>(path: Path): Path extends null ? string | string[] | null : string | string[] {
  return (typeof path === 'string' || path === null ? path : [...path]) as Path extends null ? string | string[] | null : string | string[];
}

/** The highest key that a generator gives. https://w3c.github.io/IndexedDB/#key-generator-construct */
const LAST_KEY = 2 ** 53;

/** A record of the key before the next one raises it, and goes again. Where one is there, it has done so. */
async function raiseGenerator(database: IDBDatabase, { name, keyPath, nextKey }: StoreHead): Promise<void> {
  const last = nextKey === null ? LAST_KEY : nextKey - 1;
  if (last < 1) return;
  const transaction = database.transaction(name, 'readwrite');
  const store = transaction.objectStore(name);
  const found: IDBRequest = store.getKey(last);
  found.onsuccess = () => {
    if (found.result === undefined) passThrough(store, keyPath, last);
  };
  await completed(transaction, `database '${database.name}'`);
}

function passThrough(store: IDBObjectStore, keyPath: KeyPath | null, key: number): void {
  if (keyPath === null) store.put(0, key);
  else store.put(String(keyPath).split('.').reduceRight<unknown>((inner, part) => ({ [part]: inner }), key));
  store.delete(key);
}

function result(request: IDBRequest, what: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(failure(what, request.error));
  });
}

function completed(transaction: IDBTransaction, what: string): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(failure(what, transaction.error));
  });
}

function failure(what: string, cause: unknown): HoldfastError {
  return new HoldfastError('disk-failed', `The ${what} cannot be imported: ${errorMessage(cause)}`, { cause });
}
