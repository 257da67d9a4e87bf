// The same input and output with node:fs alone: a new file, a rename over the old one; a bare readFile.
import fs from 'node:fs';
import fsp from 'node:fs/promises';
import { join } from 'node:path';

const small = new Uint8Array(4096).fill(1);
const large = new Uint8Array(2 ** 20).fill(2);

export function operations(root) {
  const at = (name) => join(root, name);
  fs.mkdirSync(at('many'));
  for (let i = 0; i < 10_000; i += 1) fs.writeFileSync(at(`many/f${i}`), '');
  fs.writeFileSync(at('small'), small);
  fs.writeFileSync(at('large'), large);
  let counter = 0;

  const write = async (bytes, target) => {
    const file = await fsp.open(at('swap'), 'w');
    await file.write(bytes);
    await file.close();
    await fsp.rename(at('swap'), at(target));
  };
  // The standard has getFileHandle() make the file before anything is written, so the rename goes over it here too.
  const create = (bytes) => {
    const target = `n${(counter += 1)}`;
    fs.closeSync(fs.openSync(at(target), 'wx'));
    return write(bytes, target);
  };
  const repeat = (call) => async (n) => {
    for (let i = 0; i < n; i += 1) await call(i);
  };
  return {
    replace4k: repeat(() => write(small, 'small')),
    create4k: repeat(() => create(small)),
    replace1m: repeat(() => write(large, 'large')),
    create1m: repeat(() => create(large)),
    text4k: repeat(() => fsp.readFile(at('small'), 'utf8')),
    buffer1m: repeat(() => fsp.readFile(at('large'))),
    nameCreate: repeat(() => fs.closeSync(fs.openSync(at(`c${(counter += 1)}`), 'wx'))),
    nameExisting: repeat((i) => fs.lstatSync(at(`many/f${i % 10_000}`))),
    iterate: async () => {
      for await (const _ of await fsp.opendir(at('many')));
    },
    removeEntry: {
      prepare: (n) => {
        for (let i = 0; i < n; i += 1) fs.writeFileSync(at(`r${i}`), '');
      },
      run: repeat((i) => fs.unlinkSync(at(`r${i}`))),
    },
    removeTree: {
      prepare: () => {
        fs.mkdirSync(at('tree'));
        for (let i = 0; i < 10_000; i += 1) fs.writeFileSync(at(`tree/f${i}`), '');
      },
      run: () => fsp.rename(at('tree'), at(`trash${(counter += 1)}`)),
    },
  };
}
