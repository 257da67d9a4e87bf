import { define } from './define.ts';
import { runtime } from './runtime.ts';

/**
 * Node rejects a write to a stream that is closing (and, in version 20, closed) with an internal assertion; the
 * Streams Standard wants a TypeError. https://streams.spec.whatwg.org/#writable-stream-default-writer-write
 */
function isAssertion(error: unknown): boolean {
  return (error as { code?: unknown } | null)?.code === 'ERR_INTERNAL_ASSERTION';
}

async function correctedWrite<W>(writer: WritableStreamDefaultWriter<W>, chunk: W | undefined): Promise<void> {
  try {
    await process.getBuiltinModule('node:stream/web').WritableStreamDefaultWriter.prototype.write.call(writer, chunk);
  } catch (error) {
    throw isAssertion(error) ? new TypeError('Cannot write to a stream that is closing or closed', { cause: error }) : error;
  }
}

/** The writer itself, with the runtime's mistakes about writing after a close put right. */
export function correctedWriter<W>(writer: WritableStreamDefaultWriter<W>): WritableStreamDefaultWriter<W> {
  if (runtime !== 'node') return writer;
  return define(writer, 'write', {
    value: (chunk?: W) => correctedWrite(writer, chunk),
    writable: true,
    enumerable: false,
    configurable: true,
  });
}
