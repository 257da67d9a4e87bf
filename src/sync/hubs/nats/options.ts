import { badOption, requireInteger, givenOptions } from '../option-checks.ts';
import { Secrets } from '../secrets.ts';

/** TLS, as `@nats-io/transport-node` takes it; what else it holds goes to Node's `tls.connect`. */
export interface NatsTls {
  readonly handshakeFirst?: boolean | undefined;
  readonly ca?: string | undefined;
  readonly caFile?: string | undefined;
  readonly cert?: string | undefined;
  readonly certFile?: string | undefined;
  readonly key?: string | undefined;
  readonly keyFile?: string | undefined;
  readonly [option: string]: unknown;
}

/** Options of {@link natsHub}. */
export interface NatsHubOptions {
  /** Such as `nats://nats.example:4222`, one or several of one cluster; else `NATS_URL` of the environment. */
  readonly servers?: string | readonly string[] | undefined;
  /** Else `NATS_USER` of the environment. */
  readonly user?: string | undefined;
  /** Else `NATS_PASSWORD` of the environment. */
  readonly pass?: string | undefined;
  /** Else `NATS_TOKEN` of the environment. */
  readonly token?: string | undefined;
  /** The path of a credentials file, for accounts with JWTs; else `NATS_CREDS` of the environment. */
  readonly creds?: string | undefined;
  readonly tls?: NatsTls | undefined;
  /**
   * What the stream, the bucket and all subjects are called or begin with, `holdfast` by default: up to 32 letters,
   * digits, `-` and `_`.
   */
  readonly prefix?: string | undefined;
  /** On how many servers of a cluster everything is kept, 1 to 5, when `connect()` makes it; 1 by default. */
  readonly replicas?: number | undefined;
}

/** Options that were checked and completed. */
export interface NatsSettings {
  /** Without credentials. */
  readonly servers: readonly string[];
  readonly user: string | undefined;
  readonly pass: string | undefined;
  readonly token: string | undefined;
  readonly creds: string | undefined;
  readonly tls: NatsTls | undefined;
  readonly prefix: string;
  readonly replicas: number;
  /** Where the servers are, without secrets. */
  readonly place: string;
  readonly secrets: Secrets;
}

interface ServerAddress {
  readonly server: string;
  readonly user: string;
  readonly pass: string;
}

const KNOWN = ['servers', 'user', 'pass', 'token', 'creds', 'tls', 'prefix', 'replicas'];
const DEFAULT_SERVER = '127.0.0.1:4222';
const DEFAULT_PORT = '4222';

function optionalString(name: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === 'string' && value !== '')) return value;
  throw badOption(`Option '${name}' must be a string that is not empty.`);
}

/** The message must not show the address, which may hold a password. */
function parseServer(server: unknown): ServerAddress {
  const problem = badOption(`Option 'servers' must hold addresses such as 'nats://host:4222' or 'host:4222'.`);
  if (typeof server !== 'string' || server === '') throw problem;
  try {
    const url = new URL(/^[a-z]+:\/\//.test(server) ? server : `nats://${server}`);
    if (!['nats:', 'tls:'].includes(url.protocol) || url.hostname === '') throw problem;
    const host = `${url.hostname}:${url.port === '' ? DEFAULT_PORT : url.port}`;
    return { server: host, user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) };
  } catch {
    throw problem;
  }
}

function requireServers(given: unknown): readonly ServerAddress[] {
  const servers: unknown = given ?? process.env['NATS_URL']?.split(',') ?? DEFAULT_SERVER;
  const list: readonly unknown[] = Array.isArray(servers) ? servers : [servers];
  if (list.length === 0) throw badOption(`Option 'servers' must name at least one server.`);
  return list.map(parseServer);
}

function requirePrefix(prefix: unknown): string {
  if (typeof prefix === 'string' && /^[A-Za-z0-9_-]{1,32}$/.test(prefix)) return prefix;
  throw badOption(`Option 'prefix' must be 1 to 32 letters, digits, '-' and '_'.`);
}

/** A URL with a user and no password holds a token there. */
function credentialsOf(options: NatsHubOptions, servers: readonly ServerAddress[]): Pick<NatsSettings, 'user' | 'pass' | 'token' | 'creds'> {
  const inUrl = servers.find(({ user }) => user !== '');
  const urlToken = inUrl !== undefined && inUrl.pass === '' ? inUrl.user : undefined;
  const urlUser = urlToken === undefined ? inUrl?.user : undefined;
  return {
    user: optionalString('user', options.user) ?? urlUser ?? process.env['NATS_USER'],
    pass: optionalString('pass', options.pass) ?? (urlUser === undefined ? undefined : inUrl?.pass) ?? process.env['NATS_PASSWORD'],
    token: optionalString('token', options.token) ?? urlToken ?? process.env['NATS_TOKEN'],
    creds: optionalString('creds', options.creds) ?? process.env['NATS_CREDS'],
  };
}

/** @throws HoldfastError `bad-option` */
export function settingsOf(given: NatsHubOptions): NatsSettings {
  const options = givenOptions(given, KNOWN, 'natsHub()');
  const { tls, prefix = 'holdfast', replicas = 1 } = options;
  if (tls !== undefined && (typeof tls !== 'object' || tls === null)) throw badOption(`Option 'tls' must be an object of TLS options.`);
  const addresses = requireServers(options.servers);
  const credentials = credentialsOf(options, addresses);
  const secrets = new Secrets();
  secrets.add(credentials.pass, credentials.token, tls?.key, tls?.['passphrase']);
  return {
    ...credentials,
    servers: addresses.map(({ server }) => server),
    tls,
    prefix: requirePrefix(prefix),
    replicas: requireInteger('replicas', replicas, 1, 5),
    place: secrets.hide(addresses.map(({ server }) => server).join(', ')),
    secrets,
  };
}
