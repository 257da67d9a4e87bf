import fs from 'node:fs';
import { createCipheriv, randomFillSync } from 'node:crypto';
import { IV_BYTES } from './grid.ts';

/** Where the system gives random bytes; undefined: not asked yet, null: it does not. */
let device: number | null | undefined;

/** Of this realm only: it hides what an IV is made of, and keeps different things different. */
const mixer = createCipheriv('aes-256-ecb', randomFillSync(new Uint8Array(32)), null).setAutoPadding(false);

let drawn = 0;

/**
 * IVs of 16 bytes for so many blocks, one behind the other. They are drawn when they are needed, from the kernel: what
 * the runtime has in memory, a virtual machine that is resumed twice has twice. To each is added the time and a number,
 * and a block cipher keeps all of them apart: in one realm no two are ever equal, whatever the source gives.
 */
export function drawIvs(count: number): Uint8Array {
  const input = new Uint8Array(count * IV_BYTES);
  if (!fillFromSystem(input)) randomFillSync(input);
  const [seconds, nanoseconds] = process.hrtime();
  for (let at = 0; at < input.length; at += IV_BYTES) mix(input, at, seconds, nanoseconds, (drawn += 1));
  return mixer.update(input);
}

/** Adds two words of time and two of a number to 16 bytes. */
function mix(bytes: Uint8Array, at: number, seconds: number, nanoseconds: number, number: number): void {
  addWord(bytes, at, seconds);
  addWord(bytes, at + 4, nanoseconds);
  addWord(bytes, at + 8, number / 2 ** 32);
  addWord(bytes, at + 12, number);
}

function addWord(bytes: Uint8Array, at: number, word: number): void {
  for (let index = 0; index < 4; index++) bytes[at + index] = (bytes[at + index] ?? 0) ^ (word >>> (8 * index));
}

/** False where there is no such device, or it cannot be had now. */
function fillFromSystem(bytes: Uint8Array): boolean {
  try {
    device ??= openDevice();
    return device !== null && fs.readSync(device, bytes, 0, bytes.length, null) === bytes.length;
  } catch {
    return false;
  }
}

function openDevice(): number | null {
  try {
    return fs.openSync('/dev/urandom', 'r');
  } catch {
    return null;
  }
}
