import { createHash, randomFillSync } from 'node:crypto';
import fs from 'node:fs';
import { uptime, wallClock } from '../../runtime/timers.ts';

const DEVICE = '/dev/urandom';

/**
 * Up to 32 bytes for keys. A runtime's own random numbers have their state in memory, and a machine that is resumed
 * twice from one image would draw the same key twice; so the kernel is asked too, and the clock, and what either knows
 * is enough.
 */
export function entropy(length: number): Uint8Array {
  const own = randomFillSync(new Uint8Array(32));
  const kernel = fromKernel();
  const digest = createHash('sha256').update(own).update(kernel).update(`${uptime()} ${wallClock()} ${process.pid}`).digest();
  own.fill(0);
  kernel.fill(0);
  const bytes = Uint8Array.from(digest.subarray(0, length));
  digest.fill(0);
  return bytes;
}

/** Empty where there is no such device, or it cannot be had now. */
function fromKernel(): Uint8Array {
  const bytes = new Uint8Array(32);
  try {
    const descriptor = fs.openSync(DEVICE, 'r');
    try {
      return bytes.subarray(0, fs.readSync(descriptor, bytes));
    } finally {
      fs.closeSync(descriptor);
    }
  } catch {
    return new Uint8Array(0);
  }
}
