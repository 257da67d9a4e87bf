import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { ChunkStore } from '../../disk/backup/chunk-store.ts';
import type { BackedUpOrigin } from '../../disk/backup/manifest.ts';
import { type BackupName, Repository } from '../../disk/backup/repository.ts';
import { Stage } from '../../disk/backup/stage.ts';
import type { Goal } from './hub-position.ts';
import { type Followed, followedIn, tellsPosition } from './positions.ts';
import type { HubPosition } from './types.ts';

/**
 * Backups of an origin that are not beyond a position of its hub, the nearest first; those of which the hub had
 * everything before those where something was waiting to be sent. Of each, only the journals that say so are read.
 *
 * @throws HoldfastError backup-damaged, backup-unusable
 */
export async function* earlierBackups(directory: string, goal: Goal): AsyncGenerator<BackupName, void> {
  const repository = Repository.open(directory);
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-restore-'));
  const stage = new Stage(new ChunkStore(directory), scratch, false);
  const waiting: BackupName[] = [];
  try {
    for (const backup of repository.backups().reverse()) {
      const backedUp = repository.read(backup).origins.find(({ origin }) => origin === goal.origin);
      const standing = backedUp === undefined ? 'beyond' : standingOf(await followedOf(backedUp, stage), goal.position);
      if (standing === 'before') yield backup;
      if (standing === 'waiting') waiting.push(backup);
    }
    yield* waiting;
  } finally {
    fs.rmSync(scratch, { recursive: true, force: true });
  }
}

async function followedOf(backedUp: BackedUpOrigin, stage: Stage): Promise<Followed> {
  return followedIn(await stage.build(backedUp, backedUp.origin, () => undefined, tellsPosition), backedUp.origin);
}

function standingOf({ map, files }: Followed, { position, filesPosition }: HubPosition): 'before' | 'waiting' | 'beyond' {
  if (map === null) return 'beyond';
  const asked = [{ replica: map, at: position }, { replica: files, at: filesPosition }].filter(({ at }) => at !== undefined);
  if (asked.some(({ replica, at = 0 }) => replica === null || replica.position > at)) return 'beyond';
  return asked.every(({ replica }) => replica?.pending.length === 0) ? 'before' : 'waiting';
}
