import { bucketsOf, keysOf, placeOf } from '../../disk/root/origins.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import type { Root } from '../../disk/root/root.ts';
import type { Locator } from '../../disk/locator.ts';
import type { Schema } from '../../disk/records/record-database.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { haveSameStores } from './database-head.ts';
import { openDatabases, type OpenDatabases } from './export-databases.ts';
import { withReadOnlyTree } from './export-files.ts';

/**
 * Whether what is staged of an origin can be merged into what is there: no file has the place of a directory, and
 * databases of one name have the same stores.
 *
 * @throws HoldfastError origin-exists
 */
export async function requireMergeable(staged: Root, root: Root, origin: string): Promise<void> {
  const there = bucketsOf(pathOfOrigin(root, origin), keysOf(root, origin));
  for (const bucket of bucketsOf(pathOfOrigin(staged, origin), keysOf(staged, origin))) {
    const same = there.find(({ name, entry }) => name === bucket.name && (entry === null) === (bucket.entry === null));
    if (same === undefined) continue;
    const ours = { place: placeOf(staged, origin, bucket), foldsNames: staged.open()?.foldsNames ?? false };
    const theirs = { place: placeOf(root, origin, same), foldsNames: root.open()?.foldsNames ?? false };
    await withReadOnlyTree(ours, (from) => withReadOnlyTree(theirs, async (to) => requireSameKinds(origin, from, to)));
    await requireSameSchemas(origin, await openDatabases(ours), await openDatabases(theirs));
  }
}

interface Tree {
  entries(directory: Locator): Iterable<[name: string, kind: 'file' | 'directory']>;
  kindOf(locator: Locator): 'file' | 'directory' | null;
}

function requireSameKinds(origin: string, from: Tree, to: Tree): void {
  const waiting: Locator[] = [[]];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    for (const [name, kind] of from.entries(directory)) {
      const locator = [...directory, name];
      const there = to.kindOf(locator);
      if (there !== null && there !== kind) throw unlike(origin, `'/${locator.join('/')}' is a ${kind} in the archive, and a ${there} there`);
      if (there === 'directory') waiting.push(locator);
    }
  }
}

async function requireSameSchemas(origin: string, ours: OpenDatabases, theirs: OpenDatabases): Promise<void> {
  try {
    for (const { name } of await ours.databases.list()) {
      const [from, to] = [await schemaOf(ours, name), await schemaOf(theirs, name)];
      if (from === null || to === null || to.version === 0) continue;
      if (from.version !== to.version || !haveSameStores(withoutKeys(from), withoutKeys(to))) {
        throw unlike(origin, `the database '${name}' has another version or other stores in the archive than there`);
      }
    }
  } finally {
    await ours.close();
    await theirs.close();
  }
}

async function schemaOf({ databases }: OpenDatabases, name: string): Promise<Schema | null> {
  const database = await databases.open(name);
  try {
    return (await database?.readSchema()) ?? null;
  } finally {
    database?.close();
  }
}

function withoutKeys({ stores }: Schema): Parameters<typeof haveSameStores>[0] {
  return { stores: stores.map((store) => ({ ...store, nextKey: null })) };
}

function unlike(origin: string, what: string): HoldfastError {
  return new HoldfastError('origin-exists', `The archive cannot be merged into ${origin}: ${what}. Nothing was changed.`);
}
