// Opens a writable, writes to it, and closes it when its parent says so.
import process from 'node:process';
import { StorageHost } from '../../../src/host/storage-host.ts';
import { encrypted } from '../../support/sealed.ts';
import { origin } from './scenarios.ts';

const [root = '', name = ''] = process.argv.slice(2);
const host = new StorageHost({ root, ...encrypted });
const directory = await host.origin(origin).storage.getDirectory();
const file = await directory.getFileHandle(name, { create: true });
const writable = await file.createWritable();
await writable.write(`written by the process of ${name}`);
process.once('message', () => {
  void writable.close().then(() => host.close()).then(() => process.exit(0));
});
process.send?.('open');
