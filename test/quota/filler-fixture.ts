// Fills the origin until the quota says no, several times: with one file of its own, or with items; then says how much it has.
import process from 'node:process';
import type { QuotaOption } from '../../src/host/options.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';

const [root = '', quota = '', name = '', step = ''] = process.argv.slice(2);
const host = new StorageHost({ root, quota: JSON.parse(quota) as QuotaOption, ...encrypted });
const { localStorage, storage } = host.origin('https://app.example');
const directory = await storage.getDirectory();
const file = await directory.getFileHandle(name, { create: true });
const handle = await file.createSyncAccessHandle();
const bytes = new Uint8Array(Number(step));

let refusal: unknown = null;
process.on('message', (message) => {
  if (message === 'fill') process.send?.({ size: fill(), refusal });
  else if (message === 'items') process.send?.({ size: fillItems(), refusal });
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

function fillItems(): number {
  for (let index = localStorage.length; ; index += 1) {
    try {
      localStorage.setItem(`${name}-${index}`, 'x'.repeat(bytes.length));
    } catch (error) {
      refusal = { kind: (error as QuotaError).name };
      return localStorage.length;
    }
  }
}

interface QuotaError {
  readonly name: string;
  readonly quota: number;
  readonly requested: number;
}
