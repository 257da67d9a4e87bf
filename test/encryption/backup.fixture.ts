// Backs an encrypted origin up, again and again, until it is killed; says on descriptor 3 how far it has come.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import { StorageHost } from '../../src/index.ts';

const [root = '', backups = '', hexadecimal = ''] = process.argv.slice(2);
const host = new StorageHost({ root, encryption: { key: Uint8Array.from(Buffer.from(hexadecimal, 'hex')) } });
for (;;) {
  fs.writeSync(3, 'begun\n');
  await host.backup(backups);
}
