import type { ConnectionOptions } from 'node:tls';
import { bare } from '../../../runtime/define.ts';
import { badOption, requireInteger, givenOptions } from '../option-checks.ts';
import { Secrets } from '../secrets.ts';

/** What `pg` takes: https://node-postgres.com/apis/client. What is missing comes from the `PG*` environment variables. */
export interface PostgresConnection {
  readonly host?: string | undefined;
  readonly port?: number | undefined;
  readonly user?: string | undefined;
  /** Or a function that gives it for each connection, for passwords that expire. */
  readonly password?: string | (() => string | Promise<string>) | undefined;
  readonly database?: string | undefined;
  readonly ssl?: boolean | ConnectionOptions | undefined;
  readonly [option: string]: unknown;
}

/** Options of {@link postgresHub}. */
export interface PostgresHubOptions {
  /** Such as `postgres://user:password@db.example:5432/database?sslmode=verify-full`. */
  readonly connectionString?: string | undefined;
  /** In its place, or beside it, options of `pg`. */
  readonly connection?: PostgresConnection | undefined;
  /** TLS, as Node's `tls.connect` takes it. It counts more than what `connection` or `connectionString` say. */
  readonly ssl?: boolean | ConnectionOptions | undefined;
  /** The schema that holds everything, `holdfast` by default: a lower-case identifier of up to 48 characters. */
  readonly schema?: string | undefined;
  /** How many connections work at once, 4 by default; one more listens. */
  readonly poolSize?: number | undefined;
  /** Milliseconds between two looks for news that no notification told of, 5,000 by default. */
  readonly pollInterval?: number | undefined;
}

/** Options that were checked and completed. */
export interface PostgresSettings {
  /** Of `pg`. */
  readonly connection: Readonly<Record<string, unknown>>;
  readonly schema: string;
  readonly poolSize: number;
  readonly pollInterval: number;
  /** Where the server is, without secrets. */
  readonly place: string;
  readonly secrets: Secrets;
}

const KNOWN = ['connectionString', 'connection', 'ssl', 'schema', 'poolSize', 'pollInterval'];
const DEFAULT_PORT = '5432';

function parseUrl(connectionString: unknown): URL | null {
  if (connectionString === undefined) return null;
  // The message must not show it, so nor may the cause, which repeats it.
  const problem = badOption(`Option 'connectionString' must be a URL such as 'postgres://user:password@host:5432/database'.`);
  if (typeof connectionString !== 'string' || !/^postgres(ql)?:\/\//.test(connectionString)) throw problem;
  try {
    // Without a host, as for sockets, a URL with a user makes no sense to the parser.
    return new URL(connectionString.replace('@/', '@localhost/'));
  } catch {
    throw problem;
  }
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function requireConnection(connection: unknown): Readonly<Record<string, unknown>> {
  if (connection === undefined) return {};
  if (typeof connection !== 'object' || connection === null) throw badOption(`Option 'connection' must be an object of options of pg.`);
  return connection as Readonly<Record<string, unknown>>;
}

function requireSchema(schema: unknown): string {
  if (typeof schema === 'string' && /^[a-z_][a-z0-9_]{0,47}$/.test(schema) && !schema.startsWith('pg_')) return schema;
  throw badOption(`Option 'schema' must be a lower-case identifier of up to 48 letters, digits and '_' that does not begin with 'pg_'.`);
}

/** Later ones win, as in `pg`: options, the URL's query, the URL, the environment. */
function placeOf(connection: Readonly<Record<string, unknown>>, url: URL | null): string {
  const query = url?.searchParams;
  const host = query?.get('host') ?? (decoded(url?.hostname ?? '') || (connection['host'] ?? process.env['PGHOST'] ?? 'localhost'));
  const port = query?.get('port') ?? ((url?.port ?? '') || (connection['port'] ?? process.env['PGPORT'] ?? DEFAULT_PORT));
  return `${String(host)}:${String(port)}`;
}

function collectSecrets(connection: Readonly<Record<string, unknown>>, url: URL | null, connectionString: unknown): Secrets {
  const secrets = new Secrets();
  secrets.add(connectionString, url?.password, decoded(url?.password ?? ''), url?.searchParams.get('password'));
  secrets.add(connection['password'], process.env['PGPASSWORD']);
  const ssl = connection['ssl'];
  if (typeof ssl === 'object' && ssl !== null) secrets.add(...['key', 'passphrase'].map((name): unknown => Reflect.get(ssl, name)));
  return secrets;
}

/** Remembers as secrets the passwords that a function gives. */
function watched(connection: Readonly<Record<string, unknown>>, secrets: Secrets): Readonly<Record<string, unknown>> {
  const give: unknown = connection['password'];
  if (typeof give !== 'function') return connection;
  const password = async (): Promise<unknown> => {
    const given: unknown = await give();
    secrets.add(given);
    return given;
  };
  return { ...connection, password };
}

/** @throws HoldfastError `bad-option` */
export function settingsOf(given: PostgresHubOptions): PostgresSettings {
  const options = givenOptions(given, KNOWN, 'postgresHub()');
  const { connectionString, schema = 'holdfast', poolSize = 4, pollInterval = 5000, ssl } = options;
  const url = parseUrl(connectionString);
  const connection = bare({ ...requireConnection(options.connection), ...(ssl === undefined ? {} : { ssl }) });
  const secrets = collectSecrets(connection, url, connectionString);
  return {
    connection: { ...watched(connection, secrets), ...(connectionString === undefined ? {} : { connectionString }) },
    schema: requireSchema(schema),
    poolSize: requireInteger('poolSize', poolSize, 1, 1000),
    pollInterval: requireInteger('pollInterval', pollInterval, 10, 2 ** 31 - 1),
    place: secrets.hide(placeOf(connection, url)),
    secrets,
  };
}
