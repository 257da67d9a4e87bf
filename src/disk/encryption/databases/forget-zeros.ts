import fs from 'node:fs';
import { HEADER_BYTES } from '../files/grid.ts';

/** A journal whose beginning a machine that stopped has left as zeros has nothing in it: it was not synced yet. */
export function forgetZeros(descriptor: number): void {
  const { size } = fs.fstatSync(descriptor);
  if (size === 0) return;
  const head = new Uint8Array(HEADER_BYTES);
  fs.readSync(descriptor, head, 0, HEADER_BYTES, 0);
  if (head.every((byte) => byte === 0)) fs.ftruncateSync(descriptor, 0);
}
