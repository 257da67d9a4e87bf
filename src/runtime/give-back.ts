import { runtime } from './runtime.ts';

/** Undefined in Node 20. */
const transfer = (ArrayBuffer.prototype as { transfer?: (length: number) => ArrayBuffer }).transfer;

/** Elsewhere than in V8 it gains nothing. */
const gains = runtime !== 'bun';

/** Below that many bytes, a message costs as much as it saves. */
const WORTH_A_MESSAGE = 16 * 1024;

let nowhere: { postMessage(message: null, transfer: readonly ArrayBuffer[]): void } | undefined;

/**
 * Frees the memory of bytes that nobody looks at again: so what is made next gets the same memory, which the processor
 * still has at hand. Left to be collected, tens of megabytes come together first, and each new piece is memory that is
 * cold. Bytes that are a part of a larger piece of memory are left alone.
 * https://tc39.es/ecma262/#sec-arraybuffer.prototype.transfer
 */
export function giveBack({ buffer, byteLength }: Uint8Array): void {
  if (!gains || buffer.byteLength !== byteLength) return;
  if (transfer !== undefined) transfer.call(buffer, 0);
  else if (byteLength >= WORTH_A_MESSAGE) sendAway(buffer as ArrayBuffer);
}

/**
 * What is handed to a port that is closed is taken from here, and comes to nobody.
 * https://html.spec.whatwg.org/multipage/web-messaging.html#message-port-post-message-steps
 */
function sendAway(buffer: ArrayBuffer): void {
  nowhere ??= closedPort();
  nowhere.postMessage(null, [buffer]);
}

function closedPort(): NonNullable<typeof nowhere> {
  const { port1 } = new (process.getBuiltinModule('node:worker_threads').MessageChannel)();
  port1.close();
  return port1;
}
