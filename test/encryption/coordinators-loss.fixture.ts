// Encrypts an origin that has coordinators, and writes down what happened to the disk.
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { DiskLog } from '../crash/support/disk-log.ts';
import { handleCalls } from '../crash/support/fault-layer.ts';

const [directory = '', outcome = '', key = ''] = process.argv.slice(2);

const log = new DiskLog(directory);
log.adopt();
log.mark('prepared');
handleCalls(directory, { after: (call, result) => log.note(call, result) });
const host = new StorageHost({ root: path.join(directory, 'root'), durability: 'relaxed', encryption: { key: Uint8Array.from(Buffer.from(key, 'hex')), plain: 'migrate' } });
await host.encrypt('https://a.example');
log.mark('acknowledged');
handleCalls(directory, null);
fs.writeFileSync(outcome, JSON.stringify(log.history));
process.exit(0);
