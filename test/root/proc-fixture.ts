// Uses a root, and the root of a hub, where no directory can be made though none is said to be missing.
import { StorageHost } from '../../src/host/storage-host.ts';
import { startHub } from '../../src/sync/hubs/embedded/start-hub.ts';

const root = '/proc/holdfast/deep/root';

try {
  new StorageHost({ root }).origin('https://app.example').localStorage.setItem('key', 'value');
} catch (error) {
  const { name, cause } = error as Error & { cause: { code: string } };
  console.log(name, cause.code);
}

try {
  await startHub({ root, token: 'a-token-that-is-long-enough-for-this' });
} catch (error) {
  console.log((error as { code: string }).code);
}
process.exit();
