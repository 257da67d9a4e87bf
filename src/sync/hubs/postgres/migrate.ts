import type { ClientBase } from 'pg';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { migrations, SCHEMA_VERSION } from './schema.ts';

/** Any number; that all versions of Holdfast take the same one makes their migrations wait for each other. */
const MIGRATION_LOCK = 4_839_201_155;

/**
 * Reads the catalogues as tables: functions such as to_regclass() may answer from a cache that has not heard of what
 * others committed while this transaction waited.
 */
async function exists(client: ClientBase, catalogue: string, values: readonly string[]): Promise<boolean> {
  const { rows } = await client.query<{ there: boolean }>(`select exists (select from ${catalogue}) as there`, [...values]);
  return rows[0]?.there === true;
}

async function installedVersion(client: ClientBase, schema: string): Promise<number> {
  if (!(await exists(client, `pg_catalog.pg_tables where schemaname = $1 and tablename = 'schema_version'`, [schema]))) return 0;
  const { rows } = await client.query<{ version: number }>(`select version from "${schema}".schema_version`);
  return Number(rows[0]?.version ?? 0);
}

function requireKnown(version: number, schema: string): void {
  if (version <= SCHEMA_VERSION) return;
  const message = `The schema '${schema}' has version ${version}, made by a newer Holdfast; this one knows versions up to ${SCHEMA_VERSION}.`;
  throw new HoldfastError('hub-incompatible', message);
}

/** Makes what is missing. What several do at once is done by the first; the others wait and find it done. */
async function migrate(client: ClientBase, schema: string): Promise<void> {
  await client.query('select pg_advisory_xact_lock($1)', [MIGRATION_LOCK]);
  const version = await installedVersion(client, schema);
  requireKnown(version, schema);
  // Not IF NOT EXISTS, which asks for the right to create schemas even where this one exists.
  if (!(await exists(client, 'pg_catalog.pg_namespace where nspname = $1', [schema]))) await client.query(`create schema "${schema}"`);
  for (const statements of migrations(schema).slice(version)) await client.query(statements);
}

/**
 * Brings the schema to the version that this code works with, or makes it, in one transaction.
 *
 * @throws HoldfastError `hub-incompatible` when it is newer; errors of pg
 */
export async function ensureSchema(client: ClientBase, schema: string): Promise<void> {
  const version = await installedVersion(client, schema);
  requireKnown(version, schema);
  if (version === SCHEMA_VERSION) return;
  await client.query('begin');
  try {
    await migrate(client, schema);
    await client.query('commit');
  } catch (error) {
    // What the transaction failed of matters, and not what its end may fail of too.
    await client.query('rollback').catch(() => undefined);
    throw error;
  }
}
