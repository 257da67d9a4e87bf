import fs from 'node:fs';
import { withDescriptors } from '../../runtime/descriptors.ts';
import type { SealedBytes } from '../../runtime/disk-range.ts';
import { errorCode } from '../../runtime/errors.ts';
import { nextTurn, wallClock } from '../../runtime/timers.ts';
import { ENTRY_BYTES } from '../quota/ledger.ts';
import { placeOfResponse, sessionOfResponse } from '../spelling.ts';
import { closeQuietly, CREATE, openNew, openPlain, READ } from '../tree/open-plain.ts';
import { type Content, PlainContent } from '../tree/content.ts';
import { sealedBytes } from '../tree/in-pieces.ts';
import { copyContent } from '../tree/reseal.ts';
import type { Sealing } from '../tree/sealing.ts';
import { Swap } from '../tree/swap.ts';
import { syncDirectory } from '../tree/sync.ts';
import type { CacheEntry } from './entry.ts';
import type { CacheParty } from './party.ts';
import { ResponseDraft } from './response-draft.ts';
import { bodyStart, PREFIX_BYTES, readHead, type ResponseHead } from './response-head.ts';

/** Up to this size a file is read as a whole when it is found, and no descriptor is kept for its body. */
const SMALL_BYTES = 64 * 1024;

/** So much of a larger one is read when it is found: most heads are shorter. One buffer for all, as heads are parsed in the turn in which they are read. */
const headBytes = Buffer.allocUnsafeSlow(4096);

/** Files deleted in one turn of the event loop. */
const SLICE = 64;

/** A body that stays on the disk until it is read. */
export interface DiskBody {
  readonly path: string;
  /** Open, and the taker's to close. */
  readonly descriptor: number;
  readonly state: fs.Stats;
  /** Where in the file's content it begins; it ends with it. */
  readonly start: number;
  /** Bytes of that content. */
  readonly size: number;
  /** Where it is encrypted. */
  readonly sealed?: SealedBytes;
}

/** A response as it was stored. */
export interface StoredResponse {
  readonly head: ResponseHead;
  readonly body: Uint8Array | DiskBody;
}

export interface ResponseFilesOptions {
  readonly party: () => CacheParty;
  /** Called when a file that was to go could not be deleted. */
  readonly onLeft: () => void;
  /** Undefined: they are not encrypted. */
  readonly sealing: Sealing | undefined;
}

let created = 0;

/**
 * The responses of a bucket's caches, a file each. Invariants:
 * - a file is complete before a record names it, and never written to afterwards; another one with the same content, under
 *   another key, may take its name;
 * - a file is deleted once no record names it, by whoever has appended the record that replaced it; what a killed realm
 *   has left is deleted by a sweep, which knows by the name whose it was;
 * - what is open when it is deleted can be read to its end;
 * - a file that is missing, or not as long as its record says (a power loss can do that where writes are not synced),
 *   counts as none: it is never given in part;
 * - what takes space is charged before it is there, and freed when it has gone.
 */
export class ResponseFiles {
  readonly #directory: string;
  readonly #party: () => CacheParty;
  readonly #onLeft: () => void;
  readonly #sealing: Sealing | undefined;
  /** Files of this realm that no record names, and that are not to be swept. */
  readonly #kept = new Set<string>();
  /** By which it has made files. */
  readonly #folders = new Set<string>();

  constructor(directory: string, { party, onLeft, sealing }: ResponseFilesOptions) {
    this.#directory = directory;
    this.#party = party;
    this.#onLeft = onLeft;
    this.#sealing = sealing;
  }

  /** A new response; its file is made when the first bytes are written. */
  create(head: ResponseHead): ResponseDraft {
    const name = this.#newName();
    return new ResponseDraft(name, head, () => this.#make(name, this.#sealingOf(name)), () => this.#kept.delete(name));
  }

  /** Kept until it is taken back. */
  #newName(): string {
    const { folder } = this.#party();
    const name = `${folder}.${(created += 1)}-${wallClock().toString(36)}`;
    this.#kept.add(name);
    this.#folders.add(folder);
    return name;
  }

