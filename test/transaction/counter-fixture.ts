/** A process that counts in transactions: as often as it is told, each time by one, and beside it what must equal it. */
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';

const [root = '', times = '0'] = process.argv.slice(2);
const host = new StorageHost({ root, ...encrypted });
const client = host.origin('https://app.example');
for (let left = Number(times); left > 0; left--) {
  client.transaction((storage) => {
    const next = String(Number(storage.getItem('count') ?? 0) + 1);
    storage.setItem('count', next);
    storage.setItem('twin', next);
  });
}
await host.close();
