import fs from 'node:fs';
import path from 'node:path';
import { LockView } from '../../disk/backup/lock-view.ts';
import { LockTable } from '../../disk/locks/table.ts';
import { removeTree } from '../../disk/maintenance/packages.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { bucketsOf } from '../../disk/root/origins.ts';
import type { OriginVault } from '../../disk/root/origin-vault.ts';
import type { Root } from '../../disk/root/root.ts';
import type { PlaceKeys } from '../../disk/place.ts';
import { isSwapFolder } from '../../disk/spelling.ts';
import { storagesOf } from './coordinators.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';

/** Of whatever was removed: anyone may delete it at any time. */
export async function emptyTrash(bucket: string): Promise<void> {
  const trash = path.join(bucket, 'trash');
  for (const name of fs.existsSync(trash) ? fs.readdirSync(trash) : []) await removeTree(path.join(trash, name));
}

/**
 * Calls `body` while operations on files of all buckets wait, and nobody has a file open to write to it.
 *
 * @returns what `body` returns; or files that are open, and then it was not called
 * @throws HoldfastError as lock tables do
 */
export async function whileFilesRest(root: Root, origin: string, vault: OriginVault, body: () => Promise<readonly string[]>): Promise<readonly string[]> {
  const buckets: Held[] = bucketsOf(pathOfOrigin(root, origin), vault.place('default')).map(({ path: at, keys }) => ({ path: at, encryption: keys }));
  buckets.push(...storagesOf(root, origin, vault));
  for (const bucket of buckets) await emptyTrash(bucket.path);
  return whileHeld(root, buckets, body);
}

/** What a sweep does, sooner or later. */
async function removeSwapsOfDead(bucket: string, table: LockTable): Promise<void> {
  const swap = path.join(bucket, 'swap');
  for (const name of fs.existsSync(swap) ? fs.readdirSync(swap) : []) if (isSwapFolder(name) && table.isDead(name)) await removeTree(path.join(swap, name));
}

interface Held {
  readonly path: string;
  readonly encryption: PlaceKeys | undefined;
}

async function whileHeld(root: Root, [place, ...others]: readonly Held[], body: () => Promise<readonly string[]>): Promise<readonly string[]> {
  if (place === undefined) return body();
  const table = new LockTable({ ...place, ensure: () => undefined }, { shared: root.shared, detach: outsideContexts, keenMs: 1000 });
  let result: readonly string[] = [];
  try {
    await table.operate({ operation: 'hold', kind: 'directory', source: [] }, async () => {
      await removeSwapsOfDead(place.path, table);
      const open = filesInUse(place);
      result = open.length > 0 ? open : await whileHeld(root, others, body);
      return { changed: false, value: undefined };
    });
    return result;
  } finally {
    await table.close();
  }
}

function filesInUse({ path: bucket, encryption }: Held): string[] {
  const view = new LockView(path.join(bucket, 'locks'), encryption?.journal('locks'));
  try {
    view.position();
    return view.locked.map((locator) => `/${locator.join('/')}`);
  } finally {
    view.close();
  }
}
