import path from 'node:path';
import { MapJournal } from '../../disk/map/map-journal.ts';
import type { PlaceKeys } from '../../disk/place.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import { KEYS } from '../../disk/root/origin-vault.ts';
import type { Root } from '../../disk/root/root.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { FilesJournal } from '../../sync/files/files-journal.ts';
import { fileReferences } from '../../sync/files/references.ts';

/** Where in its hub's two orders an origin is that nobody uses; null: it follows none there. */
export interface Followed {
  readonly map: Replica | null;
  readonly files: Replica | null;
  /** What the hub calls the chunks that its files are made of. */
  readonly chunks: ReadonlySet<string>;
  readonly isEncrypted: boolean;
}

/** What of an origin's directory tells its positions, and opens what does. */
export function tellsPosition(file: string): boolean {
  return file === KEYS || file.startsWith('default/local-storage/') || file.startsWith('default/files-sync/');
}

/**
 * The keys of an origin that nobody sees, for its default bucket; undefined where it has none.
 *
 * @throws HoldfastError key-missing, key-wrong, key-pending, keys-damaged
 */
export async function keysIn({ vaults }: Pick<Root, 'vaults'>, directory: string, origin: string): Promise<PlaceKeys | undefined> {
  if (!isEncrypted(directory)) return undefined;
  if (vaults === undefined) throw new HoldfastError('key-missing', `The backup of ${origin} is encrypted, and no key was given, without which nobody can tell which position of its hub it is of.`);
  const vault = vaults.at(directory, origin);
  await vault.prepare();
  return vault.place('default');
}

/** Reads only. `encryption`: of {@link keysIn}. @throws HoldfastError for journals that are damaged */
export function followedIn(directory: string, origin: string, encryption: PlaceKeys | undefined): Followed {
  const place = { path: path.join(directory, 'default'), ensure: () => undefined, encryption };
  const map = new MapJournal(place, { url: `${origin}/` });
  const files = new FilesJournal(place, { session: 1 });
  try {
    const { replica, model } = files.state();
    return { map: activeOne(map.replicaJournal().current()), files: activeOne(replica), chunks: new Set(fileReferences.ofModel(model)), isEncrypted: encryption !== undefined };
  } finally {
    map.close();
    files.close();
  }
}

function activeOne(replica: Replica): Replica | null {
  return replica.active ? replica : null;
}
