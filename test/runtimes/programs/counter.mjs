// Counts up, each step under a lock and with a turn of the event loop between reading and writing. argv: root, steps.
import process from 'node:process';
import { StorageHost } from 'holdfast';

const [root, steps] = process.argv.slice(2);
const { locks, localStorage } = new StorageHost({ root }).origin('https://app.example');
for (let step = 0; step < Number(steps); step++) {
  await locks.request('count', async () => {
    const count = Number(localStorage.getItem('count'));
    await new Promise((resolve) => setTimeout(resolve));
    localStorage.setItem('count', String(count + 1));
  });
}
