import fs from 'node:fs';
import { SEAL_KIND } from '../journal/frame.ts';
import { FrameReader } from '../journal/frame-reader.ts';
import { candidateDirectory, closeQuietly, FILE_HEADER_BYTES, generationPath, listGenerations, openGeneration, type GenerationFile } from '../journal/generation-file.ts';
import { Journal } from '../journal/journal.ts';
import { decodeSeal } from '../journal/journal-records.ts';
import { isDirectoryAt } from './entries.ts';
import { factsIn, factsOf, isFresh, keptOf, type FileFacts } from './file-facts.ts';
import type { ListedFile } from './listing.ts';
import { withoutKey } from '../verify/without-key.ts';
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
 * A journal, by its frames: for which nobody needs a key. One that is as the backup before found it is not opened. Invariant: a generation is taken if it was not
 * sealed at the moment; then it was the journal, and what followed the SEAL came later.
 */
export class JournalPart implements Part {
  readonly directory: string;
  /** In the backup. */
  readonly relative: string;
  readonly #previous: (generation: number) => ListedFile | undefined;
  /** Null: it was not opened. */
  #journal: Journal<undefined> | null = null;
  #isReplaced = false;
  #current: Current;
  #size = 0;
  #settledSize = 0;

  /**
   * @param previous - what the backup before has of a generation.
   * @throws Moved when there is no journal; HoldfastError when it cannot be read
   */
  constructor(directory: string, relative: string, previous: (generation: number) => ListedFile | undefined) {
    this.directory = directory;
    this.relative = relative;
    this.#previous = previous;
    this.#current = this.#keptGeneration() ?? this.#open();
  }

  #keptGeneration(): Current | null {
    const number = listGenerations(this.directory)?.at(-1);
    if (number === undefined) throw new Moved(this.directory);
    const path = generationPath(this.directory, number);
    const facts = factsOf(path);
    const kept = facts === null ? null : keptOf(this.#previous(number), facts);
    return kept === null ? null : { number, path, kept, file: null };
  }

  /** Follows whatever was sealed by now. */
  #open(): Current {
    this.#journal ??= new Journal(this.directory, nullMachine, { encryption: withoutKey, onReplaced: () => (this.#isReplaced = true) });
    if (!this.#journal.catchUp()) throw new Moved(this.directory);
    this.#isReplaced = false;
    const { generation: number, file: path } = this.#journal;
    const file = openGeneration(this.directory, number, withoutKey, path, 'read');
    if (file === null) throw new Moved(this.directory);
    return { number, path, kept: null, file };
  }

  /** The one that is taken. */
  get generation(): number {
    return this.#current.number;
  }

  /** Whether it is as the backup before has it. */
  get isKept(): boolean {
    return this.#current.kept !== null;
  }

  /** To be called shortly before its position is asked for: opens what has taken the place of what was looked at. */
  prepare(): void {
    if (this.#isCurrent()) return;
    const { file } = this.#current;
    this.#current = this.#open();
    if (file !== null) closeQuietly(file.descriptor);
  }

  #isCurrent(): boolean {
    const { path, kept, number } = this.#current;
    if (kept !== null) return isAsKept(path, kept);
    return this.#journal?.catchUp() === true && !this.#isReplaced && this.#journal.generation === number;
  }

  position(): number {
    const { file, path } = this.#current;
    const stats = file === null ? fs.lstatSync(path, { throwIfNoEntry: false }) : fs.fstatSync(file.descriptor);
    if (stats === undefined) throw new Moved(this.directory);
    return (this.#size = stats.size);
  }

  settle(): boolean {
    this.#settledSize = this.#size;
    const { file } = this.#current;
    return file === null || this.#isCurrent() || this.#settledSize < sealOf(file);
  }

  /**
   * What it was at the moment.
   *
   * @throws Moved where it is not the journal any more
   */
  take(now: number): TakenJournal {
    const { generation } = this;
    const { file } = this.#current;
    if (file === null) return { generation, bytes: null, facts: this.#factsAsKept(), isFresh: false };
    const facts = this.#factsOf(file);
    const bytes = Buffer.alloc(this.#settledSize);
    for (let at = 0; at < bytes.length; ) {
      const got = fs.readSync(file.descriptor, bytes, at, bytes.length - at, at);
      if (got === 0) throw new Moved(this.directory);
      at += got;
    }
    return { generation, bytes, facts, isFresh: isFresh(facts, now) || facts.size !== bytes.length };
  }

  #factsAsKept(): FileFacts {
    const { path, kept } = this.#current;
    const facts = factsOf(path);
    const isStill = facts !== null && kept !== null && isAsKept(path, kept);
    if (!isStill || facts.size !== this.#settledSize || listGenerations(this.directory)?.at(-1) !== this.generation) throw new Moved(this.directory);
    return facts;
  }

  #factsOf(file: GenerationFile): FileFacts {
    const facts = factsIn(fs.fstatSync(file.descriptor, { bigint: true }));
    // What has sealed it may have deleted it; what has another file under its name is another journal.
    const isOurs = this.#journal?.catchUp() === true && !this.#isReplaced && (this.#journal.generation > file.number || factsOf(file.path)?.ino === facts.ino);
    if (!isOurs) throw new Moved(this.directory);
    return facts;
  }

  close(): void {
    this.#journal?.close();
    if (this.#current.file !== null) closeQuietly(this.#current.file.descriptor);
  }
}

/** The generation that is looked at: open, or as the backup before has it. */
interface Current {
  readonly number: number;
  readonly path: string;
  readonly kept: ListedFile | null;
  readonly file: GenerationFile | null;
}

function isAsKept(path: string, kept: ListedFile): boolean {
  const facts = factsOf(path);
  return facts !== null && keptOf(kept, facts) !== null;
}

/** Where the SEAL of a generation ends; beyond all that it has, if there is none. */
function sealOf({ descriptor, magic, cipher }: GenerationFile): number {
  const reader = new FrameReader(descriptor, magic, FILE_HEADER_BYTES);
  try {
    do {
      while (reader.next()) {
        const { frame } = reader;
        if (frame.kind === SEAL_KIND && decodeSeal(cipher?.open(frame) ?? frame.payload).after === reader.before) return reader.position;
      }
    } while (reader.fill() > 0);
    return Infinity;
  } finally {
    reader.release();
  }
}

/** Whether a directory is a journal. One that was never compacted may have no directory of candidates. */
export function isJournal(directory: string): boolean {
  return isDirectoryAt(directory) && (isDirectoryAt(candidateDirectory(directory)) || (listGenerations(directory) ?? []).length > 0);
}
