import { createHash } from 'node:crypto';
import type { WatchedLog } from '../../coordinator/regions/region-alarms.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import type { HubConnection } from '../../sync/membership/hub-connection.ts';

/** Of a log, in code units. */
const LONGEST_LOG_NAME = 512;

/** The log of one coordinator: no two have one, and its name begins with that of the origin, which a token may be bound to. */
export function logNameOf({ origin, className, name }: CoordinatorKey): string {
  const plain = `${origin} coordinator ${className}=${name}`;
  if (plain.length <= LONGEST_LOG_NAME) return plain;
  return `${origin} coordinator ${className}#${createHash('sha256').update(name, 'utf16le').digest('hex')}`;
}

/** The log of which coordinators there are of an origin; a token for the origin is for it too. */
export function registerNameOf(origin: string): string {
  return `${origin} coordinators`;
}

/** A log by its name. Nothing is asked of a hub that was not looked at. Does no I/O. */
export function hubLog(connection: HubConnection, name: string): WatchedLog {
  const log = connection.log(name);
  const after = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    await connection.connect();
    return await work();
  };
  return {
    head: () => after(() => log.head()),
    append: (entries) => after(() => log.append(entries)),
    read: (position, limit) => after(() => log.read(position, limit)),
    snapshot: () => after(() => log.snapshot()),
    putSnapshot: (snapshot) => after(() => log.putSnapshot(snapshot)),
    trim: (upTo) => after(() => log.trim(upTo)),
    notifies: async () => (await connection.connect()).notifies,
    subscribe: (onNews) => log.subscribe(onNews),
  };
}
