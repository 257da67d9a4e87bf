// Writes 20 items under a name and holds a lock, and tells how many items there are.
import { StorageHost } from '../../src/index.ts';

const [root = '', name = ''] = process.argv.slice(2);
const host = new StorageHost({ root });
const client = host.origin('https://app.example');
const granted = await client.locks.request('turn', () => {
  for (let index = 0; index < 20; index++) client.localStorage.setItem(`${name} ${index}`, 'v');
  return true;
});
console.log(JSON.stringify({ items: client.localStorage.length, granted }));
await host.close();
