import path from 'node:path';
import { MapJournal } from '../../disk/map/map-journal.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { FilesJournal } from '../../sync/files/files-journal.ts';

/** Where in its hub's two orders an origin is that nobody uses; null: it follows none there. */
export interface Followed {
  readonly map: Replica | null;
  readonly files: Replica | null;
}

/** What of an origin's directory tells its positions. */
export function tellsPosition(file: string): boolean {
  return file.startsWith('default/local-storage/') || file.startsWith('default/files-sync/');
}

/** Reads only. @throws HoldfastError for journals that are damaged */
export function followedIn(directory: string, origin: string): Followed {
  const place = { path: path.join(directory, 'default'), ensure: () => undefined };
  const map = new MapJournal(place, { url: `${origin}/` });
  const files = new FilesJournal(place, { session: 1 });
  try {
    return { map: activeOne(map.replicaJournal().current()), files: activeOne(files.current()) };
  } finally {
    map.close();
    files.close();
  }
}

function activeOne(replica: Replica): Replica | null {
  return replica.active ? replica : null;
}
