import fs from 'node:fs';

/** Writes all of `bytes` from the start of a file; one write may come back short. */
export function writeWhole(descriptor: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.byteLength; ) {
    written += fs.writeSync(descriptor, bytes, written, bytes.byteLength - written, written);
  }
}
