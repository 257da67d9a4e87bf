import fs from 'node:fs';
import { dirname } from 'node:path';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { closeQuietly, candidatePath, encodeFileHeader, FILE_HEADER_BYTES } from './generation-file.ts';
import { ensureDirectory } from '../directories.ts';
import { diskError } from './disk-error.ts';
import { encodeFrame, END_OF_SNAPSHOT_KIND, FRAME_OVERHEAD, MAX_PAYLOAD } from './frame.ts';
import type { JournalCipher, JournalEncryption } from './journal-cipher.ts';
import { encodeEnd, type EndOfSnapshot } from './journal-records.ts';
import { Magic } from './magic.ts';
import type { JournalRecord, SnapshotRecord } from './machine.ts';
import { syncDirectory } from './sync-directory.ts';

const FLUSH_BYTES = 256 * 1024;

/** A generation in the making: nobody else looks at it before a SEAL has named it. */
export class Candidate {
  readonly magic = Magic.random();
  readonly path: string;
  /** What became of the SEAL that names it; as long as that is unknown, it must not be deleted. */
  fate: 'unnamed' | 'unknown' | 'void' | 'effective' = 'unnamed';
  /** Of the key that was active when this was made; undefined: it is not encrypted. */
  readonly keyId: number | undefined;
  readonly #cipher: JournalCipher | null | undefined;
  #size = 0;
  #pending: Uint8Array = new Uint8Array(4096);
  #pendingBytes = 0;

  /** `encryption`: its key is the active one. @throws HoldfastError what that throws */
  constructor(directory: string, number: number, encryption: JournalEncryption | undefined) {
    this.path = candidatePath(directory, number, this.magic);
    if (encryption === undefined) return;
    this.keyId = encryption.look();
    this.#cipher = encryption.cipherFor(this.keyId, this.magic, this.path);
  }

  /** How many bytes the file has. */
  get size(): number {
    return this.#size;
  }

  /**
   * Writes the snapshot and waits until the disk has it, whatever the durability: otherwise a power loss after the
   * predecessor's deletion could take the whole journal, not only its last records.
   */
  write(snapshot: Iterable<SnapshotRecord>, end: Omit<EndOfSnapshot, 'records'>): void {
    this.#withFile('ax', (descriptor) => {
      this.#pending.set(encodeFileHeader(this.magic, this.keyId));
      this.#pendingBytes = FILE_HEADER_BYTES;
      let records = 0;
      for (const { kind, payload } of snapshot) {
        this.note({ kind, session: 0, sequence: ++records, payload });
        if (this.#pendingBytes >= FLUSH_BYTES) this.#flush(descriptor);
      }
      const payload = encodeEnd({ ...end, records });
      this.note({ kind: END_OF_SNAPSHOT_KIND, session: 0, sequence: 0, payload });
      this.#flush(descriptor);
      fsync(descriptor, this.path);
      syncDirectory(dirname(this.path));
    });
  }

  /** Takes a record that came after the snapshot; {@link finish} writes it. */
  note(record: JournalRecord): void {
    // No reader would take it for a record, and the successor would be lost: better no compaction.
    if (record.payload.length > MAX_PAYLOAD) {
      throw new HoldfastError('record-too-large', `A snapshot with a record of ${record.payload.length} bytes cannot be read again.`);
    }
    const written = this.#cipher?.seal(record) ?? record;
    const needed = this.#pendingBytes + FRAME_OVERHEAD + written.payload.length;
    if (needed > this.#pending.length) this.#growTo(needed);
    this.#pendingBytes = encodeFrame(this.#pending, this.#pendingBytes, this.magic, written);
  }

  #growTo(needed: number): void {
    const grown = new Uint8Array(needed + FLUSH_BYTES);
    grown.set(this.#pending.subarray(0, this.#pendingBytes));
    this.#pending = grown;
  }

  /** Writes the records that were noted since; afterwards the file is complete up to the last of them. */
  finish(sync: boolean): void {
    if (this.#pendingBytes === 0) return;
    this.#withFile(fs.constants.O_WRONLY | fs.constants.O_APPEND, (descriptor) => {
      this.#flush(descriptor);
      if (sync) fsync(descriptor, this.path);
    });
  }

  #withFile(flags: number | 'ax', action: (descriptor: number) => void): void {
    try {
      // A journal that was never compacted may do without.
      ensureDirectory(dirname(this.path));
      const descriptor = withDescriptor(() => fs.openSync(this.path, flags, 0o600));
      try {
        action(descriptor);
      } finally {
        closeQuietly(descriptor);
      }
    } catch (error) {
      throw diskError(error, 'write the compacted journal', this.path);
    }
  }

  /** Nobody else appends to this file, so here a short count may be followed by the rest. */
  #flush(descriptor: number): void {
    let written = 0;
    while (written < this.#pendingBytes) {
      const count = fs.writeSync(descriptor, this.#pending, written, this.#pendingBytes - written);
      if (count === 0) throw new HoldfastError('disk-full', `Could not write ${this.path}: the disk takes no more.`);
      written += count;
    }
    this.#size += this.#pendingBytes;
    this.#pendingBytes = 0;
  }

  /** Deletes the file, unless a SEAL may have named it. */
  discard(): void {
    if (this.fate === 'effective' || this.fate === 'unknown') return;
    try {
      fs.unlinkSync(this.path);
    } catch {
      // Whoever compacts next deletes it.
    }
  }
}
