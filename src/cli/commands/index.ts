import type { Command } from '../command.ts';
import { backup } from './backup.ts';
import { backups } from './backups.ts';
import { completion } from './completion.ts';
import { coordinators } from './coordinators.ts';
import { deleteOrigin } from './delete-origin.ts';
import { du } from './du.ts';
import { encrypt } from './encrypt.ts';
import { exportCommand } from './export.ts';
import { cat, cp, ls, mv, put } from './files.ts';
import { hub } from './hub.ts';
import { importCommand } from './import.ts';
import { inspect } from './inspect.ts';
import { get, keys, set } from './items.ts';
import { locks } from './locks.ts';
import { origins } from './origins.ts';
import { rekey } from './rekey.ts';
import { restore } from './restore.ts';
import { rm } from './rm.ts';
import { syncStatus } from './sync-status.ts';
import { verify } from './verify.ts';
import { watch } from './watch.ts';

/** All that the program does, in the order in which its help shows it. */
export const commands: readonly Command[] = [
  origins, get, set, keys, rm, ls, cat, put, cp, mv, du, locks, coordinators, watch, inspect, exportCommand, importCommand, backup, backups, restore, verify, encrypt, rekey, deleteOrigin, hub, syncStatus, completion,
];