  #make(name: string, sealing: Sealing | undefined): Swap {
    const { ledger } = this.#party();
    const path = this.#pathOf(name);
    ledger.charge(ENTRY_BYTES);
    try {
      const descriptor = openNew(path, CREATE);
      return new Swap(path, descriptor, ledger, 0, sealing && (() => sealing.draft(descriptor, path, 'whole')));
    } catch (error) {
      ledger.refund(ENTRY_BYTES);
      throw error;
    }
  }

  /** Makes names of new files durable. */
  sync(): void {
    syncDirectory(this.#directory);
  }

  /** Each is bound to its own name: none can be put in another's place. */
  #sealingOf(name: string): Sealing | undefined {
    return this.#sealing?.bound(placeOfResponse(name));
  }

  /** Null: it is not there, or not as it was written. @throws the operating system's error; EDAMAGED where it was encrypted and is another */
  read({ file, size }: CacheEntry): StoredResponse | null {
    const path = this.#pathOf(file);
    let descriptor: number;
    try {
      descriptor = openPlain(path, READ);
    } catch (error) {
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(errorCode(error))) return null;
      throw error;
    }
    let isTaken = false;
    try {
      const response = readFrom({ descriptor, path, size, sealing: this.#sealingOf(file) });
      isTaken = response !== null && 'descriptor' in response.body;
      return response;
    } finally {
      if (!isTaken) closeQuietly(descriptor);
    }
  }

  /**
   * Writes a response anew with the key that is active, where it has another or none: a copy, on the disk, takes its name.
   * Whoever reads it reads on. Where no record names it any more, it is the caller's to {@link remove}.
   *
   * @returns whether it was
   * @throws OverQuotaError, HoldfastError, or the operating system's error; EDAMAGED
   */
  async renew({ file }: CacheEntry): Promise<boolean> {
    const sealing = this.#sealingOf(file);
    const source = this.#pathOf(file);
    if (sealing === undefined || fs.lstatSync(source, { throwIfNoEntry: false }) === undefined) return false;
    const descriptor = openPlain(source, READ);
    try {
      if (sealing.isCurrent(descriptor, source)) return false;
      await this.#replace(source, sealing, sealing.open(descriptor, source, 'beside-readers'), fs.fstatSync(descriptor).size);
      return true;
    } finally {
      closeQuietly(descriptor);
    }
  }

  async #replace(target: string, sealing: Sealing, content: Content, size: number): Promise<void> {
    const name = this.#newName();
    const copy = this.#make(name, sealing);
    try {
      await copyContent(content, copy);
      copy.finish();
      await copy.sync();
      copy.close();
      const { ledger } = this.#party();
      const mark = ledger.mark();
      fs.renameSync(copy.path, target);
      copy.placed();
      ledger.free(ENTRY_BYTES + size, mark);
    } finally {
      copy.discard();
      this.#kept.delete(name);
    }
  }

  /** Deletes files that no record names any more: a few at once, many in several turns of the event loop. Never throws. */
  remove(entries: readonly CacheEntry[]): Promise<void> {
    return this.#removeAll(entries.map(({ file }) => file));
  }

  async #removeAll(names: readonly string[]): Promise<void> {
    for (const [index, name] of names.entries()) {
      if (index > 0 && index % SLICE === 0) await nextTurn();
      this.#remove(name);
    }
  }

  /** Only whoever has deleted it gives back what it took. */
  #remove(name: string): void {
    try {
      const { ledger } = this.#party();
      const path = this.#pathOf(name);
      const stats = fs.lstatSync(path, { throwIfNoEntry: false });
      if (stats === undefined) return;
      const mark = ledger.mark();
      fs.unlinkSync(path);
      ledger.free(ENTRY_BYTES + stats.size, mark);
    } catch {
      this.#onLeft();
    }
  }

  /** Spares files that no record names, for this realm reads them still. */
  keep(entries: Iterable<CacheEntry>): void {
    for (const { file } of entries) this.#kept.add(file);
  }

  /** Deletes what was spared. */
  release(entries: Iterable<CacheEntry>): Promise<void> {
    const names = Array.from(entries, ({ file }) => file);
    for (const name of names) this.#kept.delete(name);
    return this.#removeAll(names);
  }

  /** Whether this realm has made the file. */
  hasMade({ file }: CacheEntry): boolean {
    const folder = sessionOfResponse(file);
    return folder !== null && this.#folders.has(folder);
  }

  /** Whether anything of this realm would be taken for that of a killed one, if it were not seen to live. */
  get isKeeping(): boolean {
    return this.#kept.size > 0;
  }

  /**
   * Deletes what nobody needs: files of realms that have ended, and of this one, which no record names.
   *
   * @param named - gives the files that records name, by now.
   * @throws the operating system's errors, HoldfastError
   */
  async sweep(named: () => ReadonlySet<string>): Promise<void> {
    const files = await this.#list();
    const party = this.#party();
    // In this order: what a realm has named before it has ended is known by the records that are read after that.
    const ended = new Map([...new Set(files.values())].map((folder) => [folder, folder === party.folder || party.isDead(folder)]));
    const doomed = [...files].filter(([name, folder]) => ended.get(folder) === true && !this.#kept.has(name)).map(([name]) => name);
    if (doomed.length === 0) return;
    const needed = named();
    await this.#removeAll(doomed.filter((name) => !needed.has(name)));
  }

  /** The responses that are there, with the folders of their realms. */
  async #list(): Promise<Map<string, string>> {
    const files = new Map<string, string>();
    for await (const { name } of await withDescriptors(() => fs.promises.opendir(this.#directory))) {
      const folder = sessionOfResponse(name);
      if (folder !== null) files.set(name, folder);
    }
    return files;
  }

  #pathOf(name: string): string {
    return `${this.#directory}/${name}`;
  }
}

interface ResponseFile {
  readonly descriptor: number;
  readonly path: string;
  /** Bytes of its content, as its record says. */
  readonly size: number;
  readonly sealing: Sealing | undefined;
}

function readFrom({ descriptor, path, size, sealing }: ResponseFile): StoredResponse | null {
  const state = fs.fstatSync(descriptor);
  const stored = sealing === undefined || sealing.isPlain(descriptor) ? size : sealing.stored(size);
  if (state.size !== stored || size < PREFIX_BYTES) return null;
  const content = sealing?.open(descriptor, path, 'beside-readers') ?? new PlainContent(descriptor);
  const beginning = readStart(content, size <= SMALL_BYTES ? Buffer.allocUnsafeSlow(size) : headBytes);
  const start = bodyStart(beginning);
  if (start === null || start > size) return null;
  const head = readHead(start <= beginning.length ? beginning : readStart(content, Buffer.allocUnsafeSlow(start)));
  if (head === null) return null;
  const body = size <= SMALL_BYTES ? beginning.subarray(start) : { path, descriptor, state, start, size, ...(sealing && { sealed: sealedBytes(sealing, path, 'beside-readers', size) }) };
  return { head, body };
}

/** The first bytes of a file, as many as there is room for; fewer where somebody cuts it back meanwhile. */
function readStart(content: Content, bytes: Uint8Array): Uint8Array {
  let filled = 0;
  for (let count = -1; count !== 0 && filled < bytes.length; filled += count) {
    count = content.read(bytes.subarray(filled), filled);
  }
  return bytes.subarray(0, filled);
}
