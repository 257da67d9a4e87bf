import fs from 'node:fs';
import path from 'node:path';
import { RegisterMachine } from '../../disk/buckets/machine.ts';
import type { JournalEncryption } from '../../disk/journal/journal-cipher.ts';
import { closeQuietly, listGenerations, openGeneration } from '../../disk/journal/generation-file.ts';
import { Journal } from '../../disk/journal/journal.ts';
import { sweep } from '../../disk/journal/succession.ts';
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
export interface Moving {
  readonly root: Root;
  readonly origin: string;
  /** The bucket's directory. */
  readonly path: string;
  readonly keys: PlaceKeys;
  /** Whether older generations, kept for slow readers, go at once. */
  readonly isPurged: boolean;
}

/**
 * Has each journal of a bucket go on in a generation that is encrypted with the key that is active now, as any compaction
 * does, but always synced: of what was before nothing is kept. Others go on writing meanwhile; a kill leaves those that
 * were moved, and the others as they were.
 *
 * @throws HoldfastError `disk-failed` where others write too fast; `disk-full`, `root-read-only`, `journal-damaged`
 */
export async function moveJournals(moving: Moving): Promise<void> {
  for (const [name, machine] of await machinesOf(moving.path, `${moving.origin}/`)) await moveJournal(name, machine, moving);
}

/** The same for one of them. */
export async function moveJournal(name: string, machine: Machine<unknown>, { root: { shared }, path: bucket, keys, isPurged }: Moving): Promise<void> {
  const directory = path.join(bucket, name);
  const encryption = keys.journal(name);
  const retain = name === 'local-storage' && !isPurged ? RETAINED_GENERATIONS : 0;
  const journal = new Journal(directory, machine, { durability: 'strict', encryption, retain, ...lockfileSection(directory, shared) });
  try {
    await move(journal, encryption, isPurged);
  } finally {
    journal.close();
  }
}

/** What understands the journals that a bucket may have, by their names. */
async function machinesOf(bucket: string, url: string): Promise<Map<string, Machine<unknown>>> {
  // A second way to these would cut what a first file, or cache, loads into two modules.
  const { AccountMachine } = await import('../file-code.ts');
  const machines = new Map<string, Machine<unknown>>([
    ['local-storage', new MapMachine(url)],
    ['locks', new LockMachine(deaf)],
    ['quota', new AccountMachine()],
    ['register', new RegisterMachine()],
    ['indexeddb/locks', new LockMachine(deaf)],
  ]);
  if (fs.existsSync(path.join(bucket, 'files-sync'))) machines.set('files-sync', new (await import('../sync/running-sync.ts')).FilesMachine());
  if (fs.existsSync(path.join(bucket, 'channels'))) machines.set('channels', new (await import('../../disk/channels/channel-machine.ts')).ChannelMachine());
  if (fs.existsSync(path.join(bucket, 'caches/index'))) machines.set('caches/index', new (await import('../caches/code.ts')).CacheMachine());
  return machines;
}

async function move(journal: Journal<unknown>, encryption: JournalEncryption, isPurged: boolean): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    if (!journal.catchUp()) return;
    const isAlone = !isPurged || (listGenerations(journal.directory)?.length ?? 0) < 2;
    if (isAlone && isCurrent(journal, encryption)) return isPurged ? sweep(journal.directory, journal.generation, 0) : undefined;
    journal.compact();
    await nextTurn();
  }
  throw new HoldfastError('disk-failed', `The journal in ${journal.directory} could not be moved to another key: others write to it all the time. Try again.`);
}

/** Whether the newest generation is encrypted with the active key; not, where it is another one by now. */
function isCurrent(journal: Journal<unknown>, encryption: JournalEncryption): boolean {
  const file = openGeneration(journal.directory, journal.generation, encryption, journal.file, 'read');
  if (file === null) return false;
  closeQuietly(file.descriptor);
  return file.keyId === encryption.look();
}
