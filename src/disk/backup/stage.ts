import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomUuid } from '../../runtime/random.ts';
import { wallClock } from '../../runtime/timers.ts';
import { ensureDirectory } from '../directories.ts';
import { diskError } from '../journal/disk-error.ts';
import { Journal } from '../journal/journal.ts';
import { isEncrypted } from '../root/encrypted.ts';
import { syncTree } from '../root/durable.ts';
import { DamagedChunk } from './backup-error.ts';
import type { ChunkStore } from './chunk-store.ts';
import { isDirectoryAt } from './entries.ts';
import { decodeLines, type FreshPart, type Line, type ListedFile, type ListedPlace } from './listing.ts';
import type { BackedUpOrigin } from './manifest.ts';

/** A file that is not there after a restore, and why. `path` is null where nobody can tell which files they were. */
export interface LostFile {
  readonly origin: string;
  readonly path: string | null;
  readonly message: string;
}

/** Journals without which a bucket is damaged: where one is lost, an empty one takes its place. */
const needed = ['local-storage', 'locks'];

/** Chunks kept for the files that share them. */
const KEPT_CHUNKS = 4;

/** Builds origins of a backup where nobody sees them yet. */
export class Stage {
  readonly lost: LostFile[] = [];
  files = 0;
  bytes = 0;
  readonly #store: ChunkStore;
  readonly #directory: string;
  readonly #skipDamaged: boolean;
  readonly #recent = new Map<string, Buffer>();
  #count = 0;

