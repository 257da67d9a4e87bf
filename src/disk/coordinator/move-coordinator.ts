import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { randomUuid } from '../../runtime/random.ts';
import { ensureDirectory, isDirectory } from '../directories.ts';
import { systemCode } from '../journal/disk-error.ts';
import { Journal } from '../journal/journal.ts';
import type { JournalEncryption } from '../journal/journal-cipher.ts';
import { leaveHistory } from '../journal/leave-history.ts';
import { syncPath } from '../root/durable.ts';
import { SPELLING } from './coordinator-names.ts';
import { TURNS } from './owned-journal.ts';
import { OwnedMachine } from './owned-machine.ts';

/** How a coordinator from before its origin was encrypted moves. */
export interface CoordinatorMove {
  /** Its directory as it is called still; null: it is where it goes. */
  readonly from: string | null;
  /** As its keys call it. */
  readonly to: string;
  readonly encryption: JournalEncryption;
  /** What is beside its journal then; null: nothing. */
  readonly spelling: string | null;
  readonly workshop: string;
}

/**
 * Has a coordinator go on in an encrypted generation, of which nothing plain is kept, and then under its encrypted name, by
 * one rename. Several may do it at once. Killed at any time it leaves one directory, under either name, whose journal has
 * all that it had; who comes next completes it. Whoever has it without a key is refused by the journal from then on.
 *
 * @throws HoldfastError as {@link leaveHistory}; the operating system's error
 */
export function moveCoordinator(move: CoordinatorMove): void {
  if (move.from !== null) rename({ ...move, from: move.from });
  respell(move);
}

function rename({ from, to, encryption }: CoordinatorMove & { readonly from: string }): void {
  try {
    encryptJournal(path.join(from, TURNS), encryption);
    ensureDirectory(path.dirname(to));
    // Without power the disk may keep the rename, and not the directory of the class that it goes into.
    syncPath(path.dirname(path.dirname(to)));
    withDescriptor(() => fs.renameSync(from, to));
  } catch (error) {
    // Somebody else was first.
    if (isDirectory(from) || !isDirectory(to)) throw error;
  }
  removeEmpty(path.dirname(from));
}

function encryptJournal(directory: string, encryption: JournalEncryption): void {
  const journal = new Journal(directory, new OwnedMachine(), { durability: 'strict', encryption });
  try {
    leaveHistory(journal);
  } finally {
    journal.close();
  }
}

/** What is beside its journal is written anew where it says the name in clear. */
function respell({ to, spelling, workshop }: CoordinatorMove): void {
  const file = path.join(to, SPELLING);
  if (spelling === null || readOrNull(file) === spelling) return;
  // By its name from before it is read with the spelling from before only, and whoever has renamed it may have been killed.
  syncPath(path.dirname(to));
  const draft = path.join(workshop, randomUuid());
  try {
    withDescriptor(() => fs.writeFileSync(draft, spelling, { mode: 0o600 }));
    syncPath(draft);
    fs.renameSync(draft, file);
  } finally {
    fs.rmSync(draft, { force: true });
  }
}

function readOrNull(file: string): string | null {
  try {
    return withDescriptor(() => fs.readFileSync(file, 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}

/** That of a class, once the last of it has moved: its name says which class. */
export function removeEmpty(directory: string): void {
  try {
    // Without power the disk may keep that it has gone, and not that they have moved.
    syncPath(directory);
    fs.rmdirSync(directory);
  } catch {
    // Another is in it still, or it is gone.
  }
}
