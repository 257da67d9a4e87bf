import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { Journal } from '../journal/journal.ts';
import type { AlarmIndex } from './alarm-index.ts';
import { TURNS } from './owned-journal.ts';
import { OwnedMachine } from './owned-machine.ts';
import { coordinatorPlaces } from './survey.ts';

/**
 * Makes the coordinators of an origin that is to take its place, and that nobody sees yet, such as nobody has run since
 * all that was said of them: none has an owner, so that whoever runs one now finds out that it is another; their epochs
 * are later than all that the root's index of alarms knows; and their alarms are in it, a moment too early at worst.
 *
 * @param directory - where the origin is being built.
 * One whose journal cannot be read stays as it is: nobody can run it.
 *
 * @throws HoldfastError disk-full, disk-failed
 */
export function releaseCoordinators(directory: string, origin: string, index: AlarmIndex): void {
  for (const { className, name, path: place } of coordinatorPlaces(directory)) {
    index.look();
    releaseOne(path.join(place, TURNS), (machine) => {
      const key = { origin, className, name: name ?? '' };
      machine.disown(index.epochOf(key));
      // Without its name nobody can call it, nor wake it.
      if (machine.alarm !== null && name !== null) index.note(key, machine.alarm.time, machine.epoch);
    });
  }
}

function releaseOne(turns: string, change: (machine: OwnedMachine) => void): void {
  const machine = new OwnedMachine();
  const journal = new Journal(turns, machine);
  try {
    if (!isReadable(journal)) return;
    change(machine);
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
