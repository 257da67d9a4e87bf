import type { BlobDirectory } from './blob-directory.ts';
import { edgesOf } from './bounds.ts';
import type { EncodedKey } from './key.ts';
import { FiledValue, readFirst, readFirstValue, rowsOf } from './reading.ts';
import type { Query, ReadTransaction, RecordScan, Schema, Steps, StoredRecord, StoredValue } from './record-database.ts';
import { readValues } from './record-window.ts';
import { WindowedScan } from './record-scan.ts';
import type { SqlSession } from './sql-session.ts';
import { parametersOf } from './statements.ts';

/** Records that are counted in one step. */
const COUNTED_AT_ONCE = 10_000;

/** The highest number that a key generator gives. https://w3c.github.io/IndexedDB/#key-generator-construct */
export const LAST_GENERATED = 2 ** 53;

/** Reads through a session whose transaction is open. */
export class SqlReadTransaction implements ReadTransaction {
  readonly session: SqlSession;
  readonly #blobs: BlobDirectory;
  readonly #onEnd: () => void;
  #hasEnded = false;

  constructor(session: SqlSession, blobs: BlobDirectory, onEnd: () => void) {
    this.session = session;
    this.#blobs = blobs;
    this.#onEnd = onEnd;
  }

  get schema(): Schema {
    return this.session.schema;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  first(query: Query): StoredRecord | undefined {
    return readFirst(this.session, query);
  }

  value(query: Query): StoredValue | undefined {
    return readFirstValue(this.session, query);
  }

  values(store: number, index: number | null, keys: readonly EncodedKey[]): readonly (StoredValue | null)[] | null {
    return readValues(this.session, store, index, keys);
  }

  scan(query: Query, first?: number): RecordScan {
    return new WindowedScan(this.session, query, first);
  }

  *count(query: Query): Steps<number> {
    let rest: Query = { ...query, direction: 'next', values: false };
    for (let counted = 0; ; counted += COUNTED_AT_ONCE) {
      const [last] = rowsOf(this.session, rest, 1, COUNTED_AT_ONCE - 1);
      if (last === undefined) return counted + this.#countAtOnce(rest);
      const key = last[0] as Uint8Array;
      rest = { ...rest, after: { key, primaryKey: rest.index === null ? key : (last[1] as Uint8Array) } };
      yield;
    }
  }

  #countAtOnce(query: Query): number {
    const edges = edgesOf(query);
    const row = this.session.table(query.store, query.index).count(edges).get(...parametersOf(edges));
    return row?.[0] as number;
  }

  nextKey(store: number): number | null {
    const next = this.session.by('SELECT gen FROM stores WHERE id = ?').get(store)?.[0];
    return typeof next === 'number' && next <= LAST_GENERATED ? next : null;
  }

  load(value: StoredValue): Promise<StoredValue> | null {
    return value instanceof FiledValue ? this.loadFiled(value) : null;
  }

  protected async loadFiled({ file, blobs }: FiledValue): Promise<StoredValue> {
    return { bytes: await this.#blobs.read(file), blobs };
  }

  rollback(): void {
    this.end();
  }

  /** The session is somebody else's from now on. */
  protected end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#onEnd();
  }
}
