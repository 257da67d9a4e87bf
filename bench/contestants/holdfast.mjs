import { StorageHost } from 'holdfast';

export function open(root) {
  const client = new StorageHost({ root }).origin('https://bench.example');
  return { localStorage: client.localStorage, getDirectory: () => client.storage.getDirectory(), locks: client.locks };
}
