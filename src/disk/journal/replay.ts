import fs from 'node:fs';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { warn } from '../../runtime/warning.ts';
import type { Candidate } from './candidate.ts';
import { tellDamage } from './dead-bytes.ts';
import { Dedupe } from './dedupe.ts';
import { diskError } from './disk-error.ts';
import { FIRST_JOURNAL_KIND, SEAL_KIND, type Frame } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import {
  closeQuietly,
  FILE_HEADER_BYTES,
  generationPath,
  listGenerations,
  openGeneration,
  type GenerationFile,
} from './generation-file.ts';
import { PLAIN, type JournalCipher, type JournalEncryption } from './journal-cipher.ts';
import { decodeSeal, type Seal } from './journal-records.ts';
import type { JournalRecord, Machine } from './machine.ts';
import { restoreSnapshot } from './snapshot-section.ts';
import { openSuccessor, succeed } from './succession.ts';
import { isInPlace, Trust } from './trust.ts';

/*
 * Invariants
 * - The machine has applied every record up to `position` of generation `number`, in order, each once, and none after.
 * - All that decides about a record is in the journal: its place, its session and sequence, its kind and payload.
 * - After an effective SEAL nothing in that generation counts; reading goes on in the successor that it names.
 * - A generation that cannot be read is an error; it never reads as empty. The highest number is the newest.
 * - A journal that is found to have been removed, replaced or cut back is begun anew, with what is there; where nothing
 *   is, the machine is empty.
 * - An unknown kind of record, or a machine that throws, stops the replay for good.
 */

/** A record whose outcome its writer waits for. */
export class Awaited<Outcome> {
  session = 0;
  sequence = 0;
  landed = false;
  outcome: Outcome | undefined;
}

/** How often a directory is listed again when generations vanish between listing and opening. */
const LISTINGS = 64;

/** Whether some machine of this realm is being fed: it sees bytes that any use of a journal would overwrite. */
let feeding = false;

/** Feeds a machine the records of a journal, generation after generation. */
export class Replay<Outcome> {
  readonly directory: string;
  /** Undefined: the journal is not encrypted. */
  readonly encryption: JournalEncryption | undefined;
  readonly awaited = new Awaited<Outcome>();
  /** While this realm compacts: takes the records that come after the snapshot. */
  candidate: Candidate | null = null;
  readonly #machine: Machine<Outcome>;
  #file: GenerationFile | null = null;
  #reader: FrameReader | null = null;
  /** The generation that the state belongs to, whether or not it is open; null before the first. */
  #generation: Pick<GenerationFile, 'number' | 'magic' | 'path'> | null = null;
  #position = 0;
  #mark: number | null = null;
  #snapshotEnd = 0;
  #sealed: Seal | null = null;
  /** Whether it is known that the successor that the SEAL names is not there. */
  #isCutShort = false;
  readonly #trust = new Trust();
  #beginnings = 0;
  readonly #onReplaced: () => void;
  #dedupe = new Dedupe();
  #count = 0;
  #damage = 0;
  #stopped: unknown = null;
  #restoredOnce = false;
  /** Whether the machine is empty because there was nothing to read. */
  #isBlank = true;

  /** `onReplaced`: called before the journal is begun anew. */
  constructor(directory: string, machine: Machine<Outcome>, onReplaced: () => void, encryption?: JournalEncryption) {
    this.directory = directory;
    this.encryption = encryption;
    this.#machine = machine;
    this.#onReplaced = onReplaced;
  }

  get number(): number {
    return this.#generation?.number ?? 0;
  }

  get path(): string {
    return this.#generation?.path ?? generationPath(this.directory, 0);
  }

  get dedupe(): Dedupe {
    return this.#dedupe;
  }

  /** How many records were applied since the journal began. */
  get count(): number {
    return this.#count;
  }

  /** How often the journal was found to be another one. */
  get beginnings(): number {
    return this.#beginnings;
  }

  get damage(): number {
    return this.#damage + (this.#reader?.damage ?? 0);
  }

  /** Where the last record ended. */
  get position(): number {
    return this.#reader?.position ?? this.#position;
  }

  /** The size of the generation, as far as it was seen. */
  get size(): number {
    return this.#reader?.seen ?? this.#position;
  }

  /** How much of the generation was there when it began. */
  get snapshotEnd(): number {
    return this.#snapshotEnd;
  }

