import { defineInterface, illegalConstructor, illegalInvocation, internal } from '../webidl/interface.ts';
import { behaviour } from './loading.ts';
import type { FileSystemWriteChunkType } from './write-chunk.ts';

/** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
export type FileSystemWritableFileStreamMode = 'siloed' | 'exclusive';

/** Where the chunks go: the underlying sink of the stream. https://streams.spec.whatwg.org/#underlying-sink-api */
export interface FileSink {
  write(chunk: unknown): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

/**
 * A stream into new data for a file, which takes the place of the old when the stream is closed.
 * https://fs.spec.whatwg.org/#api-filesystemwritablefilestream
 */
export interface FileSystemWritableFileStream extends WritableStream<FileSystemWriteChunkType> {
  /** https://github.com/whatwg/fs/blob/main/proposals/MultipleReadersWriters.md */
  readonly mode: FileSystemWritableFileStreamMode;
  /**
   * Writes bytes, text (as UTF-8) or a Blob at the cursor, or does what an object says.
   * https://fs.spec.whatwg.org/#dom-filesystemwritablefilestream-write
   *
   * Rejects with TypeError (no valid chunk, or the stream is locked, closing or closed), SyntaxError (a member is
   * missing), QuotaExceededError (the disk is full). A failed write ends the stream and leaves the file as it was.
   */
  write(data: FileSystemWriteChunkType): Promise<void>;
  /** Moves the cursor, in bytes. https://fs.spec.whatwg.org/#dom-filesystemwritablefilestream-seek */
  seek(position: number): Promise<void>;
  /** Sets the size, in bytes. https://fs.spec.whatwg.org/#dom-filesystemwritablefilestream-truncate */
  truncate(size: number): Promise<void>;
}

interface Interface {
  new (token: typeof internal, sink: FileSink, mode: FileSystemWritableFileStreamMode): FileSystemWritableFileStream;
  readonly prototype: FileSystemWritableFileStream;
}

const interfaceName = 'FileSystemWritableFileStream';

function defineStream(): Interface {
  const { WritableStream } = process.getBuiltinModule('node:stream/web');
  class FileSystemWritableFileStream extends WritableStream<FileSystemWriteChunkType> {
    readonly #mode: FileSystemWritableFileStreamMode;

    constructor(token: typeof internal, sink: FileSink, mode: FileSystemWritableFileStreamMode) {
      if (token !== internal) illegalConstructor();
      super(sink);
      this.#mode = mode;
    }

    get mode(): FileSystemWritableFileStreamMode {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      return this.#mode;
    }

    override getWriter(): WritableStreamDefaultWriter<FileSystemWriteChunkType> {
      const writer = super.getWriter();
      return #mode in this ? behaviour().writableFileStream.correctedWriter(writer) : writer;
    }

    async write(data: FileSystemWriteChunkType): Promise<void>;
    async write(...args: unknown[]): Promise<void> {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      return behaviour().writableFileStream.write(this, args);
    }

    async seek(position: number): Promise<void>;
    async seek(...args: unknown[]): Promise<void> {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      return behaviour().writableFileStream.seek(this, args);
    }

    async truncate(size: number): Promise<void>;
    async truncate(...args: unknown[]): Promise<void> {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      return behaviour().writableFileStream.truncate(this, args);
    }
  }
  defineInterface(FileSystemWritableFileStream, {
    name: interfaceName,
    attributes: ['mode'],
    operations: { write: 1, seek: 1, truncate: 1 },
  });
  return FileSystemWritableFileStream;
}

let defined: Interface | undefined;

/** The interface object, made at its first use: the mere mention of WritableStream costs a program's start 2 ms. */
export function writableFileStreamInterface(): Interface {
  return (defined ??= defineStream());
}
