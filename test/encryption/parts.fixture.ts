// Writes into caches, named buckets and channels of an encrypted origin until it is killed; says on descriptor 3 how far it has come.
import fs from 'node:fs';
import '../../src/host/broadcast-channel/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';

const [root = '', key = '', canary = '', from = '0'] = process.argv.slice(2);
const host = new StorageHost({ root, encryption: { key: Uint8Array.from(Buffer.from(key, 'hex')) } });
const client = host.origin('https://a.example');
const channel = new client.BroadcastChannel(`${canary} channel`);
new client.BroadcastChannel(`${canary} channel`).onmessage = () => undefined;

for (let version = Number(from) + 1; ; version += 1) {
  const text = `${canary} ${version} `;
  const bucket = await client.storageBuckets.open(`${canary}${version % 3}`);
  for (const caches of [client.caches, bucket.caches]) {
    const cache = await caches.open(`${canary} cache`);
    await cache.put(`https://a.example/${canary}`, new Response(`${text}${canary.repeat(2_000 + (version % 5) * 1_500)}${text}`, { headers: { x: canary } }));
  }
  const writable = await (await (await bucket.getDirectory()).getFileHandle(`${canary} file`, { create: true })).createWritable();
  await writable.write(text.repeat(500));
  await writable.close();
  channel.postMessage([text, new Blob([text.repeat(1_000)])]);
  fs.writeSync(3, `${version}\n`);
  if (version % 4 === 0) await client.storageBuckets.delete(`${canary}${version % 3}`);
}
