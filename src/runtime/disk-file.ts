import { Blob, File } from 'node:buffer';
import fs from 'node:fs';
import { dirname } from 'node:path';
import { define } from './define.ts';
import { withDescriptors } from './descriptors.ts';
import { readRange, streamRange } from './disk-range.ts';
import type { DiskRange, DiskSnapshot } from './disk-range.ts';
import { runtime } from './runtime.ts';
import { markAsUncloneable } from './uncloneable.ts';

/*
 * A `File` whose bytes stay on disk until they are read. Its own readers (text, arrayBuffer, bytes, stream, of slices
 * too) go straight to the file, in bounded memory, and fail once it has changed. What the runtime reads behind their
 * back (`new Blob([file])`, structuredClone, object URLs) sees the native parts, which differ:
 *
 * - Node: a blob over the file, which fails by itself once the file has changed. Above 2 GiB, where Node cuts such a
 *   blob off, one that always fails.
 * - Bun: `Bun.file`, which gives whatever bytes the file has by then.
 * - Deno: none, for its blob over a file is a copy in memory. `new Blob([file])` and bodies call the readers here;
 *   structuredClone, which would give an empty file, is made to throw DataCloneError.
 *
 * Of an encrypted file the native parts cannot be read, and structuredClone throws DataCloneError where that can be had.
 */

/** A file as it was when its state was taken, and what a `File` tells of it. */
export interface DiskFileSource extends DiskSnapshot {
  /** Media type; empty when unknown. */
  readonly type: string;
}

declare const Bun: { file(path: string): Blob };

/** A `File` that reads from disk. https://w3c.github.io/FileAPI/#file-section */
export async function fileFromDisk(source: DiskFileSource): Promise<File> {
  const range = { file: source, start: 0, end: source.sealed?.size ?? source.state.size };
  const lastModified = Math.floor(source.state.mtimeMs);
  const file = new DiskFile(await nativeParts(source), { type: source.type, lastModified }, range);
  return corrected(file, source, { size: sizeOf(range), type: source.type, lastModified });
}

/** What stat(2) counts in. */
const BLOCK_BYTES = 512;

/** Bytes that a file takes on the disk, as of when it was asked for: less than its size where it has holes. Its size where nobody knows. */
export function allocatedBytes(file: File): number {
  return DiskFile.allocated(file);
}

class DiskFile extends File {
  readonly #range: DiskRange;

  /** See {@link allocatedBytes}. */
  static allocated(file: File): number {
    const blocks = #range in file ? file.#range.file.state.blocks : undefined;
    return blocks === undefined ? file.size : blocks * BLOCK_BYTES;
  }

