import type { BlobFile, ReadTransaction, StoredRecord, StoredValue } from '../../disk/records/record-database.ts';
import type { DatabaseLocks } from '../../disk/records/database-locks.ts';
import { freeOfCharge } from '../../disk/quota/ledger.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { contentOfFile, contentOfReader } from './content-of-file.ts';
import type { ExportedBucket } from './export-bucket.ts';
import { PART_BYTES } from './layout.ts';
import { encodeRecord, type DatabaseHead } from './record-parts.ts';
import type { Pieces, TarWriter } from './tar-writer.ts';
import type * as RecordCode from '../record-code.ts';

/** The databases of a bucket, for who reads only. */
export interface OpenDatabases {
  readonly databases: InstanceType<typeof RecordCode.SqliteDatabases>;
  readonly locks: DatabaseLocks;
  close(): Promise<void>;
}

export async function openDatabases({ place, foldsNames }: Pick<ExportedBucket, 'place' | 'foldsNames'>): Promise<OpenDatabases> {
  const { BucketLocks, SqliteDatabases } = await import('../record-code.ts');
  const locks = new BucketLocks(place, {});
  const databases = new SqliteDatabases({ bucket: place, foldsNames, durability: 'relaxed', ledger: freeOfCharge, holds: locks, locks, refusal: null });
  return {
    databases,
    locks,
    close: async () => {
      await databases.close();
      await locks.close();
    },
  };
}

/** The databases of a bucket, each as it was at one moment. Those of which only the name is there are left out. */
export async function* exportDatabases(to: TarWriter, at: string, bucket: Pick<ExportedBucket, 'place' | 'foldsNames'>): Pieces {
  const opened = await openDatabases(bucket);
  try {
    const names = (await opened.databases.list()).filter(({ version }) => version > 0).map(({ name }) => name);
    let number = 0;
    for (const name of names.sort()) yield* orFailure(name, exportDatabase(to, `${at}/indexeddb/${number++}`, name, opened));
  } finally {
    await opened.close();
  }
}

/** What is damaged says what an archive fails with. */
async function* orFailure(name: string, pieces: Pieces): Pieces {
  try {
    yield* pieces;
  } catch (cause) {
    if ((cause as { readonly name?: unknown } | null)?.name !== 'RecordsDamagedError') throw cause;
    throw new HoldfastError('disk-failed', `The database '${name}' cannot be exported: ${errorMessage(cause)}`, { cause });
  }
}

async function* exportDatabase(to: TarWriter, at: string, name: string, { databases, locks }: OpenDatabases): Pieces {
  const database = await databases.open(name);
  if (database === null) return;
  // Without snapshots nobody may write while it is read.
  const turn = database.hasSnapshots ? null : locks.read(name);
  try {
    await turn?.granted;
    const transaction = database.read();
    try {
      yield* exportRecords(to, at, headOf(name, transaction), transaction, (id) => database.blobs.file(id));
    } finally {
      transaction.rollback();
    }
  } finally {
    turn?.release();
    database.close();
  }
}

function headOf(name: string, transaction: ReadTransaction): DatabaseHead {
  const { version, stores } = transaction.schema;
  return { name, version, stores: stores.map((store) => ({ ...store, nextKey: store.autoIncrement ? transaction.nextKey(store.id) : null })) };
}

/** No file of a state goes while somebody reads it. */
async function* exportRecords(to: TarWriter, at: string, head: DatabaseHead, transaction: ReadTransaction, fileOf: (id: number) => BlobFile): Pieces {
  yield* to.whole(`${at}/database.json`, JSON.stringify(head));
  const written = new Set<number>();
  for (const { id } of head.stores) {
    let part: Uint8Array[] = [];
    let bytes = 0;
    let number = 0;
    for await (const { key, value } of recordsOf(transaction, id)) {
      for (const blob of value.blobs) {
        if (written.has(blob)) continue;
        written.add(blob);
        const { path, size, sealed } = fileOf(blob);
        const failure = yield* to.stream(`${at}/blobs/${blob}`, size, sealed === undefined ? contentOfFile(path) : contentOfReader(path, sealed));
        if (failure !== null) throw failure;
      }
      const record = encodeRecord(key, value);
      part.push(record);
      bytes += record.length;
      if (bytes < PART_BYTES) continue;
      yield* to.whole(`${at}/${id}.${number++}.records`, Buffer.concat(part));
      part = [];
      bytes = 0;
    }
    if (part.length > 0) yield* to.whole(`${at}/${id}.${number}.records`, Buffer.concat(part));
  }
}

async function* recordsOf(transaction: ReadTransaction, store: number): AsyncGenerator<StoredRecord & { readonly value: StoredValue }, void> {
  const scan = transaction.scan({ store, index: null, range: null, direction: 'next', values: true });
  try {
    for (let record = scan.next(); record !== undefined; record = scan.next()) {
      if (record.value !== null) yield { ...record, value: await (transaction.load(record.value) ?? record.value) };
    }
  } finally {
    scan.close();
  }
}
