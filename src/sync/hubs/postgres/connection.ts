import type pg from 'pg';
import type { Client, ClientBase, Pool, QueryConfig } from 'pg';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { Lifetime } from '../lifetime.ts';
import { hubError } from './failure.ts';
import type { PostgresSettings } from './options.ts';

/** Milliseconds to connect, and for an answer; a server that takes longer counts as away. */
const CONNECT_TIMEOUT = 10_000;
const QUERY_TIMEOUT = 60_000;

/** Milliseconds after which an idle connection is closed. */
const IDLE_TIMEOUT = 60_000;

type Pg = Pick<typeof pg, 'Client' | 'Pool'>;

async function loadPg(): Promise<Pg> {
  try {
    return (await import(/* webpackIgnore: true */ 'pg')).default;
  } catch (cause) {
    throw new HoldfastError('hub-incompatible', `postgresHub() needs the package 'pg': install it beside holdfast (npm install pg).`, { cause });
  }
}

/** The connections of one hub; none before the first is asked for. */
export class Connections {
  readonly lifetime: Lifetime;
  readonly #settings: PostgresSettings;
  readonly #name: string;
  /** All that are open, so that close() need not wait for answers. */
  readonly #open = new Set<ClientBase>();
  #pg: Promise<Pg> | null = null;
  #pool: Pool | null = null;

  constructor(settings: PostgresSettings, name: string) {
    this.#settings = settings;
    this.#name = name;
    this.lifetime = new Lifetime(() => this.#closed());
  }

  /**
   * What `work` gives.
   *
   * @param doing what is done, for the message of an error
   * @throws HoldfastError as HubLog's methods do
   */
  async perform<T>(doing: string, work: () => Promise<T>): Promise<T> {
    try {
      return await this.lifetime.during(work);
    } catch (error) {
      throw hubError(error, this.#name, doing, this.#settings.secrets);
    }
  }

  /** The rows that a statement gives, run by any connection. */
  async rows<Row extends object>(statement: QueryConfig): Promise<Row[]> {
    const pool = await this.#connected();
    return (await pool.query<Row>(statement)).rows;
  }

  /** Lends a connection. */
  async withClient<T>(work: (client: ClientBase) => Promise<T>): Promise<T> {
    const pool = await this.#connected();
    const client = await pool.connect();
    try {
      const result = await work(client);
      client.release();
      return result;
    } catch (error) {
      // It may be amid something.
      client.release(true);
      throw error;
    }
  }

  /** A connection of its own that keeps no process alive; not connected yet. */
  async client(): Promise<Client> {
    const { Client } = await this.#load();
    const client = new Client({ ...this.#options(), keepAlive: true });
    unref(client);
    return client;
  }

  async close(): Promise<void> {
    if (!this.lifetime.end()) return;
    const pool = this.#pool;
    this.#pool = null;
    if (pool === null) return;
    const ended = pool.end();
    // What still runs has been rejected; nobody waits for its answer.
    for (const client of this.#open) destroy(client);
    await ended;
  }

  async #connected(): Promise<Pool> {
    const { Pool } = await this.#load();
    if (this.lifetime.ended) throw this.#closed();
    this.#pool ??= this.#makePool(Pool);
    return this.#pool;
  }

  #makePool(PgPool: typeof Pool): Pool {
    const options = { ...this.#options(), max: this.#settings.poolSize, idleTimeoutMillis: IDLE_TIMEOUT, allowExitOnIdle: true };
    const pool = new PgPool(options);
    // An idle connection that breaks is replaced when one is needed; without a listener the process would end.
    pool.on('error', () => undefined);
    pool.on('connect', (client) => this.#open.add(client));
    pool.on('remove', (client) => this.#open.delete(client));
    return pool;
  }

  #closed(): HoldfastError {
    return new HoldfastError('closed', `The hub ${this.#name} was closed.`);
  }

  #options(): object {
    const ours = { application_name: 'holdfast', connectionTimeoutMillis: CONNECT_TIMEOUT, query_timeout: QUERY_TIMEOUT };
    return { ...ours, ...this.#settings.connection };
  }

  #load(): Promise<Pg> {
    this.#pg ??= loadPg();
    return this.#pg;
  }
}

/** Lets the process end although the connection is open. To be repeated when TLS has put another socket in its place. */
export function unref(client: ClientBase): void {
  (client as unknown as { unref(): void }).unref();
}

/** Ends a connection without a farewell. */
export function destroy(client: ClientBase): void {
  const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
  stream.destroy();
}
