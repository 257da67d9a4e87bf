import type { Claim, DatabaseLocks, Wanted } from '../../disk/records/database-locks.ts';
import type { Schema } from '../../disk/records/record-database.ts';
import { RecordsDamagedError } from '../../disk/records/records-error.ts';
import { queueTask } from '../../runtime/tasks.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { internal } from '../../webidl/interface.ts';
import { IDBDatabase } from '../database.ts';
import { dispatch, type Outcome } from '../events/dispatch.ts';
import type { EventNode } from '../events/event-node.ts';
import type { Bucket } from '../model/bucket.ts';
import { Connection } from '../model/connection.ts';
import type { OpenDatabase } from '../model/open-database.ts';
import { lost } from '../model/transaction.ts';
import type { OpenRequest } from '../model/open-request.ts';
import { IDBVersionChangeEvent } from '../version-change-event.ts';
import { runUpgrade } from './upgrade.ts';

/** What opens connections: it counts them, to close them when it ends. */
export interface Opener {
  readonly bucket: Bucket;
  /** Whether it has not ended. */
  readonly isActive: boolean;
  opened(connection: Connection): void;
}

/**
 * Opens a connection; an upgrade has been committed when it resolves. https://w3c.github.io/IndexedDB/#open-a-database-connection
 *
 * @throws VersionError, AbortError, and what the disk does
 */
export async function openConnection(opener: Opener, name: string, version: number | undefined, request: OpenRequest): Promise<Connection> {
  const { bucket } = opener;
  await bucket.place.ready();
  const queue = await bucket.place.locks.queue(name);
  try {
    requireActive(opener);
    const database = (await bucket.find(name)) ?? (await bucket.create(name));
    const connection = await database.visit((schema) => connect(bucket, database, schema));
    opener.opened(connection);
    await bringToVersion(bucket, connection, version, request);
    return connection;
  } finally {
    queue.release();
  }
}

function requireActive(opener: Opener): void {
  if (!opener.isActive) throw domException('AbortError', 'The client that opens the database was closed.');
}

function connect(bucket: Bucket, database: OpenDatabase, schema: Schema): Connection {
  const connection = new Connection(database, schema);
  new IDBDatabase(internal, connection);
  try {
    connection.claim = bucket.place.locks.connect(database.name, (wanted) => tellWanted(connection, wanted));
  } catch (error) {
    connection.close();
    throw error;
  }
  connection.claim.onLost = () => connection.closeByForce(lost());
  return connection;
}

/** Somebody waits for the connection to be closed. https://w3c.github.io/IndexedDB/#eventdef-idbdatabase-versionchange */
function tellWanted(connection: Connection, { newVersion }: Wanted): Promise<void> {
  return new Promise((resolve) => {
    queueTask(() => {
      if (!connection.isClosePending) fireVersionChange(connection, 'versionchange', connection.version, newVersion);
      resolve();
    });
  });
}

/** Where it cannot be had, the connection is closed, and what was made for it is deleted. */
async function bringToVersion(bucket: Bucket, connection: Connection, wanted: number | undefined, request: OpenRequest): Promise<void> {
  const { version } = connection;
  try {
    const target = wanted ?? (version === 0 ? 1 : version);
    if (version > target) throw domException('VersionError', `The requested version (${target}) is less than the existing version (${version}).`);
    if (version < target) await upgradeAlone(bucket, connection, target, request);
  } catch (error) {
    connection.close();
    await connection.whenClosed();
    if (version === 0) await bucket.place.databases.delete(connection.database.name);
    throw error;
  }
}

async function upgradeAlone(bucket: Bucket, connection: Connection, version: number, request: OpenRequest): Promise<void> {
  const { name, records } = connection.database;
  const { locks } = bucket.place;
  const onBlocked = tellBlocked(request, connection.version, version);
  const alone = await locks.alone(name, { newVersion: version }, onBlocked, connection.claim ?? undefined);
  const upgrade = async (): Promise<void> => {
    if (connection.isClosePending) throw domException('AbortError', 'The connection was closed while it waited to upgrade the database.');
    await runUpgrade(connection, version, request);
  };
  await releaseAfter(alone, records.hasSnapshots ? upgrade() : asWriter(locks, name, upgrade));
}

/** Without snapshots nobody may look at the database meanwhile, though it be without a connection, as for `databases()`. */
async function asWriter(locks: DatabaseLocks, name: string, work: () => Promise<void>): Promise<void> {
  const writer = locks.write(name);
  await writer.granted;
  await releaseAfter(writer, work());
}

function tellBlocked(request: OpenRequest, oldVersion: number, newVersion: number | null): () => void {
  return () => queueTask(() => fireVersionChange(request, 'blocked', oldVersion, newVersion));
}

/** https://w3c.github.io/IndexedDB/#fire-a-version-change-event */
export function fireVersionChange(node: EventNode, type: string, oldVersion: number, newVersion: number | null): Outcome {
  return dispatch(node, new IDBVersionChangeEvent(type, { oldVersion, newVersion }));
}

/**
 * Deletes a database, and gives the version that it had; 0 where there was none.
 * https://w3c.github.io/IndexedDB/#delete-a-database
 */
export async function deleteDatabase(opener: Opener, name: string, request: OpenRequest): Promise<number> {
  const { bucket } = opener;
  await bucket.place.ready();
  const { databases, locks } = bucket.place;
  const queue = await locks.queue(name);
  try {
    requireActive(opener);
    const version = await versionOf(bucket, name);
    if (version === null) return 0;
    const alone = await locks.alone(name, { newVersion: null }, tellBlocked(request, version, null));
    await releaseAfter(alone, databases.delete(name));
    return version;
  } finally {
    queue.release();
  }
}

async function releaseAfter(claim: Claim, work: Promise<void>): Promise<void> {
  try {
    await work;
  } finally {
    claim.release();
  }
}

/** Null: there is no such database. Of one that is damaged it cannot be told; it can be deleted all the same. */
async function versionOf(bucket: Bucket, name: string): Promise<number | null> {
  try {
    const database = await bucket.find(name);
    if (database === null) return null;
    return await database.visit(({ version }) => version);
  } catch (error) {
    if (error instanceof RecordsDamagedError) return 0;
    throw error;
  }
}