  /** @throws the operating system's error */
  constructor(store: ChunkStore, workshop: string, skipDamaged: boolean) {
    this.#store = store;
    this.#skipDamaged = skipDamaged;
    this.#directory = path.join(workshop, randomUuid());
    ensureDirectory(workshop);
    fs.mkdirSync(this.#directory, { mode: 0o700 });
  }

  /** The directory of an origin, whole and on the disk; or with the wanted files alone. @throws HoldfastError backup-damaged, disk-full */
  async build(backedUp: BackedUpOrigin, as: string, onBytes: () => void, isWanted?: (file: string) => boolean): Promise<string> {
    const directory = path.join(this.#directory, String((this.#count += 1)));
    try {
      fs.mkdirSync(directory, { mode: 0o700 });
      await new OriginStage(directory, backedUp, as, this).build(onBytes, isWanted);
      syncTree(directory);
      return directory;
    } catch (error) {
      throw error instanceof DamagedChunk ? damaged(error.message) : diskError(error, 'write the restored files in', this.#directory);
    }
  }

  async chunk(name: string): Promise<Buffer> {
    const known = this.#recent.get(name);
    if (known !== undefined) return known;
    const content = await this.#store.get(name);
    this.#recent.set(name, content);
    const [oldest] = this.#recent.keys();
    if (this.#recent.size > KEPT_CHUNKS && oldest !== undefined) this.#recent.delete(oldest);
    return content;
  }

  /** Takes note of what cannot be had, or ends all. */
  lose(lost: LostFile): void {
    if (!this.#skipDamaged) throw damaged(`${lost.message}; it held ${lost.path === null ? 'a part of the list of files' : `'${lost.path}'`} of ${lost.origin}`);
    this.lost.push(lost);
  }

  touch(): void {
    const now = wallClock() / 1000;
    fs.utimesSync(this.#directory, now, now);
  }

  remove(): void {
    fs.rmSync(this.#directory, { recursive: true, force: true });
  }
}

function damaged(what: string): HoldfastError {
  return new HoldfastError('backup-damaged', `The backup is damaged: ${what}.`);
}

class OriginStage {
  readonly #directory: string;
  readonly #backedUp: BackedUpOrigin;
  readonly #as: string;
  readonly #stage: Stage;
  readonly #places: ListedPlace[] = [];

  constructor(directory: string, backedUp: BackedUpOrigin, as: string, stage: Stage) {
    this.#directory = directory;
    this.#backedUp = backedUp;
    this.#as = as;
    this.#stage = stage;
  }

  async build(onBytes: () => void, isWanted?: (file: string) => boolean): Promise<void> {
    for (const chunk of this.#backedUp.listing) {
      for (const line of await this.#lines(chunk)) {
        if (isWanted === undefined || (line.kind === 'file' && isWanted(line.file.path))) await this.#take(line);
        onBytes();
      }
      this.#stage.touch();
    }
    for (const place of this.#places) this.#complete(place);
    this.#name();
  }

  async #lines(chunk: string): Promise<Line[]> {
    try {
      return [...decodeLines(await this.#stage.chunk(chunk))];
    } catch (error) {
      if (!(error instanceof DamagedChunk) && !(error instanceof HoldfastError)) throw error;
      this.#stage.lose({ origin: this.#backedUp.origin, path: null, message: error.message });
      return [];
    }
  }

  async #take(line: Line): Promise<void> {
    if (line.kind === 'directory') this.#makeDirectory(line.path);
    else if (line.kind === 'place') this.#places.push(line.place);
    else if (line.kind === 'file') await this.#writeFile(line.file);
  }

  #makeDirectory(relative: string): string {
    const directory = path.join(this.#directory, relative);
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    return directory;
  }

  async #writeFile(file: ListedFile): Promise<void> {
    const target = path.join(this.#makeDirectory(path.posix.dirname(file.path)), path.posix.basename(file.path));
    const descriptor = fs.openSync(target, 'wx', file.isStub ? 0o700 : 0o600);
    try {
      await this.#fill(descriptor, file);
      const seconds = Number(BigInt(file.mtime) / 1000n) / 1_000_000;
      fs.futimesSync(descriptor, seconds, seconds);
    } catch (error) {
      if (!(error instanceof DamagedChunk)) throw error;
      fs.unlinkSync(target);
      return this.#stage.lose({ origin: this.#backedUp.origin, path: file.path, message: error.message });
    } finally {
      fs.closeSync(descriptor);
    }
    this.#stage.files += 1;
  }

  async #fill(descriptor: number, { size, at, chunks }: ListedFile): Promise<void> {
    let [skip, left] = [at, size];
    for (const name of chunks) {
      const piece = (await this.#stage.chunk(name)).subarray(skip, skip + left);
      skip = 0;
      left -= piece.length;
      for (let written = 0; written < piece.length; ) written += fs.writeSync(descriptor, piece, written);
      this.#stage.bytes += piece.length;
    }
    if (left > 0) throw new DamagedChunk(chunks.at(-1) ?? 'of no name', 'is shorter than the file that it is of');
  }

  /** What is of no other time than now is made anew. */
  #complete({ path: relative, parts }: ListedPlace): void {
    const place = this.#makeDirectory(relative);
    for (const part of parts) this.#makeFresh(path.join(place, part), part);
    if (!parts.includes('locks')) return;
    this.#makeDirectory(`${relative}/files.0`);
    for (const name of needed) this.#ensureJournal(path.join(place, name));
  }

  #makeFresh(directory: string, part: FreshPart): void {
    fs.mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (part.endsWith('locks')) this.#ensureJournal(directory);
  }

  /** Of an encrypted origin the backup has one that is empty: nothing plain may be made in its place. */
  #ensureJournal(directory: string): void {
    if (hasGeneration(directory)) return;
    if (isEncrypted(this.#directory)) return this.#stage.lose({ origin: this.#backedUp.origin, path: path.relative(this.#directory, directory), message: 'It cannot be made anew, for the origin is encrypted' });
    fs.rmSync(directory, { recursive: true, force: true });
    Journal.create(directory);
  }

  /** Under another name, it says so itself. */
  #name(): void {
    const file = path.join(this.#directory, 'origin.json');
    const facts: unknown = fs.existsSync(file) ? attempt(() => JSON.parse(fs.readFileSync(file, 'utf8'))) : undefined;
    const { created = new Date(this.#backedUp.moment).toISOString() } = (facts ?? {}) as { created?: unknown };
    if (fs.existsSync(file)) fs.unlinkSync(file);
    fs.writeFileSync(file, `${JSON.stringify({ origin: this.#as, created })}\n`, { flag: 'wx', mode: 0o600 });
  }
}

function attempt(body: () => unknown): unknown {
  try {
    return body();
  } catch {
    return undefined;
  }
}

function hasGeneration(journal: string): boolean {
  return isDirectoryAt(journal) && fs.readdirSync(journal).some((name) => /^[0-9]+$/.test(name));
}
