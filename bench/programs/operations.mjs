// What an operator does to a root of files of 1 MiB and of small items. Prints one figure as JSON.
import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { StorageHost } from 'holdfast';

const [step, directory, count = '0', more = ''] = process.argv.slice(2);
const root = join(directory, 'root');
const origin = 'https://operations.example';
const MIB = 2 ** 20;
/** What an item's record takes beside its value, in bytes. */
const FRAME = 60;

const milliseconds = async (body) => {
  const start = performance.now();
  const result = await body();
  return { milliseconds: performance.now() - start, ...result };
};

/** Bytes that nothing compresses, the same for each file and turn. */
function noise(seed) {
  const bytes = new Uint32Array(MIB / 4);
  for (let at = 0, state = seed + 1; at < bytes.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return new Uint8Array(bytes.buffer);
}

async function write(host, names, turn) {
  const files = await host.origin(origin).storage.getDirectory();
  for (const name of names) {
    const writable = await (await files.getFileHandle(`f${name}`, { create: true })).createWritable();
    await writable.write(noise(name + turn * 1_000_003));
    await writable.close();
  }
}

const every = Array.from({ length: Number(count) }, (_, index) => index);
const readSoFar = async () => Number(/^rchar: (\d+)$/m.exec(await readFile('/proc/self/io', 'utf8'))?.[1] ?? NaN);

const steps = {
  fill: async (host) => {
    const { localStorage } = host.origin(origin);
    for (let index = 0; index < 2_000; index += 1) localStorage.setItem(`key ${index}`, `${index}`.padEnd(1_000, '.'));
    await write(host, every, 0);
  },
  /** Origins whose journals take so many MiB together; `more`: bytes of an item. */
  journals: (host) => {
    for (let index = 0; index < Math.max(1, Number(count)); index += 1) {
      const { localStorage } = host.origin(`https://${index}.example`);
      const items = count === '0' ? 1 : Math.floor((0.95 * MIB) / (FRAME + Number(more)));
      for (let item = 0; item < items; item += 1) localStorage.setItem(`key ${item}`, `${item}`.padEnd(Number(more), '.'));
    }
  },
  // One in a hundred.
  change: (host) => write(host, every.filter((index) => index % 100 === 0), Date.now() % 100_000),
  backup: (host) =>
    milliseconds(async () => {
      const before = await readSoFar();
      const { read, problems } = await host.backup(join(directory, 'backups'));
      if (problems.length > 0) throw new Error(problems[0].message);
      return { changed: read.bytes, all: (await readSoFar()) - before };
    }),
  export: (host) =>
    milliseconds(async () => pipeline(await host.exportOrigin(origin), createWriteStream(join(directory, 'archive.tar')))),
  import: async () => {
    const target = new StorageHost({ root: join(directory, `imported ${Date.now()}`) });
    const figure = await milliseconds(async () => void (await target.importOrigin(createReadStream(join(directory, 'archive.tar'), { highWaterMark: MIB / 4 }))));
    await target.close();
    return figure;
  },
  verify: () =>
    milliseconds(async () => {
      execFileSync(process.execPath, [more, 'verify', '--root', root], { stdio: 'ignore' });
    }),
};

await mkdir(directory, { recursive: true });
const host = new StorageHost({ root, quota: { localStorage: 64 * MIB } });
const figure = await steps[step](host);
await host.close();
console.log(JSON.stringify(figure ?? {}));
