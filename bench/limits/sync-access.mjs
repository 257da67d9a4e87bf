// The bare system calls.
import fs from 'node:fs';
import { join } from 'node:path';
import { transfers } from '../areas/sync-access.mjs';

export function operations(root) {
  const descriptor = fs.openSync(join(root, 'limit'), 'w+');
  fs.writeSync(descriptor, new Uint8Array(16 * 2 ** 20).fill(2));
  const handle = {
    read: (view, { at }) => fs.readSync(descriptor, view, 0, view.length, at),
    write: (view, { at }) => fs.writeSync(descriptor, view, 0, view.length, at),
    getSize: () => fs.fstatSync(descriptor).size,
  };
  return {
    ...transfers(handle),
    open: (n) => {
      for (let i = 0; i < n; i += 1) fs.closeSync(fs.openSync(join(root, 'limit'), 'r+'));
    },
  };
}
