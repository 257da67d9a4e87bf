// Puts a response whose body does not end before it is told to.
import { encrypted } from '../support/sealed.ts';
import process from 'node:process';
import { StorageHost } from '../../src/host/storage-host.ts';

const [, , root = ''] = process.argv;
const { caches } = new StorageHost({ root, ...encrypted }).origin('https://app.example');
const cache = await caches.open('a');
let end = (): void => undefined;
const ended = new Promise<void>((resolve) => (end = resolve));
let isFirst = true;
const body = new ReadableStream<Uint8Array>({
  async pull(controller) {
    if (isFirst) {
      isFirst = false;
      return controller.enqueue(new Uint8Array(300_000));
    }
    process.send?.('storing');
    await ended;
    controller.enqueue(new Uint8Array(3));
    controller.close();
  },
}, { highWaterMark: 0 });
process.on('message', end);
await cache.put('https://a.example/page', new Response(body));
process.send?.('stored');
