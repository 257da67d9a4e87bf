// Encrypts an origin, or gives it another data key and all its files too, and writes down what happened to the disk.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import '../../src/host/caches/provided.ts';
import '../../src/host/encryption/provided.ts';
import '../../src/host/indexed-db/provided.ts';
import '../../src/host/storage-buckets/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { DiskLog } from '../crash/support/disk-log.ts';
import { handleCalls } from '../crash/support/fault-layer.ts';
import { ORIGIN, Versions, type Work } from './power-loss-work.ts';

const [work = '', directory = '', outcome = '', hexadecimal = '', rounds = '0', durability = 'strict'] = process.argv.slice(2);
const options = {
  root: path.join(directory, 'root'),
  durability: durability as 'strict' | 'relaxed',
  encryption: { key: Uint8Array.from(Buffer.from(hexadecimal, 'hex')), plain: (work as Work) === 'encrypt' ? 'migrate' : 'refuse' },
} as const;

async function change(host: StorageHost): Promise<void> {
  await (work === 'encrypt' ? host.encrypt(ORIGIN) : host.rekey(ORIGIN, { dataKey: true, files: true }));
}

/** What waits for others who are at it. */
async function tryToChange(host: StorageHost): Promise<void> {
  try {
    await change(host);
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'root-busy') throw error;
  }
}

const log = new DiskLog(directory);
log.adopt();
log.mark('prepared');
handleCalls(directory, { after: (call, result) => log.note(call, result) });
const [host, other] = [new StorageHost(options), new StorageHost({ ...options, durability: 'strict' })];
if (Number(rounds) > 0) {
  const writing = new Versions(other.origin(ORIGIN)).write(Number(rounds), () => log.mark('acknowledged'));
  await tryToChange(host);
  await writing;
}
await change(host);
log.mark('acknowledged');
handleCalls(directory, null);
fs.writeFileSync(outcome, JSON.stringify(log.history));
process.exit(0);
