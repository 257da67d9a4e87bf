import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { closeQuietly, generationPath, listGenerations } from '../journal/generation-file.ts';
import { Journal } from '../journal/journal.ts';
import { isDirectoryAt } from './entries.ts';
import { factsIn, factsOf, isFresh, keptOf, type FileFacts } from './file-facts.ts';
import type { ListedFile } from './listing.ts';
import { nullMachine } from './null-machine.ts';
import { Moved, type Part } from './part.ts';

/** What a journal is in a backup: its newest generation, up to where it had come. */
export interface TakenJournal {
  readonly generation: number;
  /** Null: it is as the backup before has it. */
  readonly bytes: Buffer | null;
  readonly facts: FileFacts;
  readonly isFresh: boolean;
}

/**
 * A journal. One that is as the backup before found it is not opened. Invariant: a generation that was sealed by the
 * moment in question is not taken, for what followed the SEAL would be missing.
 */
export class JournalPart implements Part {
  readonly directory: string;
  /** In the backup. */
  readonly relative: string;
  readonly generation: number;
  readonly #kept: ListedFile | null;
  readonly #journal: Journal<undefined> | null = null;
  readonly #descriptor: number = -1;
  readonly #path: string;
  #size = 0;
  #settledSize = 0;

  /**
   * @param previous - what the backup before has of a generation.
   * @throws Moved when there is no journal; HoldfastError when it cannot be read
   */
  constructor(directory: string, relative: string, previous: (generation: number) => ListedFile | undefined) {
    this.directory = directory;
    this.relative = relative;
    const newest = listGenerations(directory)?.at(-1);
    if (newest === undefined) throw new Moved(directory);
    const facts = factsOf(generationPath(directory, newest));
    this.#kept = facts === null ? null : keptOf(previous(newest), facts);
    if (this.#kept !== null) {
      this.generation = newest;
      this.#path = generationPath(directory, newest);
      return;
    }
    this.#journal = new Journal(directory, nullMachine);
    // Follows whatever was sealed by now.
    if (!this.#journal.catchUp()) throw new Moved(directory);
    this.generation = this.#journal.generation;
    this.#path = this.#journal.file;
    this.#descriptor = withDescriptor(() => fs.openSync(this.#path, 'r'));
  }

  /** Whether it was as the backup before has it when it was opened. */
  get isKept(): boolean {
    return this.#kept !== null;
  }

  position(): number {
    const stats = this.#kept === null ? fs.fstatSync(this.#descriptor) : fs.lstatSync(this.#path, { throwIfNoEntry: false });
    if (stats === undefined) throw new Moved(this.directory);
    return (this.#size = stats.size);
  }

  settle(): void {
    this.#settledSize = this.#size;
  }

  /**
   * What it was at the moment.
   *
   * @throws Moved where it has moved on to another generation, maybe before that
   */
  take(now: number): TakenJournal {
    const { generation } = this;
    const facts = this.#journal === null ? this.#factsAsKept() : this.#factsAsOpen(this.#journal);
    if (this.#kept !== null) return { generation, bytes: null, facts, isFresh: false };
    const bytes = Buffer.alloc(this.#settledSize);
    for (let at = 0; at < bytes.length; ) {
      const got = fs.readSync(this.#descriptor, bytes, at, bytes.length - at, at);
      if (got === 0) throw new Moved(this.directory);
      at += got;
    }
    return { generation, bytes, facts, isFresh: isFresh(facts, now) || facts.size !== bytes.length };
  }

  #factsAsKept(): FileFacts {
    const facts = factsOf(this.#path);
    const isStill = facts !== null && this.#kept !== null && keptOf(this.#kept, facts) !== null;
    if (!isStill || facts.size !== this.#settledSize || listGenerations(this.directory)?.at(-1) !== this.generation) throw new Moved(this.directory);
    return facts;
  }

  #factsAsOpen(journal: Journal<undefined>): FileFacts {
    const facts = factsIn(fs.fstatSync(this.#descriptor, { bigint: true }));
    const isOpen = journal.catchUp() && journal.generation === this.generation && factsOf(this.#path)?.ino === facts.ino;
    if (!isOpen) throw new Moved(this.directory);
    return facts;
  }

  close(): void {
    this.#journal?.close();
    if (this.#descriptor !== -1) closeQuietly(this.#descriptor);
  }
}

/** Whether a directory is a journal. */
export function isJournal(directory: string): boolean {
  return isDirectoryAt(directory) && isDirectoryAt(path.join(directory, 'cand'));
}