  constructor(parts: Blob[], options: { type: string; lastModified: number }, range: DiskRange) {
    super(parts, range.file.name, options);
    this.#range = range;
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await readRange(this.#range)).buffer;
  }

  override async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return readRange(this.#range);
  }

  override async text(): Promise<string> {
    return decode(await readRange(this.#range));
  }

  override stream(): ReturnType<Blob['stream']> {
    return streamRange(this.#range);
  }

  override slice(start?: number, end?: number, type?: string): Blob {
    return sliceOf(this.#range, (from, to) => super.slice(from, to), start, end, type);
  }
}

/** A slice of a file on disk, or of such a slice. */
class DiskSlice extends Blob {
  readonly #range: DiskRange;

  constructor(parts: Blob[], options: { type: string }, range: DiskRange) {
    super(parts, options);
    this.#range = range;
  }

  override async arrayBuffer(): Promise<ArrayBuffer> {
    return (await readRange(this.#range)).buffer;
  }

  override async bytes(): Promise<Uint8Array<ArrayBuffer>> {
    return readRange(this.#range);
  }

  override async text(): Promise<string> {
    return decode(await readRange(this.#range));
  }

  override stream(): ReturnType<Blob['stream']> {
    return streamRange(this.#range);
  }

  override slice(start?: number, end?: number, type?: string): Blob {
    return sliceOf(this.#range, (from, to) => super.slice(from, to), start, end, type);
  }
}

/** Beyond this Node cuts a blob over a file off. */
const NODE_BYTES = 2 ** 31;

/** Node cannot read a directory: a blob over one fails whoever reads it, rather than give too few bytes. */
let unreadable: Blob | undefined;

async function nativeParts({ path, state, sealed }: DiskFileSource): Promise<Blob[]> {
  if (runtime === 'deno') return [];
  if (sealed !== undefined) return [await sealedPart(path)];
  if (runtime === 'bun') return [Bun.file(path)];
  if (state.size > NODE_BYTES) return [await unreadablePart(path)];
  try {
    return [await withDescriptors(() => fs.openAsBlob(path))];
  } catch {
    // Somebody has removed the file just now: it has changed since its state was taken, and cannot be read.
    return [await unreadablePart(path)];
  }
}

/** Nobody but the readers here can decrypt; so what is read behind their back must fail. */
function sealedPart(path: string): Promise<Blob> | Blob {
  return runtime === 'bun' ? Bun.file(dirname(path)) : unreadablePart(path);
}

/** Over the nearest directory that is there. */
async function unreadablePart(path: string): Promise<Blob> {
  const directory = dirname(path);
  try {
    return (unreadable ??= await fs.openAsBlob(directory));
  } catch (error) {
    if (directory === path) throw error;
    return unreadablePart(directory);
  }
}

/**
 * https://w3c.github.io/FileAPI/#slice-blob
 *
 * `native` gives the runtime's own slice. It gets whole numbers within the range only: Node 20 aborts on others, Bun
 * miscounts from the end.
 */
function sliceOf(range: DiskRange, native: (start: number, end: number) => Blob, start = 0, end = sizeOf(range), type = ''): Blob {
  const from = clamp(start, sizeOf(range));
  const to = Math.max(from, clamp(end, sizeOf(range)));
  const slice = { file: range.file, start: range.start + from, end: range.start + to };
  const parts = runtime === 'deno' ? [] : [isWhole(range) ? native(from, to) : unreadablePartOf(range)].filter((part) => part !== undefined);
  const options = { type: mediaType(type) };
  return corrected(new DiskSlice(parts, options, slice), range.file, { size: sizeOf(slice), ...options });
}

function unreadablePartOf({ file }: DiskRange): Blob | undefined {
  return runtime === 'bun' ? Bun.file(dirname(file.path)) : unreadable;
}

/** Whether the native parts have the bytes. */
function isWhole({ file }: DiskRange): boolean {
  return file.sealed === undefined && (runtime === 'bun' || file.state.size <= NODE_BYTES);
}

/** As Blobs keep it; Bun's own adds a charset to some. https://w3c.github.io/FileAPI/#dfn-slice */
function mediaType(type: string): string {
  const text = String(type);
  return /[^\x20-\x7e]/.test(text) ? '' : text.toLowerCase();
}

/** A position from the start, or from the end when negative. https://webidl.spec.whatwg.org/#Clamp */
function clamp(position: number, size: number): number {
  const integer = Math.trunc(Number(position)) || 0;
  return integer < 0 ? Math.max(size + integer, 0) : Math.min(integer, size);
}

function sizeOf(range: DiskRange): number {
  return range.end - range.start;
}

let decoder: { decode(bytes: Uint8Array): string } | undefined;

/** https://encoding.spec.whatwg.org/#utf-8-decode */
function decode(bytes: Uint8Array): string {
  // Not the global one, which tests replace; and not before it is needed, for Node loads much for what `node:util` offers.
  decoder ??= new (process.getBuiltinModule('node:util').TextDecoder)();
  return decoder.decode(bytes);
}

/** Puts right what the native parts made the runtime believe. */
function corrected<T extends Blob>(blob: T, { sealed }: DiskSnapshot, truth: Partial<Pick<File, 'size' | 'type' | 'lastModified'>>): T {
  for (const [name, value] of Object.entries(truth)) {
    if (blob[name as keyof T] !== value) define(blob, name, { value, configurable: true });
  }
  if (runtime === 'deno' || sealed !== undefined) markAsUncloneable(blob);
  return blob;
}
