import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { Journal } from '../journal/journal.ts';
import { isEncrypted } from '../root/encrypted.ts';
import type { OriginVault } from '../root/origin-vault.ts';
import type { Root } from '../root/root.ts';
import { AlarmIndex } from './alarm-index.ts';
import { TURNS } from './owned-journal.ts';
import { OwnedMachine } from './owned-machine.ts';
import { coordinatorPlaces, hasCoordinators, type FoundCoordinator } from './survey.ts';

/**
 * Makes the coordinators of an origin that is to take its place, and that nobody sees yet, such as nobody has run since
 * all that was said of them: none has an owner, so that whoever runs one now finds out that it is another; their epochs
 * are later than all that the root's index of alarms knows; and their alarms are in it, a moment too early at worst.
 *
 * @param directory - where the origin is being built.
 * One whose journal cannot be read stays as it is: nobody can run it.
 *
 * @throws HoldfastError disk-full, disk-failed; where the origin is encrypted key-missing, key-wrong, key-pending, keys-damaged
 */
export async function releaseCoordinators(root: Root, directory: string, origin: string): Promise<void> {
  if (!hasCoordinators(directory)) return;
  const vault = await vaultIn(root, directory, origin);
  const index = new AlarmIndex(root, () => vault);
  try {
    for (const each of coordinatorPlaces(directory, vault)) {
      index.look();
      releaseOne(each, origin, index);
    }
  } finally {
    index.close();
  }
}

/** The keys that the origin will have. */
async function vaultIn(root: Root, directory: string, origin: string): Promise<OriginVault | null> {
  if (!isEncrypted(directory)) return null;
  const vault = root.vaults?.at(directory, origin);
  if (vault === undefined) throw noKeyToWake(origin);
  await vault.prepare();
  vault.require(true);
  return vault;
}

export function noKeyToWake(origin: string): HoldfastError {
  return new HoldfastError('key-missing', `${origin} is encrypted and has coordinators, and no key was given, without which nobody can wake them.`);
}

function releaseOne({ className, name, path: place, keys }: FoundCoordinator, origin: string, index: AlarmIndex): void {
  const machine = new OwnedMachine();
  const journal = new Journal(path.join(place, TURNS), machine, { encryption: keys?.journal(TURNS) });
  try {
    if (!isReadable(journal)) return;
    const key = { origin, className, name: name ?? '' };
    machine.disown(index.epochOf(key));
    // Without its name nobody can call it, nor wake it.
    if (machine.alarm !== null && name !== null) index.note(key, machine.alarm.time, machine.epoch);
    journal.compact();
  } finally {
    journal.close();
  }
}

function isReadable(journal: Journal<boolean>): boolean {
  try {
    return journal.catchUp();
  } catch (error) {
    if (error instanceof HoldfastError && ['journal-damaged', 'unknown-record', 'root-newer'].includes(error.code)) return false;
    throw error;
  }
}
