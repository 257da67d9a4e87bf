// The same responses as bare files: a new file, a rename over the old one; a bare readFile.
import fsp from 'node:fs/promises';
import { join } from 'node:path';

const entries = 1000;
const large = 5;
const bodies = { '1k': new Uint8Array(1024).fill(1), '1m': new Uint8Array(2 ** 20).fill(2) };

export async function operations(root) {
  const at = (size, i) => join(root, `${size}-${i}`);
  const write = async (size, i) => {
    const file = await fsp.open(join(root, 'swap'), 'w');
    await file.write(bodies[size]);
    await file.close();
    await fsp.rename(join(root, 'swap'), at(size, i));
  };
  for (let i = 0; i < entries; i += 1) await write('1k', i);
  for (let i = 0; i < large; i += 1) await write('1m', i);

  const put = (size, count) => async (n) => {
    for (let i = 0; i < n; i += 1) await write(size, i % count);
  };
  const match = (size, count) => async (n) => {
    for (let i = 0; i < n; i += 1) await fsp.readFile(at(size, (i * 37) % count));
  };
  return {
    put1k: put('1k', entries),
    match1k: match('1k', entries),
    miss: async (n) => {
      for (let i = 0; i < n; i += 1) await fsp.readFile(at('none', i)).catch(() => undefined);
    },
    put1m: put('1m', large),
    match1m: match('1m', large),
  };
}
