import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { HubCapabilities } from '../../hub.ts';

/** What a server says of itself. */
export interface ServerSettings {
  readonly version: number;
  readonly version_name: string;
  readonly isolation: string;
  readonly fsync: string;
  readonly full_page_writes: string;
  readonly synchronous_commit: string;
  readonly standbys: string;
}

export const SERVER_SETTINGS = `select
  current_setting('server_version_num')::int as version,
  current_setting('server_version') as version_name,
  current_setting('default_transaction_isolation') as isolation,
  current_setting('fsync') as fsync,
  current_setting('full_page_writes') as full_page_writes,
  current_setting('synchronous_commit') as synchronous_commit,
  current_setting('synchronous_standby_names') as standbys`;

/** 13: the first that makes UUIDs without an extension. */
const OLDEST = 13;

/** @throws HoldfastError `hub-incompatible` */
export function requireUsable({ version, version_name, isolation }: ServerSettings, hub: string): void {
  if (version < OLDEST * 10_000) {
    throw new HoldfastError('hub-incompatible', `The hub ${hub} is a PostgreSQL ${version_name}; it has to be ${OLDEST} or later.`);
  }
  if (isolation !== 'read committed') {
    const message = `The hub ${hub} has the default isolation level '${isolation}', at which appends would fail; it has to be 'read committed', as by ALTER ROLE … SET default_transaction_isolation.`;
    throw new HoldfastError('hub-incompatible', message);
  }
}

function durabilityOf({ fsync, standbys, synchronous_commit }: ServerSettings): HubCapabilities['durability'] {
  const waitsForStandbys = standbys !== '' && !['off', 'local'].includes(synchronous_commit);
  if (waitsForStandbys) return 'replicated';
  return fsync === 'off' ? 'killed' : 'synced';
}

/** What the server's settings make of the adapter's promises. */
export function describeServer(server: ServerSettings): Pick<HubCapabilities, 'durability' | 'warnings'> {
  const warnings: string[] = [];
  if (server.fsync === 'off') warnings.push('fsync is off: a power failure of the server may lose everything, the database included.');
  if (server.full_page_writes === 'off') warnings.push('full_page_writes is off: a power failure of the server may damage the database.');
  if (server.synchronous_commit === 'off') {
    warnings.push('synchronous_commit is off: Holdfast switches it on for its own transactions, for otherwise the death of the server would lose what was acknowledged.');
  }
  if (server.standbys !== '' && server.synchronous_commit === 'local') {
    warnings.push('synchronous_commit is local: transactions do not wait for the standbys, and the loss of the machine may lose the last ones.');
  }
  return { durability: durabilityOf(server), warnings };
}
