// Streams a sparse file of 2 GiB and prints the bytes read and by how many MiB the memory grew at most.
import fs from 'node:fs';
import { directory, fileOf, write } from './scenarios.ts';

const SIZE = 2 ** 31;
const path = write('');
fs.truncateSync(path, SIZE);
fs.writeFileSync(`${path}.small`, Buffer.alloc(2 ** 20));

const rss = (): number => process.memoryUsage.rss();
await read(`${path}.small`); // what the first stream loads is not its memory
const before = rss();
const { bytes, highest } = await read(path);
fs.rmSync(directory, { recursive: true });
console.log(JSON.stringify({ bytes, grown: (highest - before) / 2 ** 20 }));

async function read(file: string): Promise<{ bytes: number; highest: number }> {
  let [bytes, chunks, highest] = [0, 0, 0];
  const sink = new WritableStream<Uint8Array>({
    write: (chunk) => {
      bytes += chunk.byteLength;
      if ((chunks += 1) % 16 === 0) highest = Math.max(highest, rss());
    },
  });
  await ((await fileOf(file)).stream() as ReadableStream<Uint8Array>).pipeTo(sink);
  return { bytes, highest };
}
