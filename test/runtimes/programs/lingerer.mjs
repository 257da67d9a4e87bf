// Leaves things behind that must not keep a process alive, or waits for a lock, which must. argv: root, which.
import process from 'node:process';
import { StorageHost } from 'holdfast';

const [root, which] = process.argv.slice(2);
const app = new StorageHost({ root }).origin('https://app.example');
if (which === 'idle') {
  app.addEventListener('storage', () => undefined);
  app.localStorage.setItem('left', 'behind');
  await app.storage.getDirectory().then((directory) => directory.getFileHandle('left', { create: true }));
  await new Promise((resolve) => {
    app.locks.request('held for ever', () => {
      resolve();
      return new Promise(() => undefined);
    }).catch(() => undefined);
  });
} else {
  app.locks.request('a', () => console.log('granted')).catch((error) => console.log(error));
}
