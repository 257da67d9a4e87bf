// A region that gets the key, writes until it is killed, and prints each count once it was written.
import fs from 'node:fs';
import { StorageHost } from '../../src/index.ts';
import { embeddedHub } from '../../src/sync/index.ts';

const [root = '', url = '', token = '', origin = ''] = process.argv.slice(2);
const host = new StorageHost({ root, encryption: { key: Buffer.alloc(32, 7), plain: 'migrate' }, sync: { hub: embeddedHub({ url, token }), region: 'eu' } });
const client = host.origin(origin);
const directory = await client.storage.getDirectory();
for (let count = client.localStorage.length; ; count += 1) {
  const writable = await (await directory.getFileHandle(`canary-f${count % 20}`, { create: true })).createWritable();
  await writable.write(`canary-${count}`);
  await writable.close();
  client.localStorage.setItem(`canary-k${count}`, `canary-${count}`);
  fs.writeSync(1, `${count}\n`);
  await new Promise((resolve) => setTimeout(resolve, 1));
}
