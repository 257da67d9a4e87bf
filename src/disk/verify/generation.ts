import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { deadPieces } from '../journal/dead-bytes.ts';
import { Dedupe } from '../journal/dedupe.ts';
import { END_OF_SNAPSHOT_KIND, FIRST_JOURNAL_KIND, SEAL_KIND } from '../journal/frame.ts';
import { FrameReader } from '../journal/frame-reader.ts';
import { closeQuietly, FILE_HEADER_BYTES, generationPath, openGeneration, type GenerationFile } from '../journal/generation-file.ts';
import { decodeEnd, decodeSeal, type Seal } from '../journal/journal-records.ts';
import { PLAIN, type JournalEncryption } from '../journal/journal-cipher.ts';
import type { JournalRecord, Machine } from '../journal/machine.ts';
import type { FaultKind } from './finding.ts';
import { withoutKey } from './without-key.ts';

/** What is wrong with a part of a generation. */
export interface Flaw {
  readonly kind: FaultKind;
  /** What cannot be read for it: these bytes only, all that follows them, or the whole generation. */
  readonly reach: 'bytes' | 'rest' | 'generation';
  readonly offset: number;
  readonly length: number;
  /** What is wrong, as a sentence. */
  readonly what: string;
  /** Why it could not be opened. */
  readonly cause?: unknown;
}

/** What one generation is found to be. */
export interface Inspection {
  readonly number: number;
  readonly path: string;
  readonly flaws: readonly Flaw[];
  /** What ended it, if anything did. */
  readonly seal: Seal | null;
  /** Where the last frame that counts ended. */
  readonly end: number;
  /** Whether it is encrypted and was looked at without its key: the machine was fed nothing. */
  readonly isSealed: boolean;
}

/**
 * Looks at all that a generation has, as a reader of its journal would; null if it is gone. Opens it for reading only.
 *
 * @param machine - is fed what the generation has; null: nobody knows what its records mean.
 * @param encryption - null: of what is encrypted only the frames are looked at.
 */
export function inspect(directory: string, number: number, machine: Machine<unknown> | null, path = generationPath(directory, number), encryption: JournalEncryption | null = null): Inspection | null {
  let file: GenerationFile | null;
  try {
    file = openGeneration(directory, number, encryption ?? withoutKey, path, 'read');
  } catch (error) {
    return { number, path, flaws: [unopened(error)], seal: null, end: 0, isSealed: false };
  }
  if (file === null) return null;
  const inspector = new Inspector(file, machine, encryption === null);
  try {
    inspector.run();
  } finally {
    closeQuietly(file.descriptor);
  }
  return inspector;
}

function unopened(error: unknown): Flaw {
  const code = error instanceof HoldfastError ? error.code : '';
  const kind = code === 'journal-damaged' ? 'damaged' : code === 'root-newer' ? 'newer' : 'unreadable';
  return { kind, reach: 'generation', offset: 0, length: kind === 'unreadable' ? 0 : FILE_HEADER_BYTES, what: errorMessage(error), cause: error };
}

class Inspector implements Inspection {
  readonly #file: GenerationFile;
  readonly #reader: FrameReader;
  /** Null: there is none, or it has stopped. */
  #machine: Machine<unknown> | null;
  #dedupe = new Dedupe();
  readonly flaws: Flaw[] = [];
  seal: Seal | null = null;
  readonly isSealed: boolean;

  constructor(file: GenerationFile, machine: Machine<unknown> | null, hasNoKey: boolean) {
    this.#file = file;
    this.isSealed = hasNoKey && file.keyId !== PLAIN;
    this.#reader = new FrameReader(file.descriptor, file.magic, FILE_HEADER_BYTES);
    this.#machine = this.isSealed ? null : machine;
  }

  get number(): number {
    return this.#file.number;
  }

  get path(): string {
    return this.#file.path;
  }

  get end(): number {
    return this.#reader.position;
  }

