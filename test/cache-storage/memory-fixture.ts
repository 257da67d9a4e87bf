// Puts a body of so many MiB and reads it again; says by how many MiB the process was larger meanwhile than after a small one.
import { encrypted } from '../support/sealed.ts';
import process from 'node:process';
import { StorageHost } from '../../src/host/storage-host.ts';

const [, , root = '', mebibytes = '', chunkBytes = ''] = process.argv;
const cache = await new StorageHost({ root, ...encrypted }).origin('https://app.example').caches.open('a');
const url = 'https://a.example/';
let peak = 0;
const look = (): void => void (peak = Math.max(peak, process.memoryUsage().rss));

/** The same memory again and again: what is measured is not the maker of the body. */
const chunk = new Uint8Array(Number(chunkBytes));

async function put(mebi: number): Promise<void> {
  let left = (mebi * 2 ** 20) / chunk.byteLength;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      look();
      if (left-- > 0) controller.enqueue(chunk);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  await cache.put(url, new Response(body));
}

async function size(): Promise<number> {
  const reader = (await cache.match(url))?.body?.getReader();
  let bytes = 0;
  for (let next = await reader?.read(); next?.done === false; next = await reader?.read()) {
    bytes += next.value.byteLength;
    look();
  }
  return bytes;
}

await put(32);
await size();
peak = 0;
const before = process.memoryUsage().rss;
await put(Number(mebibytes));
const grewIn = (peak - before) / 2 ** 20;
peak = 0;
const bytes = await size();
console.log(JSON.stringify({ bytes, grewIn, grewOut: (peak - before) / 2 ** 20 }));
process.exit(0);
