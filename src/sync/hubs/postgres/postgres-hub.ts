import type { ClientBase } from 'pg';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { Hub, HubCapabilities, HubLog } from '../../hub.ts';
import { AppendQueue } from '../append-queue.ts';
import { requireLogName } from '../log-arguments.ts';
import { Connections } from './connection.ts';
import { ensureSchema } from './migrate.ts';
import { News } from './news.ts';
import { settingsOf, type PostgresHubOptions, type PostgresSettings } from './options.ts';
import { PostgresLog, type PostgresEngine } from './postgres-log.ts';
import { MAX_BLOB_BYTES, MAX_ENTRY_BYTES } from './schema.ts';
import { describeServer, requireUsable, SERVER_SETTINGS, type ServerSettings } from './server-settings.ts';
import { statementsFor } from './statements.ts';
import { batchWriter } from './write-batches.ts';

/**
 * What goes into one transaction of those that come while others are under way: of many logs, for commits that notify
 * wait for each other. A second transaction is made ready while the first is synced.
 */
const GROUP = { entries: 1000, bytes: 4 * 2 ** 20, logs: 100, writes: 2 };

/**
 * A hub in a PostgreSQL of version 13 or later, through the package `pg`. One transaction appends a batch; what one
 * process appends at once, to whichever logs, shares one. Entries are known by their ids for as long as they are kept.
 *
 * `connect()` makes a schema of its own, when the role may; `docs/POSTGRES.md` tells which rights a role needs that
 * only uses it, and how to run the server.
 *
 * @throws HoldfastError `bad-option`
 */
export function postgresHub(options: PostgresHubOptions): Hub {
  return new PostgresHub(settingsOf(options));
}

class PostgresHub implements Hub {
  readonly name: string;
  readonly #settings: PostgresSettings;
  readonly #engine: PostgresEngine;

  constructor(settings: PostgresSettings) {
    this.name = `postgres at ${settings.place}`;
    this.#settings = settings;
    const connections = new Connections(settings, this.name);
    const statements = statementsFor(settings.schema);
    const news = new News(connections, statements, settings.schema, settings.pollInterval);
    this.#engine = { name: this.name, connections, statements, news, queue: new AppendQueue(batchWriter(connections, statements), GROUP) };
  }

  connect(): Promise<HubCapabilities> {
    const { connections } = this.#engine;
    return connections.perform('connect', () => connections.withClient((client) => this.#prepare(client)));
  }

  log(name: string): HubLog {
    requireLogName(name);
    return new PostgresLog(this.#engine, name);
  }

  async close(): Promise<void> {
    this.#engine.news.close();
    await this.#engine.connections.close();
  }

  async #prepare(client: ClientBase): Promise<HubCapabilities> {
    const { rows } = await client.query<ServerSettings>(SERVER_SETTINGS);
    const [server] = rows;
    if (server === undefined) throw new HoldfastError('hub-incompatible', `The hub ${this.name} does not tell its settings.`);
    requireUsable(server, this.name);
    await ensureSchema(client, this.#settings.schema);
    return { ...describeServer(server), dedupe: 'always', notifies: true, maxEntryBytes: MAX_ENTRY_BYTES, maxBlobBytes: MAX_BLOB_BYTES };
  }
}
