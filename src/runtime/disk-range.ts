import fs from 'node:fs';
import type { ReadableByteStreamController, UnderlyingByteSource } from 'node:stream/web';
import { withDescriptor } from './descriptors.ts';
import { errorCode, isDOMException, withCause } from './errors.ts';
import { HeldDescriptor } from './held-descriptor.ts';
import { runtime } from './runtime.ts';

/** Bytes that a file has otherwise than they are on the disk. */
export interface SealedBytes {
  /** How many. */
  readonly size: number;
  /** How an open file is read, as `readAt` reads others. */
  readonly reader: (descriptor: number) => Reader;
}

/** Fills `target` from `position` on, as far as there is something; how many bytes. */
type Reader = (target: Uint8Array, position: number) => number | Promise<number>;

/** A file as it was when somebody looked: reading it later gives those bytes or fails. */
export interface DiskSnapshot {
  readonly path: string;
  /** The file's name, for messages. */
  readonly name: string;
  /** What gave it, for messages; by default `getFile()`. */
  readonly since?: string;
  /** Where it is encrypted. */
  readonly sealed?: SealedBytes;
  readonly state: Pick<fs.Stats, 'size' | 'mtimeMs' | 'ino' | 'dev'> & Partial<Pick<fs.Stats, 'blocks'>>;
}

/** Some bytes of a snapshot. */
export interface DiskRange {
  readonly file: DiskSnapshot;
  readonly start: number;
  readonly end: number;
}

/** Up to here a read in this thread costs less than handing it to another. */
const SMALL_BYTES = 64 * 1024;

/** What a stream reads at a time; over a file that nobody writes to, the rest at once where it is no more than that. */
const CHUNK_BYTES = 128 * 1024;
const REST_BYTES = 2 ** 20;

/** How much long streams read before they ask for a garbage collection, from when on one is long, and the size of the buffer that asks. */
const COLLECT_AFTER_BYTES = 4 * 2 ** 20;
const PRESSURE_BYTES = 33 * 2 ** 20;

/** One read takes less than 2 GiB. */
const LARGEST_READ = 2 ** 30;

/**
 * All bytes of a range. Rejects with NotReadableError once the file has changed, NotFoundError once it is gone.
 *
 * @internal TypeScript before 5.7 does not know its type.
 */
export async function readRange(range: DiskRange): Promise<Uint8Array<ArrayBuffer>> {
  const descriptor = open(range.file);
  try {
    return await readFully(range, descriptor);
  } catch (error) {
    throw toReadError(error, range.file);
  } finally {
    fs.closeSync(descriptor);
  }
}

async function readFully({ file, start, end }: DiskRange, descriptor: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = allocate(end - start);
  const reader = readerOf(file, descriptor);
  for (let filled = 0; filled < bytes.byteLength; ) {
    const read = await reader(bytes.subarray(filled, filled + LARGEST_READ), start + filled);
    if (read === 0) throw changed(file);
    filled += read;
  }
  requireUnchanged(descriptor, file);
  return bytes;
}

/**
 * A byte stream over a range, read as it is asked for. The file is opened at the first read and stays the same one to
 * the end: one that takes its name meanwhile does not disturb, one that writes into it does.
 * https://w3c.github.io/FileAPI/#stream-method-algo
 */
export function streamRange(range: DiskRange): ReadableStream {
  return streamOf(new RangeSource(range));
}

/**
 * A range of a file that is open.
 *
 * @internal TypeScript before 5.7 does not know its type.
 */
export interface OpenRange {
  readonly stream: ReadableStream<Uint8Array<ArrayBuffer>>;
  /** Reads all of it at once, in place of the stream, which nobody has read from and which is to be cancelled then. */
  readonly readAll: () => Promise<ArrayBuffer>;
}

/**
 * The same over a file that is open already, so that it can be removed meanwhile, and that nobody writes to any more;
 * `descriptor` is the stream's from now on. Where descriptors run out before the first read, it is closed, and the file is
 * opened again by its path.
 *
 * @internal As what it gives.
 */
export function openRange(range: DiskRange, descriptor: number): OpenRange {
  const source = new RangeSource(range, descriptor);
  return { stream: streamOf(source), readAll: () => source.readAll() };
}

function streamOf(source: RangeSource): ReadableStream {
  const { ReadableStream } = process.getBuiltinModule('node:stream/web');
  return new ReadableStream(source, { highWaterMark: 0 });
}

class RangeSource implements UnderlyingByteSource {
  readonly type = 'bytes';
  readonly #range: DiskRange;
  readonly #restBytes: number;
  #position: number;
  #file: HeldDescriptor | null = null;
  #reader: Reader | null = null;
  #isReading = false;
  #isCancelled = false;

  constructor(range: DiskRange, descriptor?: number) {
    this.#range = range;
    this.#position = range.start;
    this.#restBytes = descriptor === undefined ? CHUNK_BYTES : REST_BYTES;
    if (descriptor === undefined) return;
    this.#file = HeldDescriptor.take();
    this.#file.hold(descriptor, true);
  }

