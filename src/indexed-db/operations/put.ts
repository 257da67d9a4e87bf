import { decodeKey, encodeKey, encodeMultiEntryKey, type EncodedKey } from '../../disk/records/key.ts';
import type { BlobFile, BlobFiles, IndexKeys, KeyPath, Refusal } from '../../disk/records/record-database.ts';
import { bytesOfBlob } from '../../runtime/blob-bytes.ts';
import { domException } from '../../webidl/dom-exception.ts';
import type { Operation } from '../model/operation.ts';
import type { IndexModel, StoreModel } from '../model/store.ts';
import type { Transaction } from '../model/transaction.ts';
import { heldFileOf } from '../values/stored-blobs.ts';
import type { WrittenValue } from '../values/written-value.ts';

/** Stores a record. https://w3c.github.io/IndexedDB/#store-a-record-into-an-object-store */
export class Put implements Operation {
  readonly ready: Promise<unknown> | null;
  readonly #store: StoreModel;
  readonly #value: WrittenValue;
  /** Null: the store's generator makes it. */
  readonly #key: EncodedKey | null;
  readonly #overwrite: boolean;
  readonly #files: BlobFiles;
  #written: readonly BlobFile[] = [];
  #hasEnded = false;
  /** There only where something is to be given back. */
  readonly end?: () => void;

  constructor(store: StoreModel, value: WrittenValue, key: EncodedKey | null, overwrite: boolean, files: BlobFiles) {
    this.#store = store;
    this.#value = value;
    this.#key = key;
    this.#overwrite = overwrite;
    this.#files = files;
    this.ready = value.blobs.length === 0 ? null : this.#writeBlobs(value.blobs);
    if (this.ready === null) return;
    this.end = () => this.#release();
    // Whoever waits for it is told; but that is at its turn, and may never be.
    this.ready.catch(() => undefined);
  }

  /** All at once, but for those that are there; where one fails, what the others wrote is given back. */
  async #writeBlobs(blobs: readonly Blob[]): Promise<void> {
    const results = await Promise.allSettled(blobs.map((blob) => heldFileOf(blob, this.#files) ?? this.#files.write(bytesOfBlob(blob))));
    this.#written = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
    const failed = results.find((result) => result.status === 'rejected');
    if (failed !== undefined || this.#hasEnded) this.#release();
    if (failed !== undefined) throw failed.reason;
  }

  #release(): void {
    this.#hasEnded = true;
    for (const { id } of this.#written) this.#files.release(id);
    this.#written = [];
  }

  /** What is refused leaves the key generator as it was. */
  run(transaction: Transaction): unknown {
    const key = this.#key ?? this.#generate(transaction);
    const value = { bytes: this.#value.bytes, blobs: this.#written.map(({ id }) => id) };
    const indexKeys = this.#indexKeys();
    transaction.writes++;
    const refusal = transaction.writer.put({ store: this.#store.id, key, value, indexKeys, overwrite: this.#overwrite });
    if (refusal !== null) throw refused(refusal);
    const result = decodeKey(key);
    if (this.#store.autoIncrement && typeof result === 'number') transaction.writer.raiseKeyGenerator(this.#store.id, result);
    return result;
  }

  #generate(transaction: Transaction): EncodedKey {
    const number = transaction.writer.generateKey(this.#store.id);
    const key = number === null ? null : encodeKey(number);
    if (key === null) throw domException('ConstraintError', 'The key generator of the object store has no keys left.');
    if (typeof this.#store.keyPath === 'string') this.#value.inject(this.#store.keyPath, number);
    return key;
  }

  #indexKeys(): readonly IndexKeys[] {
    const { filled } = this.#store;
    if (filled.length === 0) return none;
    return indexKeysOf(filled, (path) => this.#value.at(path));
  }
}

const none: readonly IndexKeys[] = [];

function refused({ constraint }: Refusal): DOMException {
  const what = constraint === 'key' ? 'its key' : 'a key of one of its unique indexes';
  return domException('ConstraintError', `The record was not stored: there is another with ${what} in the object store.`);
}

/** The keys that a value has in indexes; `at` says what its paths lead to. https://w3c.github.io/IndexedDB/#store-a-record-into-an-object-store */
export function indexKeysOf(indexes: readonly IndexModel[], at: (path: KeyPath) => unknown): IndexKeys[] {
  const found: IndexKeys[] = [];
  for (const index of indexes) {
    const keys = keysIn(index, at);
    if (keys !== null) found.push({ index: index.id, keys });
  }
  return found;
}

/** Null: it has none that is valid. */
function keysIn({ keyPath, multiEntry }: IndexModel, at: (path: KeyPath) => unknown): readonly EncodedKey[] | null {
  const found = at(keyPath);
  if (found === undefined) return null;
  if (multiEntry) return encodeMultiEntryKey(found);
  const key = encodeKey(found);
  return key === null ? null : [key];
}
