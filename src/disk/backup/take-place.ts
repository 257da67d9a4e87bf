import path from 'node:path';
import { isDirectory } from '../directories.ts';
import { unlockedVault } from '../root/encrypted.ts';
import { LockTable } from '../locks/table.ts';
import { pathOfOrigin, replaceOrigin } from '../maintenance/replace-origin.ts';
import type { Root } from '../root/root.ts';

/**
 * Gives `staged`, a whole origin on the same disk, the place of the origin. Operations on files that are under way end
 * before; whoever has the origin open notices as with any other replacement, within 250 ms of use.
 *
 * @throws HoldfastError
 */
export async function takePlace(root: Root, origin: string, staged: string, detach: <T>(body: () => T) => T): Promise<void> {
  const bucket = path.join(pathOfOrigin(root, origin), 'default');
  const vault = await unlockedVault(root, pathOfOrigin(root, origin), origin, 'nobody can keep others from changing its files');
  if (!isDirectory(path.join(bucket, 'locks'))) return void (await replaceOrigin(root, origin, staged));
  let replacing: Promise<unknown> | null = null;
  const table = new LockTable({ path: bucket, ensure: () => undefined, encryption: vault?.place('default') }, { shared: root.shared, detach, keenMs: 1000 });
  try {
    await table.operate({ operation: 'hold', kind: 'directory', source: [] }, () => {
      // The renames are made in this turn.
      replacing = replaceOrigin(root, origin, staged);
      return { changed: false, value: undefined };
    });
  } catch {
    // The table that the end would be written to is gone; or it is beyond use, and goes away as well.
  } finally {
    await table.close().catch(() => undefined);
  }
  await (replacing ?? replaceOrigin(root, origin, staged));
}
