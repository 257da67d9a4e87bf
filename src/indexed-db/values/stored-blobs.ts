import { Blob, File } from 'node:buffer';
import fs from 'node:fs';
import type { BlobFile, BlobFiles } from '../../disk/records/record-database.ts';
import { platformKinds } from '../../disk/values/platform-kinds.ts';
import type { PlatformData, PlatformObjects } from '../../disk/values/platform-objects.ts';
import { readValue } from '../../disk/values/read-value.ts';
import { ValueDamagedError } from '../../disk/values/value-error.ts';
import { define } from '../../runtime/define.ts';
import { type DiskFileSource, fileFromDisk } from '../../runtime/disk-file.ts';
import type { SealedBytes } from '../../runtime/disk-range.ts';
import type { BlobData } from './blob-data.ts';

/** Files are kept for as long as a Blob of this realm, or a slice of one, reads from them. */
const holders = new FinalizationRegistry<() => void>((release) => {
  try {
    release();
  } catch {
    // Nobody could be told. Its database may be closed by now, and then nothing of this realm is held.
  }
});

/**
 * Reads a value that has Blobs. Each reads from its file when somebody asks for its bytes, also when the record is gone
 * by then.
 *
 * @throws ValueDamagedError
 */
export async function readWithBlobs(bytes: Uint8Array, ids: readonly number[], files: BlobFiles, platform: PlatformObjects): Promise<unknown> {
  const found = new FoundBlobs(platform);
  readValue(bytes, found);
  const blobs = await Promise.all(found.data.map((data) => openBlob(data, ids, files)));
  return readValue(bytes, new MadeBlobs(platform, blobs));
}

function isBlobKind(kind: number): boolean {
  return kind === platformKinds.blob || kind === platformKinds.file;
}

/** Finds out which Blobs a value has: they cannot be made while it is read. */
class FoundBlobs implements PlatformObjects {
  readonly #platform: PlatformObjects;
  readonly data: PlatformData[] = [];

  constructor(platform: PlatformObjects) {
    this.#platform = platform;
  }

  serialize(): null {
    return null;
  }

  deserialize(data: PlatformData): object {
    if (!isBlobKind(data.kind)) return this.#platform.deserialize(data);
    this.data.push(data);
    return {};
  }
}

/** Gives those that were made, in the same order. */
class MadeBlobs implements PlatformObjects {
  readonly #platform: PlatformObjects;
  readonly #blobs: readonly Blob[];
  #next = 0;

  constructor(platform: PlatformObjects, blobs: readonly Blob[]) {
    this.#platform = platform;
    this.#blobs = blobs;
  }

  serialize(): null {
    return null;
  }

  deserialize(data: PlatformData): object {
    if (!isBlobKind(data.kind)) return this.#platform.deserialize(data);
    const blob = this.#blobs[this.#next++];
    if (blob === undefined) throw new ValueDamagedError('it has other Blobs than it had');
    return blob;
  }
}

async function openBlob({ kind, data }: PlatformData, ids: readonly number[], files: BlobFiles): Promise<Blob> {
  const known = requireBlobData(data);
  const id = ids[known.place];
  if (id === undefined) throw new ValueDamagedError('it refers to a file that it does not have');
  const file = files.file(id);
  const source = new StoredFile(file, files, known);
  files.hold(id);
  holders.register(source, () => files.release(id));
  const disk = await fileFromDisk(source);
  const blob = kind === platformKinds.blob ? withPrototype(disk.slice(0, file.size, known.type), Blob.prototype) : asFile(disk, known);
  stored.set(blob, file);
  return blob;
}

function asFile(disk: File, { lastModified = 0 }: BlobData): File {
  return withPrototype(define(disk, 'lastModified', { value: lastModified, configurable: true }), File.prototype);
}

/** What Blobs that were read read from. */
const stored = new WeakMap<Blob, BlobFile>();

/**
 * The file of a database that a Blob reads from, if it does, and if it is there: a record that refers to it needs no
 * other. It is held, and to be let go. Whoever calls has the Blob, which holds it too, so it cannot go meanwhile.
 */
export function heldFileOf(blob: Blob, files: BlobFiles): BlobFile | null {
  const known = stored.get(blob);
  if (known === undefined) return null;
  files.hold(known.id);
  if (isAt(files, known)) return known;
  files.release(known.id);
  return null;
}

/** It may be one of another database. */
function isAt(files: BlobFiles, { id, path }: BlobFile): boolean {
  try {
    return files.file(id).path === path;
  } catch {
    return false;
  }
}

/** Whoever writes such files writes them once: their state never changes, wherever they are. */
class StoredFile implements DiskFileSource {
  readonly name: string;
  readonly type: string;
  readonly state: DiskFileSource['state'];
  readonly sealed?: SealedBytes;
  readonly #id: number;
  readonly #files: BlobFiles;

  constructor({ id, path, sealed }: BlobFile, files: BlobFiles, { name = '', type }: BlobData) {
    const { size, mtimeMs, ino, dev } = fs.statSync(path);
    this.#id = id;
    this.#files = files;
    this.name = name;
    this.type = type;
    this.state = { size, mtimeMs, ino, dev };
    if (sealed !== undefined) this.sealed = sealed;
  }

  get path(): string {
    return this.#files.whereabouts(this.#id);
  }
}

/** A Blob that reads from the disk is of a class of its own; whoever stored one of the platform's gets one of those. */
function withPrototype<T extends Blob>(blob: T, prototype: object): T {
  for (const name of readers) {
    const value: unknown = Reflect.get(blob, name);
    if (value !== Reflect.get(prototype, name)) define(blob, name, { value, writable: true, configurable: true });
  }
  return Object.setPrototypeOf(blob, prototype) as T;
}

const readers = ['arrayBuffer', 'bytes', 'text', 'stream', 'slice'] as const;

function requireBlobData(data: unknown): BlobData {
  const { place, type, name, lastModified } = (data ?? {}) as Partial<BlobData>;
  const isOfFile = (name === undefined || typeof name === 'string') && (lastModified === undefined || typeof lastModified === 'number');
  if (typeof place !== 'number' || typeof type !== 'string' || !isOfFile) throw new ValueDamagedError('a Blob lacks what it must have');
  return data as BlobData;
}