  async pull(controller: ReadableByteStreamController): Promise<void> {
    const { file, end } = this.#range;
    this.#isReading = true;
    try {
      const chunk = await this.#read(controller.byobRequest?.view?.byteLength ?? this.#ownChunk);
      if (!this.#isCancelled) deliver(controller, chunk, this.#position === end);
      if (this.#position === end) this.#close();
    } catch (error) {
      this.#close();
      throw toReadError(error, file);
    } finally {
      this.#isReading = false;
      if (this.#isCancelled) this.#close();
    }
  }

  async readAll(): Promise<ArrayBuffer> {
    this.#isReading = true;
    try {
      const { buffer } = await readFully(this.#range, this.#file?.use() ?? this.#open());
      return buffer;
    } catch (error) {
      throw toReadError(error, this.#range.file);
    } finally {
      this.#isReading = false;
      this.#close();
    }
  }

  /** A read under way keeps the descriptor, lest it read from another file that got its number. */
  cancel(): void {
    this.#isCancelled = true;
    if (!this.#isReading) this.#close();
  }

  get #ownChunk(): number {
    return this.#range.end - this.#position <= this.#restBytes ? this.#restBytes : CHUNK_BYTES;
  }

  async #read(wanted: number): Promise<Uint8Array<ArrayBuffer>> {
    const { file, end } = this.#range;
    const chunk = allocate(Math.min(wanted, end - this.#position, this.#ownChunk));
    const descriptor = this.#file?.use() ?? this.#open();
    const read = await (this.#reader ??= readerOf(file, descriptor))(chunk, this.#position);
    requireUnchanged(descriptor, file);
    if (read === 0 && chunk.byteLength > 0) throw changed(file);
    this.#position += read;
    askForCollection(read, this.#position - this.#range.start);
    return chunk.subarray(0, read);
  }

  #open(): number {
    const descriptor = open(this.#range.file);
    this.#file ??= HeldDescriptor.take();
    this.#file.hold(descriptor, false);
    return descriptor;
  }

  #close(): void {
    const file = this.#file;
    this.#file = this.#reader = null;
    file?.release();
  }
}

/** Hands a chunk to the stream: in the buffer that a reader has brought, or as it is. */
function deliver(controller: ReadableByteStreamController, chunk: Uint8Array<ArrayBuffer>, isLast: boolean): void {
  const request = controller.byobRequest;
  const view = request?.view;
  if (!request || !view) {
    if (chunk.byteLength > 0) controller.enqueue(chunk);
    if (isLast) controller.close();
    return;
  }
  new Uint8Array(view.buffer, view.byteOffset, chunk.byteLength).set(chunk);
  if (chunk.byteLength > 0) request.respond(chunk.byteLength);
  if (!isLast) return;
  controller.close();
  controller.byobRequest?.respond(0); // a reader whose buffer came back empty learns of the end so
}

// Windows has neither flag, and no pipes in its directories.
const { O_RDONLY, O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants as Partial<typeof fs.constants>;

/**
 * Opens the file if it is still the one that the snapshot is of.
 *
 * @throws the operating system's error, or NotReadableError.
 */
function open(file: DiskSnapshot): number {
  let descriptor: number;
  try {
    descriptor = withDescriptor(() => fs.openSync(file.path, (O_RDONLY ?? 0) | O_NOFOLLOW | O_NONBLOCK));
  } catch (error) {
    throw toReadError(error, file);
  }
  try {
    requireUnchanged(descriptor, file);
    return descriptor;
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

function requireUnchanged(descriptor: number, file: DiskSnapshot): void {
  const { size, mtimeMs, ino, dev } = fs.fstatSync(descriptor);
  const { state } = file;
  if (size !== state.size || mtimeMs !== state.mtimeMs || ino !== state.ino || dev !== state.dev) throw changed(file);
}

/** Without zeros: every byte of it is read into, or it is cut off. */
function allocate(bytes: number): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset } = Buffer.allocUnsafeSlow(bytes);
  return new Uint8Array(buffer as ArrayBuffer, byteOffset, bytes);
}

let streamed = 0;

/**
 * V8 frees the buffers of chunks when it collects the young generation, and that it does once the buffers made since
 * reach 32 MiB. From V8 13 on the same number starts a collection of the whole heap instead, which costs too much.
 */
const collectsYoungByPressure = runtime === 'node' && Number.parseInt(process.versions.v8, 10) < 13;

/**
 * Keeps a long stream in little memory: a buffer that nobody touches counts for the collector, but takes no memory.
 * Above 32 MiB the allocator maps it apart, so it never mixes with others. A short stream's chunks are collected as any
 * other buffers are: so often, a collection would cost more than the reading.
 *
 * `position`: how far the stream has come with these bytes.
 */
export function askForCollection(bytes: number, position: number): void {
  if (position <= COLLECT_AFTER_BYTES) return;
  streamed += bytes;
  if (streamed < COLLECT_AFTER_BYTES || !collectsYoungByPressure) return;
  streamed = 0;
  Buffer.allocUnsafeSlow(PRESSURE_BYTES);
}

function readerOf({ sealed }: DiskSnapshot, descriptor: number): Reader {
  return sealed?.reader(descriptor) ?? ((target, position) => readAt(descriptor, target, position));
}

function readAt(descriptor: number, target: Uint8Array, position: number): number | Promise<number> {
  if (target.byteLength <= SMALL_BYTES) return fs.readSync(descriptor, target, 0, target.byteLength, position);
  return new Promise((resolve, reject) => {
    fs.read(descriptor, target, 0, target.byteLength, position, (error, read) => (error ? reject(error) : resolve(read)));
  });
}

function changed({ name, since }: DiskSnapshot): DOMException {
  const advice = since === undefined ? ' Ask its handle for a new File.' : '';
  return new DOMException(`'${name}' cannot be read: it has changed since ${since ?? 'getFile()'}.${advice}`, 'NotReadableError');
}

/** https://w3c.github.io/FileAPI/#file-error-read */
function toReadError(error: unknown, file: DiskSnapshot): unknown {
  if (isDOMException(error)) return error;
  const isGone = ['ENOENT', 'ENOTDIR'].includes(errorCode(error));
  const reason = isGone ? `it was moved or removed since ${file.since ?? 'getFile()'}.` : 'the disk or the system refused.';
  const exception = new DOMException(`'${file.name}' cannot be read: ${reason}`, isGone ? 'NotFoundError' : 'NotReadableError');
  return withCause(exception, error);
}
