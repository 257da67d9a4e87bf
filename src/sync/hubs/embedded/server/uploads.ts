import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../../../../disk/directories.ts';
import { encodeName } from '../../../../disk/names/name.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { wallClock } from '../../../../runtime/timers.ts';

/** What a blob counts at least, in bytes: each costs memory and a file as well. */
const LEAST_BYTES = 2 ** 16;

/** A mark that a hub which was killed has left counts for so long, in milliseconds. */
const MARKS_LAST_MS = 7 * 86_400_000;

const MARK = /^([0-9a-f]{32}-[0-9a-f]{64})-([0-9]{1,10})$/;

/** One blob that nothing names yet. */
interface Upload {
  /** As a name of a directory. */
  readonly writer: string;
  readonly mark: string;
  readonly bytes: number;
}

/**
 * What each writer has put that no append has named yet. Nobody can fill the disk with what nobody will ever look for:
 * beyond a bound nothing more is taken from a writer until an entry names some of it, or it is collected. Invariants:
 * - a blob that counts has a mark on the disk, from before it is there: a hub that is killed counts it again;
 * - one that was named counts no more, but for what was being named when a hub was killed: that for some days.
 */
export class Uploads {
  readonly #directory: string;
  readonly #most: number;
  readonly #uploads = new Map<string, Upload>();
  readonly #held = new Map<string, number>();

  constructor(root: string, most: number) {
    this.#directory = path.join(root, 'uploads');
    this.#most = most;
  }

  /** Reads the marks of earlier servers. Only for the one server of a root. */
  begin(): void {
    ensureDirectory(this.#directory);
    for (const writer of fs.readdirSync(this.#directory)) this.#beginOf(writer);
  }

  #beginOf(writer: string): void {
    const now = wallClock();
    for (const name of fs.readdirSync(path.join(this.#directory, writer))) {
      const [, key, bytes] = MARK.exec(name) ?? [];
      if (key === undefined) continue;
      const mark = path.join(this.#directory, writer, name);
      const { mtimeMs } = fs.statSync(mark);
      if (Math.abs(now - mtimeMs) > MARKS_LAST_MS) fs.rmSync(mark, { force: true });
      else this.#keep(key, { writer, mark, bytes: Number(bytes) });
    }
  }

  /** Bytes of what a writer has put and nothing names. */
  heldBy(writer: string): number {
    return this.#held.get(componentOf(writer)) ?? 0;
  }

  /**
   * Counts a blob that is about to be put.
   *
   * @returns whether it did not count before
   * @throws HoldfastError `hub-full` when it would be too much; and as the disk does
   */
  charge(writer: string, log: string, blob: string, length: number): boolean {
    const key = keyOf(log, blob);
    if (this.#uploads.has(key)) return false;
    const bytes = Math.max(length, LEAST_BYTES);
    const directory = componentOf(writer);
    const held = this.#held.get(directory) ?? 0;
    if (held + bytes > this.#most) throw full(writer, held, this.#most);
    ensureDirectory(path.join(this.#directory, directory));
    const mark = path.join(this.#directory, directory, `${key}-${bytes}`);
    fs.writeFileSync(mark, '', { mode: 0o600 });
    this.#keep(key, { writer: directory, mark, bytes });
    return true;
  }

  #keep(key: string, upload: Upload): void {
    this.#uploads.set(key, upload);
    this.#held.set(upload.writer, (this.#held.get(upload.writer) ?? 0) + upload.bytes);
  }

  /** Entries name these blobs, or they are not there any more. Never throws: a mark that stays counts for some days. */
  settle(log: string, blobs: Iterable<string>): void {
    if (this.#uploads.size === 0) return;
    for (const blob of blobs) this.#settle(keyOf(log, blob));
  }

  #settle(key: string): void {
    const upload = this.#uploads.get(key);
    if (upload === undefined) return;
    this.#uploads.delete(key);
    const left = (this.#held.get(upload.writer) ?? 0) - upload.bytes;
    if (left > 0) this.#held.set(upload.writer, left);
    else this.#held.delete(upload.writer);
    try {
      fs.unlinkSync(upload.mark);
    } catch {
      // What is gone, and what the disk keeps, makes no difference to this server.
    }
  }
}

/** The same however long names of logs are. */
function keyOf(log: string, blob: string): string {
  return `${createHash('sha256').update(Buffer.from(log, 'utf16le')).digest('hex').slice(0, 32)}-${blob}`;
}

function componentOf(writer: string): string {
  return encodeName(writer, true).component;
}

function full(writer: string, held: number, most: number): HoldfastError {
  return new HoldfastError('hub-full', `'${writer}' has put ${held} bytes of blobs that no entry names; the hub takes ${most} of each writer. It takes more once entries name them, or they are collected.`);
}
