import fs from 'node:fs';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { compact } from './compaction.ts';
import { createGeneration } from './create.ts';
import { diskError } from './disk-error.ts';
import { encodeFrame, FRAME_OVERHEAD } from './frame.ts';
import type { Compaction, JournalOptions } from './journal-options.ts';
import { PLAIN, type JournalEncryption } from './journal-cipher.ts';
import { checkRecord } from './journal-records.ts';
import { JournalSync } from './journal-sync.ts';
import type { JournalRecord, Machine, SnapshotRecord } from './machine.ts';
import { Relief, type Relievable } from './relief.ts';
import { Replay } from './replay.ts';
import { sweep } from './succession.ts';

/*
 * Invariants (with those of the reading side in replay.ts)
 * - One record is one write() of one whole frame; the rest of a frame that was cut short is never appended.
 * - append() returns only what the machine said when it met the record in the journal, and only once.
 * - After a failure it is known whether the record landed, or the error says that it is not; nothing else changes.
 * - A SEAL is appended only when the successor that it names is finished on disk.
 * - Before a compaction, and at the first use after a while, it is made sure that what is open is still the journal.
 * - A compaction that fails leaves the journal as it was, and never fails the append that set it off.
 */

export type { Compaction, JournalOptions };

/** Appends of one record that found the journal sealed before it; each needs a compaction by somebody else. */
const GENERATION_ATTEMPTS = 256;

/** What is read at once by whoever reads a part: hundreds of small records, in about a millisecond. */
const SOME_BYTES = 64 * 1024;

/** Frames up to this size are encoded in one buffer that all journals of this realm share. */
const sharedFrame = new Uint8Array(64 * 1024);

/**
 * A journal: an append-only file that many processes append to, and whose order all of them agree on. Every process
 * drives a {@link Machine} by it. All methods are synchronous.
 */
export class Journal<Outcome> {
  readonly #replay: Replay<Outcome>;
  readonly #machine: Machine<Outcome>;
  /** Null: relaxed. */
  readonly #sync: JournalSync | null;
  readonly #retain: number;
  readonly #compactAt: number;
  readonly #exclusively: JournalOptions['exclusively'];
  readonly #relief: Relief | null;
  readonly #vital: (kind: number) => boolean;
  readonly #onCompaction: JournalOptions['onCompaction'];
  #closed = false;
  /** Whether an append or a compaction relies on the descriptor, further up the stack. */
  #held = false;
  /** Set while a record of ours may or may not be in the journal. */
  #inDoubt = false;
  /** After a compaction that came to nothing: the size up to which no other is tried. */
  #patience = 0;