  /** The open generation. Only after {@link ready} has returned true. */
  get file(): GenerationFile {
    if (this.#file === null) throw new HoldfastError('disk-failed', `The journal in ${this.directory} is not open.`);
    return this.#file;
  }

  /** The key of the generation, while it is open. */
  get keyId(): number {
    return this.#file?.keyId ?? PLAIN;
  }

  /** Opens what is needed, and looks now and then whether it is still the journal; false if there is no journal. */
  ready(): boolean {
    if (feeding) throw new Error('A state machine may not use a journal while one feeds it.');
    if (this.#stopped !== null) throw this.#stopped;
    if (this.#file !== null) return this.#trust.isOver ? this.verify() : true;
    return this.#generation === null ? this.#restoreNewest(0) : this.#resume();
  }

  /** The next use looks whether the journal is still the same. */
  distrust(): void {
    this.#trust.end();
  }

  /** Looks whether what is open is still the journal, and begins anew if not; false if there is none any more. */
  verify(): boolean {
    const { number } = this;
    if (this.#file === null || this.#reader === null) return this.ready();
    if (!this.#reader.isIntact()) return this.#beginAnew('was cut back or overwritten');
    if (isInPlace(this.directory, this.#file)) {
      this.#trust.renew();
      return true;
    }
    // Whoever has sealed it may have deleted it.
    this.advance();
    return this.number === number ? this.#beginAnew('was removed or replaced') : this.ready();
  }

  #beginAnew(what: string): boolean {
    const message = `The journal in ${this.directory} ${what} while it was in use; what is there now is read instead.`;
    warn({ code: 'journal-replaced', message, path: this.directory });
    this.#beginnings++;
    this.abandon();
    this.#onReplaced();
    return this.#restoreNewest(0);
  }

  /** Closes the descriptor and keeps the state. */
  suspend(): void {
    if (this.#file === null) return;
    this.#position = this.position;
    this.#mark = this.#reader?.mark ?? null;
    this.#damage = this.damage;
    closeQuietly(this.#file.descriptor);
    this.#file = null;
    this.#reader = null;
  }

  /** Forgets which generation the state belongs to: the next use restores the newest snapshot. */
  abandon(): void {
    this.suspend();
    this.#generation = null;
    this.#sealed = null;
    this.candidate = null;
  }

  #resume(): boolean {
    const known = this.#generation;
    if (known === null) return false;
    const file = openSuccessor(this.directory, known.number, known.magic, FILE_HEADER_BYTES, this.encryption);
    if (file === null) return this.#isSucceeded(known.number) ? this.#restoreNewest(known.number + 1) : this.#beginAnew('was replaced');
    return this.#enter(file, this.#position, this.#mark).isIntact() || this.#beginAnew('was cut back or replaced');
  }

  /** Whether there are later generations; asked again and again while others may be making and deleting some. */
  #isSucceeded(number: number): boolean {
    for (let listing = 0; listing < LISTINGS; listing++) {
      const newest = listGenerations(this.directory)?.at(-1);
      if (newest !== undefined && newest > number) return true;
    }
    return false;
  }

  #enter(file: GenerationFile, position: number, mark: number | null = null): FrameReader {
    this.suspend();
    this.#file = file;
    this.#generation = file;
    this.#position = position;
    this.#reader = new FrameReader(file.descriptor, file.magic, position, mark);
    this.#trust.renew();
    return this.#reader;
  }

  /** Applies everything that the journal has by now. One positioned read when there is no news. */
  advance(): void {
    while (this.advanceSome());
  }

  /** The same for what one read of up to so many bytes brings. Whether there may be more. */
  advanceSome(bytes = Infinity): boolean {
    if (this.#sealed !== null && !this.#follow(this.#sealed)) return false;
    const reader = this.#reader;
    if (reader === null || this.#fill(reader, bytes) === 0) return false;
    this.#take(reader);
    if (reader.wasCutBack && !this.#beginAnew('was cut back')) return false;
    return this.#sealed !== null || this.#reader?.reachedEnd === false;
  }

  /** As {@link advance}, right after this realm wrote `record` as `frame`, for the first time and in one piece. */
  advanceThrough(frame: Uint8Array, size: number, record: JournalRecord): void {
    const reader = this.#reader;
    if (reader === null || this.#sealed !== null) return this.advance();
    let alone: boolean;
    try {
      alone = reader.fillExpecting(frame, size);
    } catch (error) {
      throw diskError(error, 'read the journal', this.path);
    }
    if (alone) this.#apply(record);
    else this.#take(reader);
    if (reader.wasCutBack) this.#beginAnew('was cut back');
    if (this.#sealed !== null || this.#reader?.reachedEnd === false) this.advance();
  }

  #fill(reader: FrameReader, bytes = Infinity): number {
    try {
      return reader.fill(bytes);
    } catch (error) {
      throw diskError(error, 'read the journal', this.path);
    }
  }

  #take(reader: FrameReader): void {
    const { cipher } = this.file;
    try {
      for (let { damage } = reader; this.#sealed === null && reader.next(); ) {
        if (damage !== reader.damage) {
          damage = reader.damage;
          tellDamage(this.file.descriptor, this.path, this.file.magic, reader.before, reader.position - reader.frame.size);
        }
        if (cipher !== null) this.#unseal(reader.frame, cipher);
        if (reader.frame.kind < FIRST_JOURNAL_KIND) this.#apply(reader.frame);
        else this.#obey(reader.frame, reader);
      }
    } finally {
      reader.release();
    }
  }

  /** A frame that is whole and does not open was never written so: nothing after it can be trusted. */
  #unseal(frame: Frame, cipher: JournalCipher): void {
    try {
      frame.payload = cipher.open(frame);
    } catch (error) {
      throw this.#stop(error);
    }
  }

  #apply(record: JournalRecord): void {
    const { session, sequence } = record;
    if (!this.#dedupe.accept(session, sequence)) return;
    this.#count++;
    this.candidate?.note(record);
    let outcome: Outcome;
    feeding = true;
    try {
      outcome = this.#machine.apply(record);
    } catch (error) {
      throw this.#stop(error);
    } finally {
      feeding = false;
    }
    const { awaited } = this;
    if (awaited.session !== session || awaited.sequence !== sequence) return;
    awaited.landed = true;
    awaited.outcome = outcome;
  }

  #stop(error: unknown): unknown {
    this.#stopped = error;
    return error;
  }

  #obey(frame: Frame, reader: FrameReader): void {
    if (frame.kind !== SEAL_KIND) {
      const message = `The journal ${this.path} holds a record of kind ${frame.kind}, which this version does not know.`;
      throw this.#stop(new HoldfastError('unknown-record', message));
    }
    const seal = decodeSeal(frame.payload);
    const effective = seal.after === reader.before;
    if (effective) this.#sealed = seal;
    if (this.candidate === null) return;
    if (seal.successor.equals(this.candidate.magic)) this.candidate.fate = effective ? 'effective' : 'void';
    else if (effective) this.candidate.fate = 'void';
  }

  /**
   * Goes on in the successor, right after its snapshot; if even that is gone by now, restores the newest. False where
   * there is no later generation yet.
   */
  #follow(seal: Seal): boolean {
    const next = this.number + 1;
    if (this.#isCutShort && !fs.existsSync(generationPath(this.directory, next))) return false;
    const file = openSuccessor(this.directory, next, seal.successor, seal.resume, this.encryption);
    if (file === null) return this.#goOnWithout(next);
    this.#enter(file, seal.resume);
    this.#snapshotEnd = seal.resume;
    this.#isCutShort = false;
    this.#sealed = null;
    this.candidate = null;
    return true;
  }

  /** The successor is gone, or somebody has made another: a copy had none, so that this state is the last one. */
  #goOnWithout(next: number): boolean {
    const isLast = !fs.existsSync(generationPath(this.directory, next)) && this.#file !== null && isInPlace(this.directory, this.#file);
    if (!isLast) return this.#restoreNewest(next);
    if (!this.#isCutShort) {
      const message = `The journal in ${this.directory} ends where it moved on to a generation that is missing; it goes on from there.`;
      warn({ code: 'journal-cut-short', message, path: this.directory });
    }
    this.#isCutShort = true;
    return false;
  }

  /** Makes the successor that is missing, for nothing may follow a SEAL; false when none is. */
  mend(): boolean {
    if (this.#sealed === null || !this.#isCutShort) return false;
    const next = this.number + 1;
    succeed(this.directory, next, this.#machine.snapshot(), { covers: this.position, count: this.#count, dedupe: this.#dedupe }, this.encryption);
    return this.#restoreNewest(next);
  }

  /** Restores the newest generation, which must be `least` or higher; false if there is no journal at all. */
  #restoreNewest(least: number): boolean {
    for (let listing = 0; listing < LISTINGS; listing++) {
      const numbers = listGenerations(this.directory);
      if (numbers === null) return this.#missing();
      const newest = numbers.at(-1) ?? -1;
      if (newest < least) continue;
      const file = openGeneration(this.directory, newest, this.encryption);
      if (file === null) continue;
      this.#restore(file);
      return true;
    }
    throw new HoldfastError('journal-damaged', `The journal in ${this.directory} has lost generation ${least} or a later one.`);
  }

  /** There is no journal, and so nothing is known, whatever was before. */
  #missing(): boolean {
    if (this.#generation !== null) return this.#beginAnew('was removed');
    if (this.#isBlank) return false;
    this.#isBlank = true;
    this.#dedupe = new Dedupe();
    this.#count = 0;
    this.#position = 0;
    this.#snapshotEnd = 0;
    this.#machine.reset();
    this.#machine.restored(true);
    return false;
  }

  #restore(file: GenerationFile): void {
    const reader = this.#enter(file, FILE_HEADER_BYTES);
    // Until the snapshot is whole, the state belongs to no generation.
    this.#generation = null;
    this.#sealed = null;
    this.candidate = null;
    this.#isCutShort = this.#isBlank = false;
    feeding = true;
    try {
      this.#machine.reset();
      const end = restoreSnapshot(this.#machine, reader, file, () => this.#fill(reader));
      this.#machine.restored(this.#restoredOnce);
      this.#dedupe = end.dedupe;
      this.#count = end.count;
      this.#snapshotEnd = this.position;
      this.#generation = file;
      this.#restoredOnce = true;
    } catch (error) {
      this.suspend();
      throw error;
    } finally {
      feeding = false;
    }
    // What was read together with the snapshot's last bytes is no news to any later read.
    this.#take(reader);
    reader.anchor();
  }
}
