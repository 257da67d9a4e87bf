import type { Locator } from '../../disk/locator.ts';
import type { FileLock } from '../../disk/locks/lock-table.ts';
import type { Swap } from '../../disk/tree/swap.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { QuotaExceededError } from '../../webidl/quota-exceeded-error.ts';
import { entryError, webErrorOf } from '../errors.ts';
import type { FileSystem, OpenResource } from '../file-system.ts';
import { pace } from '../pace.ts';
import type { FileSink } from '../writable-file-stream.ts';
import { convertChunk } from '../write-chunk.ts';
import type { WriteChunk } from '../write-chunk.ts';
import { contentOf, sizeOf, writeContent } from './write-bytes.ts';

const WRITE = "Failed to execute 'write' on 'FileSystemWritableFileStream'";
const CLOSE = "Failed to execute 'close' on 'FileSystemWritableFileStream'";

/** `ended`: the swap file and the lock are gone. `busy`: a write or the close is under way and needs them still. */
type State = 'open' | 'busy' | 'ending' | 'ended';

/**
 * The data of an open writable. Invariants:
 * - everything goes into a swap file that nobody else sees; only close() gives it the file's name, in one step;
 * - the swap file and the lock end together, as soon as a command fails, at close and abort, or with the client,
 *   but never under a system call that is using them;
 * - it does not know its stream, so that a stream that was dropped can be collected and this be ended.
 */
export class FileWriter implements FileSink, OpenResource {
  readonly #system: FileSystem;
  readonly #locator: Locator;
  readonly #swap: Swap;
  readonly #lock: FileLock;
  /** https://fs.spec.whatwg.org/#filesystemwritablefilestream-seekoffset */
  #cursor = 0;
  #state: State = 'open';

  constructor(system: FileSystem, locator: Locator, swap: Swap, lock: FileLock) {
    this.#system = system;
    this.#locator = locator;
    this.#swap = swap;
    this.#lock = lock;
    system.keep(this);
  }

  /** https://fs.spec.whatwg.org/#write-a-chunk */
  async write(chunk: unknown): Promise<void> {
    this.#start(WRITE);
    try {
      await this.#perform(convertChunk(chunk, `${WRITE}: the chunk`));
      await pace();
    } catch (error) {
      this.#finish('ended'); // the stream is errored now, and nobody will close or abort it
      throw error;
    }
    this.#finish('open');
    if (this.#state === 'ended') throw this.#endedError(WRITE);
  }

  /** https://fs.spec.whatwg.org/#create-a-new-filesystemwritablefilestream (close algorithm) */
  async close(): Promise<void> {
    this.#start(CLOSE);
    try {
      await this.#replaceFile();
      this.#system.meter?.replaced(this.#locator);
    } catch (error) {
      throw webErrorOf(error, this.#locator, 'write', CLOSE);
    } finally {
      this.#finish('ended');
    }
  }

  async abort(): Promise<void> {
    this.end();
  }

  end(): void {
    if (this.#state === 'open') this.#discard();
    else if (this.#state === 'busy') this.#state = 'ending';
  }

  #start(context: string): void {
    if (this.#state !== 'open') throw this.#endedError(context);
    this.#state = 'busy';
  }

  #finish(next: 'open' | 'ended'): void {
    if (next === 'ended' || this.#state === 'ending') this.#discard();
    else this.#state = 'open';
  }

  /** Never throws: a swap file that cannot be removed is nobody's business, and the next sweep's. */
  #discard(): void {
    this.#state = 'ended';
    this.#system.forget(this);
    try {
      this.#swap.discard();
    } catch {
      // It stays, unseen, until it is swept.
    }
    this.#lock.release();
  }

  #replaceFile(): Promise<void> {
    const file = this.#locator;
    return this.#system.operate(
      [file],
      () => ({ operation: 'modify', kind: 'file', source: file }),
      async () => {
        await this.#system.tree.replace(this.#swap, file);
        return { changed: true, value: undefined };
      },
      this.#lock,
    );
  }

  async #perform(chunk: WriteChunk): Promise<void> {
    if (chunk.type === 'write') await this.#writeData(chunk);
    else if (chunk.type === 'seek') this.#cursor = required(chunk.position, 'position', chunk.type);
    else await this.#truncate(required(chunk.size, 'size', chunk.type));
  }

  async #writeData({ data, position, type }: WriteChunk): Promise<void> {
    const start = position ?? this.#cursor;
    const content = contentOf(required(data, 'data', type));
    this.#requirePossible(start);
    try {
      const size = sizeOf(content);
      if (size > 0) this.#swap.extent.cover(this.#swap.content.stored(start + size));
      const written = await writeContent(this.#swap.content, content, start);
      this.#cursor = start + written;
      this.#system.meter?.staged(written);
    } catch (error) {
      throw webErrorOf(error, this.#locator, 'write', WRITE);
    }
  }

  async #truncate(size: number): Promise<void> {
    this.#requirePossible(size);
    try {
      const { extent, content } = this.#swap;
      extent.cover(content.stored(size));
      const mark = extent.mark();
      await content.truncateLater(size);
      extent.shrunk(content.stored(size), mark);
    } catch (error) {
      throw webErrorOf(error, this.#locator, 'write', WRITE);
    }
    this.#cursor = Math.min(this.#cursor, size);
  }

  /** No disk has so much, and no runtime can express it. */
  #requirePossible(offset: number): void {
    if (!Number.isSafeInteger(offset)) {
      throw new QuotaExceededError(`${WRITE}: '/${this.#locator.join('/')}' cannot become ${offset} bytes long.`);
    }
  }

  #endedError(context: string): DOMException {
    return entryError('InvalidStateError', context, this.#locator, 'is no longer open: the client was closed');
  }
}

/** @throws DOMException SyntaxError when the command's member is absent, TypeError when it is null */
function required<T>(value: T | null | undefined, member: string, command: string): T {
  if (value === undefined) {
    throw domException('SyntaxError', `${WRITE}: the command '${command}' needs the member '${member}'.`);
  }
  if (value === null) throw new TypeError(`${WRITE}: the member '${member}' of '${command}' is null.`);
  return value;
}