  /** Does no I/O. `directory` need not exist before {@link open}. */
  constructor(directory: string, machine: Machine<Outcome>, options: JournalOptions = {}) {
    this.#replay = new Replay(directory, machine, () => {
      this.#sync?.forget();
      this.#patience = 0;
      options.onReplaced?.();
    }, options.encryption);
    this.#machine = machine;
    const isStrict = options.durability === 'strict' || options.exclusively !== undefined;
    this.#sync = isStrict ? new JournalSync(this.#replay) : null;
    this.#retain = options.retain ?? 0;
    this.#compactAt = options.compactAt ?? 2 ** 20;
    this.#exclusively = options.exclusively;
    this.#relief = options.space === undefined ? null : new Relief(this.#relievable(), options.space);
    this.#vital = options.vital ?? (() => false);
    this.#onCompaction = options.onCompaction;
  }

  /**
   * Makes generation 0 in a directory that nobody else can see yet; the caller renames it into place.
   *
   * @param snapshot - what every machine of this journal starts with.
   * @throws HoldfastError `disk-full`, `root-read-only`, `disk-failed`; `disk-unsupported` where there are no hard links.
   */
  static create(directory: string, snapshot: Iterable<SnapshotRecord> = [], encryption?: JournalEncryption): void {
    createGeneration(directory, snapshot, encryption);
  }

  /** The directory to watch for news, and for new generations. */
  get directory(): string {
    return this.#replay.directory;
  }

  /** The path of the current generation. */
  get file(): string {
    return this.#replay.path;
  }

  /** The number of the current generation. */
  get generation(): number {
    return this.#replay.number;
  }

  /** The size in bytes of the current generation, as far as it was read. */
  get size(): number {
    return this.#replay.size;
  }

  /** How many stretches of dead bytes (torn or damaged records) this realm has passed. */
  get damage(): number {
    return this.#replay.damage;
  }

  /** How many records were ever applied, by whomever; those before a restored snapshot included. */
  get count(): number {
    return this.#replay.count;
  }

  /**
   * Opens the newest generation and restores its snapshot, unless that was done before. What was opened a while ago is
   * looked at again: it may have been removed, replaced or cut back since; then what is there now is opened.
   *
   * @returns false if there is no journal (any more).
   * @throws HoldfastError `journal-damaged`, `root-newer`, `root-unusable`, `disk-failed`, `closed`.
   */
  open(): boolean {
    this.#requireOpen();
    return this.#replay.ready();
  }

  #requireOpen(): void {
    if (this.#closed) throw new HoldfastError('closed', `The journal in ${this.directory} was closed.`);
  }

  /**
   * Applies every record whose append was finished before this call, and maybe later ones. One positioned read when
   * there is no news. Nothing happens if there is no journal.
   *
   * @returns false if there is no journal (any more).
   * @throws HoldfastError as {@link open}; `unknown-record`, then and from then on.
   */
  catchUp(): boolean {
    if (!this.#begin()) return false;
    this.#replay.advance();
    return true;
  }

  /**
   * A part of {@link catchUp}: what one read of 64 KiB brings, however much news there is, for whoever looks without
   * being asked. Only a snapshot is restored whole.
   *
   * @returns whether there may be more.
   */
  catchUpSome(): boolean {
    return this.#begin() && this.#replay.advanceSome(SOME_BYTES);
  }

  #begin(): boolean {
    if (this.#exclusively !== undefined) this.#replay.suspend();
    return this.open();
  }

  /** Lets the next use look whether the journal is still the same; for whoever has heard that it may not be. */
  distrust(): void {
    this.#replay.distrust();
  }

  /** What is written must be the only thing that is; on a disk of this machine one system call is that already. */
  #alone<T>(section: () => T): T {
    if (this.#exclusively === undefined) return section();
    return this.#exclusively(() => {
      this.#replay.suspend();
      try {
        return section();
      } finally {
        this.#replay.suspend();
      }
    });
  }

  /**
   * Appends one record and returns what the machine made of it, once it is in the journal: no kill of any process
   * can lose it then. `(session, sequence)` must be new, or that of an append that failed: then the record takes
   * effect once, whether or not it had landed before.
   *
   * @throws HoldfastError `disk-full`, `root-read-only`, `disk-failed`: the record is not in the journal, unless the
   * message says that the outcome is unknown. `record-too-large` beyond 256 MiB.
   */
  append(kind: number, session: number, sequence: number, payload: Uint8Array): Outcome {
    const record = { kind, session, sequence, payload };
    this.#held = true;
    try {
      // The common case pays for no closure.
      return this.#exclusively === undefined ? this.#append(record) : this.#alone(() => this.#append(record));
    } finally {
      this.#held = false;
    }
  }

  #append(record: JournalRecord): Outcome {
    checkRecord(record);
    this.#requireOpen();
    const { awaited } = this.#replay;
    if (!this.#landedBefore(record)) {
      this.#inDoubt = false;
      awaited.session = record.session;
      awaited.sequence = record.sequence;
      awaited.landed = false;
      this.#requireWritable();
      // Nothing is added to a generation from before the journal was encrypted: it moves on first, and nothing is kept of it.
      this.#replay.encryption?.convert(this.#replay, () => this.#moveOn(0));
      this.#refuseRepetition(record);
      const before = this.#replay.size;
      this.#sync?.name();
      if (this.#relief === null) this.#write(record);
      else if (this.#vital(record.kind)) this.#relief.writeAnyway(record);
      else this.#relief.write(record);
      this.#sync?.record();
      this.#compactIfDue(before);
    }
    this.#inDoubt = false;
    const outcome = awaited.outcome as Outcome;
    awaited.session = 0;
    awaited.outcome = undefined;
    return outcome;
  }

  #requireWritable(): void {
    this.#sync?.requireTrust();
    const replay = this.#replay;
    if (!this.open()) throw this.#gone();
    replay.mend();
    if (replay.file.readOnly === undefined) return;
    // It was opened when the disk allowed no more; it may by now.
    replay.suspend();
    replay.ready();
    if (replay.file.readOnly !== undefined) throw diskError(replay.file.readOnly, 'append to the journal', this.file);
  }

  /** Whether an append of this record that failed before has landed after all; settles that doubt, or throws. */
  #landedBefore(record: JournalRecord): boolean {
    const { awaited } = this.#replay;
    const doubted = this.#inDoubt && awaited.session === record.session && awaited.sequence === record.sequence;
    if (!doubted) return false;
    try {
      this.catchUp();
    } catch (error) {
      if (!awaited.landed) throw this.#unknownOutcome(error);
    }
    this.#refuseRepetition(record);
    return awaited.landed;
  }

  #refuseRepetition({ session, sequence }: JournalRecord): void {
    if (this.#replay.awaited.landed || !this.#replay.dedupe.has(session, sequence)) return;
    const message = `Record ${sequence} of session ${session} is in the journal ${this.file} already; its outcome is not known here.`;
    throw new HoldfastError('disk-failed', message);
  }

  #relievable(): Relievable {
    return {
      replay: this.#replay,
      machine: this.#machine,
      write: (record) => this.#write(record),
      compact: () => this.#moveOn(0),
    };
  }

  /** Appends the record until it stands before any SEAL. */
  #write(record: JournalRecord): void {
    const replay = this.#replay;
    for (let attempt = 0; attempt < GENERATION_ATTEMPTS; attempt++) {
      const { number } = replay;
      this.#writeOnce(record);
      if (replay.awaited.landed) return;
      if (replay.number === number && !this.#recover()) break;
      if (replay.awaited.landed) return;
    }
    replay.abandon();
    throw new HoldfastError('journal-damaged', `A record that was appended to the journal ${this.file} is not there.`);
  }

  /** The record is not where it was written: that may have been behind a last SEAL, or not in the journal any more. */
  #recover(): boolean {
    const replay = this.#replay;
    if (replay.mend()) return true;
    const { beginnings } = replay;
    if (!replay.verify()) throw this.#gone();
    return replay.beginnings > beginnings;
  }

  #gone(): HoldfastError {
    return new HoldfastError('disk-failed', `There is no journal in ${this.directory}.`);
  }

  #writeOnce(record: JournalRecord): void {
    const replay = this.#replay;
    const { magic, cipher } = replay.file;
    const written = cipher?.seal(record) ?? record;
    const size = FRAME_OVERHEAD + written.payload.length;
    const frame = size <= sharedFrame.length ? sharedFrame : new Uint8Array(size);
    encodeFrame(frame, 0, magic, written);
    let first: boolean;
    try {
      first = this.#writeFrame(frame, size);
      // A second, whole copy is safe; the rest of the first one would not be, for others may have written in between.
      if (!first && !this.#writeFrame(frame, size)) throw shortWrite(this.file);
    } catch (error) {
      this.#learn(diskError(error, 'append to the journal', this.file));
      return;
    }
    try {
      if (first) replay.advanceThrough(frame, size, record);
      else replay.advance();
    } catch (error) {
      // Once the record is met, what fails after it is for the next call to meet.
      if (!replay.awaited.landed) throw this.#unknownOutcome(error);
    }
  }

  #writeFrame(frame: Uint8Array, size: number): boolean {
    return fs.writeSync(this.#replay.file.descriptor, frame, 0, size) === size;
  }

  /** After a write that failed: what the journal does not hold by now, it never will. */
  #learn(failure: unknown): void {
    const { awaited } = this.#replay;
    try {
      this.#replay.advance();
    } catch {
      if (!awaited.landed) throw this.#unknownOutcome(failure);
    }
    if (!awaited.landed) throw failure;
  }

  #unknownOutcome(cause: unknown): unknown {
    this.#inDoubt = true;
    const why = errorMessage(cause);
    const message = `Whether a record reached the journal ${this.file} is unknown: ${why}`;
    return new HoldfastError('disk-failed', message, { cause });
  }

  /**
   * Moves the journal to its next generation now, with a snapshot in place of its history.
   *
   * @returns whether the journal is in a later generation than before; others who append fast can prevent it.
   * @throws HoldfastError as {@link append}; the journal is then as it was.
   */
  compact(): boolean {
    this.#held = true;
    try {
      return this.#alone(() => this.#compact());
    } finally {
      this.#held = false;
    }
  }

  #compact(): boolean {
    this.#requireWritable();
    return this.#moveOn(this.#retain);
  }

  #moveOn(retain: number): boolean {
    const replay = this.#replay;
    if (!replay.verify()) throw this.#gone();
    replay.advance();
    const { number, size: before } = replay;
    if (compact(replay, this.#machine, this.#sync !== null)) {
      sweep(this.directory, replay.number, retain);
      this.#onCompaction?.({ path: replay.path, before, after: replay.size });
    }
    return replay.number > number;
  }

  /** Whoever's record crosses the limit compacts; others only if that has not helped. */
  #compactIfDue(before: number): void {
    const { size, snapshotEnd, keyId, encryption } = this.#replay;
    const limit = Math.max(this.#compactAt, (keyId === PLAIN ? 4 : 2) * snapshotEnd);
    if (size <= this.#patience) return;
    // What bears an old key moves on to the new one.
    const isOld = keyId !== PLAIN && keyId !== encryption?.activeId;
    if (!isOld && (size <= limit || (before > limit && size <= limit * 1.25))) return;
    this.#patience = 0;
    try {
      if (this.#compact()) return;
    } catch {
      // The record is in the journal; that its history could not be shortened is no failure of this append.
    }
    this.#patience = this.size + limit / 4;
  }

  /** Closes the descriptor and keeps the state; the next use opens it again. Does nothing amid an append. */
  suspend(): void {
    if (!this.#held) this.#replay.suspend();
  }

  /** Closes for good: every later use throws HoldfastError `closed`. */
  close(): void {
    this.#closed = true;
    this.#replay.suspend();
  }
}

function shortWrite(path: string): HoldfastError {
  return new HoldfastError('disk-full', `Could not append to the journal ${path}: the disk took only a part of the record.`);
}
