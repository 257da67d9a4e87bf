// One step of a program's life with happy-opfs. argv: the step.
import process from 'node:process';
import { install } from 'holdfast';
import * as opfs from 'happy-opfs';

install({ root: process.env.HOLDFAST_ROOT, origin: process.env.HOLDFAST_ORIGIN, exposure: 'window' });

const sorted = (list) => list.toSorted((a, b) => (a < b ? -1 : 1));

async function tree() {
  const entries = [];
  for await (const { path, handle } of (await opfs.readDir('/', { recursive: true })).unwrap()) entries.push(`${handle.kind} ${path}`);
  return sorted(entries.filter((entry) => !entry.startsWith('directory tmp')));
}

const steps = {
  async fill() {
    (await opfs.mkdir('/docs/old')).unwrap();
    (await opfs.writeFile('/docs/a.txt', 'first')).unwrap();
    (await opfs.appendFile('/docs/a.txt', ', second')).unwrap();
    (await opfs.writeFile('/docs/old/large.bin', new Uint8Array(5_000_000).fill(7))).unwrap();
    (await opfs.writeJsonFile('/docs/data.json', { list: [1, 2, 3] })).unwrap();
    (await opfs.copy('/docs', '/copy')).unwrap();
    (await opfs.move('/copy/a.txt', '/copy/b.txt')).unwrap();
    (await opfs.writeFile('/stream.txt', new Blob(['from a ', 'stream']).stream())).unwrap();
    return tree();
  },

  async query() {
    const large = (await opfs.readFile('/copy/old/large.bin')).unwrap();
    return {
      text: (await opfs.readTextFile('/copy/b.txt')).unwrap(),
      data: (await opfs.readJsonFile('/docs/data.json')).unwrap(),
      large: [large.byteLength, new Uint8Array(large)[4_999_999]],
      stream: (await opfs.readTextFile('/stream.txt')).unwrap(),
      missing: (await opfs.readTextFile('/none')).unwrapErr().name,
      exists: [(await opfs.exists('/docs')).unwrap(), (await opfs.exists('/docs/none')).unwrap()],
    };
  },

  async remove() {
    (await opfs.emptyDir('/docs')).unwrap();
    for (const name of ['/copy', '/stream.txt']) (await opfs.remove(name)).unwrap();
    return tree();
  },
};

console.log(JSON.stringify(await steps[process.argv[2]]()));
