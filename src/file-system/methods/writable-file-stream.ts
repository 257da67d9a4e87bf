// The methods of FileSystemWritableFileStream: what they are given is converted in the caller's turn.
import { unsignedLongLong } from '../../webidl/integers.ts';
import { requireArguments } from '../../webidl/interface.ts';
import type { FileSystemWritableFileStream } from '../writable-file-stream.ts';
import { convertChunk, WriteChunk } from '../write-chunk.ts';

export { correctedWriter } from '../../runtime/stream-writer.ts';

const interfaceName = 'FileSystemWritableFileStream';

/** The first argument of an operation, and how messages call it. */
function firstArgument(operation: string, args: readonly unknown[]): [value: unknown, context: string] {
  requireArguments(args.length, 1, interfaceName, operation);
  return [args[0], `Failed to execute '${operation}' on '${interfaceName}': parameter 1`];
}

/** Takes its turn in the stream's queue; the stream is free again at once. */
function enqueue(stream: FileSystemWritableFileStream, chunk: WriteChunk): Promise<void> {
  const writer = stream.getWriter() as WritableStreamDefaultWriter<unknown>;
  try {
    return writer.write(chunk);
  } finally {
    writer.releaseLock();
  }
}

/** https://fs.spec.whatwg.org/#dom-filesystemwritablefilestream-write */
export function write(stream: FileSystemWritableFileStream, args: readonly unknown[]): Promise<void> {
  return enqueue(stream, convertChunk(...firstArgument('write', args)));
}

/** https://fs.spec.whatwg.org/#dom-filesystemwritablefilestream-seek */
export function seek(stream: FileSystemWritableFileStream, args: readonly unknown[]): Promise<void> {
  const position = unsignedLongLong(...firstArgument('seek', args));
  return enqueue(stream, new WriteChunk({ type: 'seek', position }));
}

/** https://fs.spec.whatwg.org/#dom-filesystemwritablefilestream-truncate */
export function truncate(stream: FileSystemWritableFileStream, args: readonly unknown[]): Promise<void> {
  const size = unsignedLongLong(...firstArgument('truncate', args));
  return enqueue(stream, new WriteChunk({ type: 'truncate', size }));
}
