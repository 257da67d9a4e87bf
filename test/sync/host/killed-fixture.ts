// A process of region eu that writes until it is killed: prints each key once `setItem` has returned.
import fs from 'node:fs';
import { StorageHost } from '../../../src/index.ts';
import { embeddedHub } from '../../../src/sync/index.ts';
import { encrypted } from '../../support/sealed.ts';

const [root = '', url = '', token = ''] = process.argv.slice(2);
const host = new StorageHost({ root, sync: { hub: embeddedHub({ url, token }), region: 'eu' }, ...encrypted });
const { localStorage } = host.origin('https://app.example');
const start = localStorage.length;
for (let count = start; ; count++) {
  localStorage.setItem(`k${count}`, 'x'.repeat(count % 300));
  fs.writeSync(1, `${count}\n`);
  // The sender has its turn: it dies with some writes sent, some under way, some pending.
  if (count % 5 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
}
