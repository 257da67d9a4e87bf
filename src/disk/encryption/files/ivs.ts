import fs from 'node:fs';
import { createCipheriv, randomFillSync } from 'node:crypto';
import { IV_BYTES } from './grid.ts';

/** Where the system gives random bytes; undefined: not asked yet, null: it does not. */
let device: number | null | undefined;

/** Of this realm only: it hides what an IV is made of, and keeps different things different. */
const mixer = createCipheriv('aes-256-ecb', randomFillSync(new Uint8Array(32)), null).setAutoPadding(false);

let drawn = 0;

/** What IVs are made of, as bytes and as words. */
interface Room {
  readonly bytes: Uint8Array;
  readonly words: Uint32Array;
}

/** For so many IVs at a time, used again: small memory that is new is moved out of the heap before the system can fill it. */
const rooms: Room[] = [];

/**
 * IVs of 16 bytes for so many blocks, one behind the other. They are drawn when they are needed, from the kernel: what
 * the runtime has in memory, a virtual machine that is resumed twice has twice. To each is added the time and a number,
 * and a block cipher keeps all of them apart: in one realm no two are ever equal, whatever the source gives.
 */
export function drawIvs(count: number): Uint8Array {
  const { bytes: input, words } = (rooms[count] ??= roomOf(count));
  if (!fillFromSystem(input)) randomFillSync(input);
  const [seconds, nanoseconds] = process.hrtime();
  for (let at = 0; at < words.length; at += 4) mix(words, at, seconds, nanoseconds, (drawn += 1));
  return mixer.update(input);
}

function roomOf(count: number): Room {
  const bytes = new Uint8Array(count * IV_BYTES);
  return { bytes, words: new Uint32Array(bytes.buffer) };
}

/** Adds two words of time and two of a number to 16 bytes. */
function mix(words: Uint32Array, at: number, seconds: number, nanoseconds: number, number: number): void {
  addWord(words, at, seconds);
  addWord(words, at + 1, nanoseconds);
  addWord(words, at + 2, number / 2 ** 32);
  addWord(words, at + 3, number);
}

function addWord(words: Uint32Array, at: number, word: number): void {
  words[at] = (words[at] ?? 0) ^ word;
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
