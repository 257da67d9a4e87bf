import { runtime } from './runtime.ts';

/** Undefined in Node 20; elsewhere than in V8 it gains nothing. */
const transfer = runtime === 'bun' ? undefined : (ArrayBuffer.prototype as { transfer?: (length: number) => ArrayBuffer }).transfer;

/**
 * Frees the memory of bytes that nobody looks at again, where the runtime can do that: so what is made next gets the same
 * memory, which the processor still has at hand. Left to be collected, tens of megabytes come together first, and each
 * new piece is memory that is cold. Bytes that are a part of a larger piece of memory are left alone.
 * https://tc39.es/ecma262/#sec-arraybuffer.prototype.transfer
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (transfer !== undefined && buffer.byteLength === byteLength) transfer.call(buffer, 0);
}
