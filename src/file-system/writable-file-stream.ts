import { correctedWriter } from '../runtime/stream-writer.ts';
import { unsignedLongLong } from '../webidl/conversions.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import type { FileSystemWritableFileStreamMode } from './file-handle.ts';
import { convertChunk, WriteChunk } from './write-chunk.ts';
import type { FileSystemWriteChunkType } from './write-chunk.ts';

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

function contextOf(operation: string): string {
  return `Failed to execute '${operation}' on '${interfaceName}'`;
}

function defineStream(): Interface {
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
      return correctedWriter(super.getWriter());
    }

    async write(data: FileSystemWriteChunkType): Promise<void> {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      requireArguments(arguments.length, 1, interfaceName, 'write');
      await this.#enqueue(convertChunk(data, `${contextOf('write')}: parameter 1`));
    }

    async seek(position: number): Promise<void> {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      requireArguments(arguments.length, 1, interfaceName, 'seek');
      const offset = unsignedLongLong(position, `${contextOf('seek')}: parameter 1`);
      await this.#enqueue(new WriteChunk({ type: 'seek', position: offset }));
    }

    async truncate(size: number): Promise<void> {
      if (!(#mode in this)) throw illegalInvocation(interfaceName);
      requireArguments(arguments.length, 1, interfaceName, 'truncate');
      const length = unsignedLongLong(size, `${contextOf('truncate')}: parameter 1`);
      await this.#enqueue(new WriteChunk({ type: 'truncate', size: length }));
    }

    /** Takes its turn in the stream's queue; the stream is free again at once. */
    #enqueue(chunk: WriteChunk): Promise<void> {
      const writer = this.getWriter() as WritableStreamDefaultWriter<unknown>;
      try {
        return writer.write(chunk);
      } finally {
        writer.releaseLock();
      }
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
