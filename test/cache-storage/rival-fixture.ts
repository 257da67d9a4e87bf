// Puts and deletes what others put and delete at the same time. Each response says what its body is to be.
import { encrypted } from '../support/sealed.ts';
import process from 'node:process';
import { StorageHost } from '../../src/host/storage-host.ts';

const [, , root = '', tag = ''] = process.argv;
const host = new StorageHost({ root, ...encrypted });
const cache = await host.origin('https://app.example').caches.open('shared');

function response(round: number): Response {
  const times = round % 5 === 0 ? 20_000 : round % 50;
  const own = `${tag}-${round}`;
  return new Response(`${own};`.repeat(times), { headers: { 'x-tag': own, 'x-times': String(times) } });
}

for (let round = 0; round < 150; round += 2) {
  const url = `https://a.example/${round % 6}`;
  await Promise.all([cache.put(url, response(round)), cache.put(url, response(round + 1))]);
  const found = await cache.match(url);
  if (found !== undefined) {
    const text = await found.text();
    if (text !== `${found.headers.get('x-tag')};`.repeat(Number(found.headers.get('x-times')))) throw new Error(`a mix: ${text.slice(0, 100)}`);
  }
  if (round % 7 === 0) await cache.delete(url);
}
await host.close();
process.exit(0);
