import { queueTask } from '../../runtime/tasks.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { internal } from '../../webidl/interface.ts';
import type { Connection } from '../model/connection.ts';
import type { OpenRequest } from '../model/open-request.ts';
import { SchemaSnapshot } from '../model/schema-snapshot.ts';
import { Transaction } from '../model/transaction.ts';
import { setVersion } from '../operations/change-stores.ts';
import { IDBTransaction } from '../transaction.ts';
import { fireVersionChange } from './open.ts';

/**
 * Upgrades a database, of which the connection is the only one.
 *
 * @throws AbortError where the upgrade was aborted, or the connection closed in it
 * @see https://w3c.github.io/IndexedDB/#upgrade-a-database
 */
export async function runUpgrade(connection: Connection, version: number, request: OpenRequest): Promise<void> {
  const versionBefore = connection.version;
  const upgrade = { request, before: new SchemaSnapshot(connection.stores), versionBefore };
  const transaction = new Transaction(connection, [], 'versionchange', 'default', upgrade);
  new IDBTransaction(internal, transaction);
  connection.upgradeTransaction = transaction;
  transaction.state = 'inactive';
  const ended = new Promise<void>((resolve) => {
    transaction.ended = resolve;
  });
  setVersion(transaction, version);
  queueTask(() => begin(transaction, versionBefore, version));
  await ended;
  if (transaction.hasAborted) throw domException('AbortError', 'The upgrade of the database was aborted.', transaction.error ?? undefined);
  if (connection.isClosePending) throw domException('AbortError', 'The connection was closed during the upgrade of the database.');
}

function begin(transaction: Transaction, oldVersion: number, newVersion: number): void {
  const { upgrade, connection } = transaction;
  if (upgrade === null || transaction.state === 'finished') return;
  const { request } = upgrade;
  request.settle(connection.object, null);
  request.transaction = transaction;
  transaction.fireUpgradeNeeded(
    () => fireVersionChange(request, 'upgradeneeded', oldVersion, newVersion),
    () => transaction.startIfPossible(),
  );
}
