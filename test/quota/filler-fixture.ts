// Fills the origin with one file of its own until the quota says no, several times; then says how much it has.
import process from 'node:process';
import { StorageHost } from '../../src/host/storage-host.ts';

const [root = '', quota = '', name = '', step = ''] = process.argv.slice(2);
const host = new StorageHost({ root, quota: Number(quota) });
const directory = await host.origin('https://app.example').storage.getDirectory();
const file = await directory.getFileHandle(name, { create: true });
const handle = await file.createSyncAccessHandle();
const bytes = new Uint8Array(Number(step));

let refusal: unknown = null;
process.on('message', (message) => {
  if (message === 'fill') process.send?.({ size: fill(), refusal });
  else void host.close().then(() => process.exit(0));
});
process.send?.('ready');

function fill(): number {
  for (;;) {
    const at = handle.getSize();
    try {
      handle.write(bytes, { at });
    } catch (error) {
      const { name: kind, quota: limit, requested } = error as QuotaError;
      refusal = { kind, limit, requested };
      return at;
    }
  }
}

interface QuotaError {
  readonly name: string;
  readonly quota: number;
  readonly requested: number;
}
