import { createRequire } from 'node:module';
import { HoldfastError, StorageHost, type StorageHostOptions } from '../../src/index.ts';

// Tells after which of its steps proper-lockfile is loaded.

const [, , root = '', json = ''] = process.argv;

function isLoaded(): boolean {
  return Object.keys(createRequire(import.meta.url).cache).some((file) => file.includes('proper-lockfile'));
}

async function steps(): Promise<unknown> {
  const client = new StorageHost({ root, ...(JSON.parse(json) as Partial<StorageHostOptions>) }).origin('https://app.example');
  const made = isLoaded();
  client.localStorage.getItem('k');
  const read = isLoaded();
  client.localStorage.setItem('k', 'v');
  const written = isLoaded();
  await client.locks.request('l', () => {});
  return { made, read, written, locked: isLoaded() };
}

try {
  console.log(JSON.stringify(await steps()));
} catch (error) {
  if (!(error instanceof HoldfastError)) throw error;
  console.log(JSON.stringify({ code: error.code, message: error.message }));
}