  run(): void {
    try {
      if (this.#readSnapshot()) this.#readRecords();
    } catch (error) {
      const { seen } = this.#reader;
      this.flaws.push({ kind: 'unreadable', reach: 'rest', offset: seen, length: 0, what: `Reading fails there: ${errorMessage(error)}` });
    }
  }

  #next(): boolean {
    while (!this.#reader.next()) if (this.#reader.wasCutBack || this.#reader.fill() === 0) return false;
    return true;
  }

  #readSnapshot(): boolean {
    const reader = this.#reader;
    this.#machine?.reset();
    for (let records = 0; this.#next(); records++) {
      const start = reader.position - reader.frame.size;
      if (!this.#unseal(records + 1)) return this.#damagedSnapshot(start, reader.frame.size);
      if (reader.damage > 0) return this.#damagedSnapshot(reader.before, start - reader.before);
      const { kind, payload } = reader.frame;
      if (kind === END_OF_SNAPSHOT_KIND) return this.#endSnapshot(payload, records);
      if (kind >= FIRST_JOURNAL_KIND) return this.#damagedSnapshot(start, reader.frame.size);
      this.#feed((machine) => machine.restore(kind, payload));
    }
    return this.#damagedSnapshot(reader.position, reader.seen - reader.position);
  }

  #endSnapshot(payload: Uint8Array, records: number): boolean {
    const end = decodeEnd(payload);
    const { position, frame } = this.#reader;
    if (end.records !== records || end.generation !== this.number) return this.#damagedSnapshot(position - frame.size, frame.size);
    this.#dedupe = end.dedupe;
    this.#feed((machine) => machine.restored(false));
    return true;
  }

  #damagedSnapshot(offset: number, length: number): false {
    const what = length === 0 ? 'Its snapshot ends before its end.' : 'Its snapshot makes no sense there.';
    this.flaws.push({ kind: 'damaged', reach: 'generation', offset, length, what });
    return false;
  }

  #readRecords(): void {
    const reader = this.#reader;
    for (let { damage } = reader; this.seal === null && this.#next(); ) {
      if (damage !== reader.damage) this.#noteDead(reader.before, reader.position - reader.frame.size);
      damage = reader.damage;
      this.#take();
    }
    if (reader.wasCutBack) this.#noteCutBack();
    else if (this.seal === null && reader.seen > reader.position) this.#noteDead(reader.position, reader.seen);
  }

  #noteDead(from: number, to: number): void {
    const { descriptor, magic } = this.#file;
    for (const piece of deadPieces(descriptor, magic, from, to)) {
      const place = { reach: 'bytes', offset: piece.from, length: piece.to - piece.from } as const;
      if (piece.isDamage) this.flaws.push({ kind: 'damaged', ...place, what: 'They make no sense, and no write that was cut short leaves such bytes.' });
      else this.flaws.push({ kind: 'torn', ...place, what: 'A write was cut short there.' });
    }
  }

  #noteCutBack(): void {
    const { seen } = this.#reader;
    this.flaws.push({ kind: 'unreadable', reach: 'rest', offset: seen, length: 0, what: 'It was cut back while it was read.' });
  }

  #unseal(number?: number): boolean {
    const { frame } = this.#reader;
    const { cipher } = this.#file;
    try {
      if (cipher !== null) frame.payload = cipher.open(frame, number);
      return true;
    } catch {
      return false;
    }
  }

  #take(): void {
    const { frame, before } = this.#reader;
    if (this.#file.cipher !== null && !this.#unseal()) return this.#stop('damaged', 'It was changed, or is another journal\'s.');
    const { kind, session, sequence } = frame;
    if (kind === SEAL_KIND) {
      const seal = decodeSeal(frame.payload);
      if (seal.after === before) this.seal = seal;
    } else if (kind >= FIRST_JOURNAL_KIND) {
      this.#stop('newer', `It holds a record of kind ${kind}, which this version does not know.`);
    } else if (this.#dedupe.accept(session, sequence)) {
      this.#apply(frame);
    }
  }

  /** As below, for what there are millions of. */
  #apply(record: JournalRecord): void {
    try {
      this.#machine?.apply(record);
    } catch (error) {
      this.#refused(error);
    }
  }

  #feed(give: (machine: Machine<unknown>) => void): void {
    if (this.#machine === null) return;
    try {
      give(this.#machine);
    } catch (error) {
      this.#refused(error);
    }
  }

  #refused(error: unknown): void {
    const isNewer = error instanceof HoldfastError && error.code === 'unknown-record';
    this.#stop(isNewer ? 'newer' : 'damaged', errorMessage(error));
  }

  /** Every reader ends there. What follows is looked at, as far as it can be without knowing what it means. */
  #stop(kind: FaultKind, what: string): void {
    const { position, frame } = this.#reader;
    this.#machine = null;
    this.flaws.push({ kind, reach: 'rest', offset: position - frame.size, length: frame.size, what });
  }
}
