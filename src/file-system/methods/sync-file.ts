import type { Content } from '../../disk/tree/content.ts';
import { NO_ACCOUNT, OverQuotaError } from '../../disk/quota/ledger.ts';
import { isObject } from '../../runtime/brands.ts';
import { fdatasync } from '../../runtime/descriptor-calls.ts';
import { isBeyondSizeLimit } from '../../runtime/size-limit.ts';
import { allowSharedBufferSource, bytesOf } from '../../webidl/buffers.ts';
import { enforcedUnsignedLongLong } from '../../webidl/integers.ts';
import { requireArguments } from '../../webidl/interface.ts';
import type { SyncAccess } from '../sync-access.ts';

const interfaceName = 'FileSystemSyncAccessHandle';
const READ = `Failed to execute 'read' on '${interfaceName}'`;
const WRITE = `Failed to execute 'write' on '${interfaceName}'`;
const TRUNCATE = `Failed to execute 'truncate' on '${interfaceName}'`;
const GET_SIZE = `Failed to execute 'getSize' on '${interfaceName}'`;
const FLUSH = `Failed to execute 'flush' on '${interfaceName}'`;

/** The dictionary's `at`, converted by hand because this runs on every read and write. */
function convertAt(options: unknown, context: string): number | undefined {
  if (options === undefined || options === null) return undefined;
  if (!isObject(options)) throw new TypeError(`${context}: parameter 2 is not an object.`);
  const { at } = options as { at?: unknown };
  return at === undefined ? undefined : enforcedUnsignedLongLong(at, context);
}

/**
 * Writes the rest after a short count, which a full disk gives. What was written counts; only when that is nothing is
 * there an error.
 */
function writeRest(content: Content, bytes: Uint8Array, written: number, position: number): number {
  try {
    return written + content.write(bytes.subarray(written), position + written);
  } catch (error) {
    if (written > 0) return written;
    throw error;
  }
}

/** Hardly any disk has positions beyond this: a quota is not the reason to give for one. */
const FARTHEST = 2 ** 44;

function isTooFar(error: unknown, position: number): boolean {
  return position > FARTHEST && error instanceof OverQuotaError;
}

/**
 * The methods of FileSystemSyncAccessHandle, each one system call of a file that is not encrypted. The first parameter is how many arguments the method
 * was given.
 */
export class SyncFile {
  readonly #access: SyncAccess;
  /** https://fs.spec.whatwg.org/#filesystemsyncaccesshandle-file-position-cursor */
  #cursor = 0;

  constructor(access: SyncAccess) {
    this.#access = access;
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-read */
  read(given: number, buffer: unknown, options: unknown): number {
    requireArguments(given, 1, interfaceName, 'read');
    const source = allowSharedBufferSource(buffer, READ);
    const position = convertAt(options, READ) ?? this.#cursor;
    const bytes = bytesOf(source);
    const content = this.#access.content(READ);
    try {
      const count = content.read(bytes, position);
      this.#cursor = count > 0 ? position + count : Math.min(position, content.size());
      this.#access.read(count);
      return count;
    } catch (error) {
      throw this.#access.failure(error, 'read', READ);
    }
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-write */
  write(given: number, buffer: unknown, options: unknown): number {
    requireArguments(given, 1, interfaceName, 'write');
    const source = allowSharedBufferSource(buffer, WRITE);
    const position = convertAt(options, WRITE) ?? this.#cursor;
    const bytes = bytesOf(source);
    const content = this.#access.writable(WRITE);
    const { extent } = this.#access;
    let size: number | undefined;
    try {
      if (bytes.byteLength > 0) size = extent?.cover(content.stored(position + bytes.byteLength));
      let count = content.write(bytes, position);
      if (count < bytes.byteLength) count = writeRest(content, bytes, count, position);
      if (count < bytes.byteLength) extent?.cutShort(Math.max(size ?? 0, content.stored(position + count)));
      this.#cursor = position + count;
      this.#access.written(count);
      return count;
    } catch (error) {
      if (size !== undefined) extent?.failed(size, error);
      if (isBeyondSizeLimit(error) || isTooFar(error, position)) throw new TypeError(`${WRITE}: the disk has no position ${position}.`, { cause: error });
      throw this.#access.failure(error, 'write', WRITE);
    }
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-truncate */
  truncate(given: number, newSize: unknown): void {
    requireArguments(given, 1, interfaceName, 'truncate');
    const size = enforcedUnsignedLongLong(newSize, `${TRUNCATE}: parameter 1`);
    const content = this.#access.writable(TRUNCATE);
    const { extent } = this.#access;
    let before: number | undefined;
    try {
      before = extent?.cover(content.stored(size));
      const mark = extent?.mark() ?? NO_ACCOUNT;
      content.truncate(size);
      extent?.shrunk(content.stored(size), mark);
    } catch (error) {
      if (before !== undefined) extent?.failed(before, error);
      throw this.#access.failure(error, 'write', TRUNCATE);
    }
    this.#cursor = Math.min(this.#cursor, size);
    this.#access.changed();
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-getsize */
  getSize(): number {
    const content = this.#access.content(GET_SIZE);
    try {
      return content.size();
    } catch (error) {
      throw this.#access.failure(error, 'read', GET_SIZE);
    }
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-flush */
  flush(): void {
    const descriptor = this.#access.writableDescriptor(FLUSH);
    try {
      fdatasync(descriptor, this.#access.bucket);
    } catch (error) {
      throw this.#access.failure(error, 'write', FLUSH);
    }
    this.#access.reportChanges();
  }

  /** https://fs.spec.whatwg.org/#dom-filesystemsyncaccesshandle-close */
  close(): void {
    this.#access.end();
  }
}
