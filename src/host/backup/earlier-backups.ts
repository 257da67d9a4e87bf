import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ChunkStore } from '../../disk/backup/chunk-store.ts';
import type { BackedUpOrigin } from '../../disk/backup/manifest.ts';
import { type BackupName, Repository } from '../../disk/backup/repository.ts';
import { Stage } from '../../disk/backup/stage.ts';
import type { Root } from '../../disk/root/root.ts';
import type { Goal } from './hub-position.ts';
import { type Followed, followedIn, keysIn, tellsPosition } from './positions.ts';
import type { HubPosition } from './types.ts';

/** A backup, and whether it has the origin encrypted. */
export interface EarlierBackup {
  readonly backup: BackupName;
  readonly isEncrypted: boolean;
}

/**
 * Backups of an origin that are not beyond a position of its hub, the nearest first; those of which the hub had
 * everything before those where something was waiting to be sent. Of each, only the journals that say so are read, with
 * the keys of the root that it is for.
 *
 * @throws HoldfastError backup-damaged, backup-unusable; key-missing, key-wrong, key-pending, keys-damaged
 */
export async function* earlierBackups(directory: string, root: Root, goal: Goal): AsyncGenerator<EarlierBackup, void> {
  const repository = Repository.open(directory);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-restore-'));
  const stage = new Stage(new ChunkStore(directory), scratch, false);
  const waiting: EarlierBackup[] = [];
  try {
    for (const backup of repository.backups().reverse()) {
      const backedUp = repository.read(backup).origins.find(({ origin }) => origin === goal.origin);
      if (backedUp === undefined) continue;
      const followed = await followedOf(backedUp, root, stage);
      const standing = standingOf(followed, goal.position);
      const { isEncrypted } = followed;
      if (standing === 'before') yield { backup, isEncrypted };
      if (standing === 'waiting') waiting.push({ backup, isEncrypted });
    }
    yield* waiting;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function followedOf(backedUp: BackedUpOrigin, root: Root, stage: Stage): Promise<Followed> {
  const { origin } = backedUp;
  const directory = await stage.build(backedUp, origin, () => undefined, tellsPosition);
  return followedIn(directory, origin, await keysIn(root, directory, origin));
}

function standingOf({ map, files }: Followed, { position, filesPosition }: HubPosition): 'before' | 'waiting' | 'beyond' {
  if (map === null) return 'beyond';
  const asked = [{ replica: map, at: position }, { replica: files, at: filesPosition }].filter(({ at }) => at !== undefined);
  if (asked.some(({ replica, at = 0 }) => replica === null || replica.position > at)) return 'beyond';
  return asked.every(({ replica }) => replica?.pending.length === 0) ? 'before' : 'waiting';
}
