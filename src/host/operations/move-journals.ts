import path from 'node:path';
import type { JournalEncryption } from '../../disk/journal/journal-cipher.ts';
import { closeQuietly, openGeneration } from '../../disk/journal/generation-file.ts';
import { Journal } from '../../disk/journal/journal.ts';
import { lockfileSection } from '../../disk/journal/lockfile.ts';
import type { Machine } from '../../disk/journal/machine.ts';
import { LockMachine } from '../../disk/locks/machine.ts';
import { RETAINED_GENERATIONS } from '../../disk/map/map-journal.ts';
import { MapMachine } from '../../disk/map/map-machine.ts';
import type { PlaceKeys } from '../../disk/place.ts';
import type { Root } from '../../disk/root/root.ts';
import { deaf } from '../../disk/survey/deaf.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { nextTurn } from '../../runtime/timers.ts';

/** Attempts at moving a journal that others go on writing to. */
const ATTEMPTS = 64;

/** A bucket whose journals move. */
interface Moving {
  readonly root: Root;
  readonly origin: string;
  /** The bucket's directory. */
  readonly path: string;
  readonly keys: PlaceKeys;
}

/**
 * Has each journal of a bucket go on in a generation that is encrypted with the key that is active now, as any compaction
 * does. Others go on writing meanwhile; a kill leaves those that were moved, and the others as they were.
 *
 * @throws HoldfastError `disk-failed` where others write too fast; `disk-full`, `root-read-only`, `journal-damaged`
 */
export async function moveJournals({ root, origin, path: bucket, keys }: Moving): Promise<void> {
  // A second way to it would cut what a first file loads into two modules.
  const { AccountMachine } = await import('../file-code.ts');
  const retain = { 'local-storage': RETAINED_GENERATIONS, locks: 0, quota: 0, 'indexeddb/locks': 0 };
  const machines = { 'local-storage': new MapMachine(`${origin}/`), locks: new LockMachine(deaf), quota: new AccountMachine(), 'indexeddb/locks': new LockMachine(deaf) };
  for (const name of ['local-storage', 'locks', 'quota', 'indexeddb/locks'] as const) {
    const machine: Machine<unknown> = machines[name];
    const directory = path.join(bucket, name);
    const encryption = keys.journal(name);
    const { durability, shared } = root;
    const journal = new Journal(directory, machine, { durability, encryption, retain: retain[name], ...lockfileSection(directory, shared) });
    try {
      await move(journal, encryption);
    } finally {
      journal.close();
    }
  }
}

async function move(journal: Journal<unknown>, encryption: JournalEncryption): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!journal.catchUp() || isCurrent(journal, encryption)) return;
    journal.compact();
    await nextTurn();
  }
  throw new HoldfastError('disk-failed', `The journal in ${journal.directory} could not be moved to another key: others write to it all the time. Try again.`);
}

/** Whether the newest generation is encrypted with the active key; not, where it is another one by now. */
function isCurrent(journal: Journal<unknown>, encryption: JournalEncryption): boolean {
  encryption.refresh();
  const file = openGeneration(journal.directory, journal.generation, encryption, journal.file, 'read');
  if (file === null) return false;
  closeQuietly(file.descriptor);
  return file.keyId === encryption.activeId;
}
