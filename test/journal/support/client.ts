import fs from 'node:fs';
import { join } from 'node:path';
import { Journal, type JournalOptions } from './journal.ts';
import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import { bytes, Ledger } from './ledger.ts';
import { temporaryDirectory } from './place.ts';

/** One realm with a journal of its own. */
export interface Client {
  readonly ledger: Ledger;
  readonly journal: Journal<number>;
  write(text: string): number;
}

export function client(directory: string, session: number, options?: JournalOptions, ledger = new Ledger()): Client {
  const journal = new Journal(directory, ledger, options);
  let sequence = 0;
  return { ledger, journal, write: (text) => journal.append(1, session, ++sequence, bytes(text)) };
}

/** A journal that is there, with nothing in it. */
export function created(): string {
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory);
  return directory;
}

/** The names of its generations. */
export function numbers(directory: string): string[] {
  return fs.readdirSync(directory).filter((name) => name !== 'cand');
}

/** What a call fails with. */
export function codeOf(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  }
  return 'nothing was thrown';
}
