// Makes a part of an encrypted origin, and stops right before one step of that until it is told to go on.
import { Buffer } from 'node:buffer';
import fs from 'node:fs';
import '../../src/host/broadcast-channel/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { keeperOf } from './coordinators.ts';

const [root = '', hexadecimal = '', what = '', step = '', goOn = ''] = process.argv.slice(2);
const asleep = new Int32Array(new SharedArrayBuffer(4));
let hasStopped = false;

/** What is made is known by where it is made. */
const draft = what === 'channel' ? '/.new-channels-' : '/new/';

function stopAt(path: string, isIt: boolean): void {
  if (hasStopped || !isIt || !path.includes(draft)) return;
  hasStopped = true;
  fs.writeSync(3, 'stopped\n');
  while (!fs.existsSync(goOn)) Atomics.wait(asleep, 0, 0, 5);
}

const { openSync, renameSync } = fs;
fs.openSync = (path, flags, ...rest) => {
  // The key of what is to be made has been chosen.
  stopAt(String(path), step === 'file' && String(path).includes('/cand/0.') && flags === 'ax');
  return openSync(path, flags, ...rest);
};
fs.renameSync = (from, to) => {
  stopAt(String(from), step === 'place');
  renameSync(from, to);
};

const host = new StorageHost({ root, encryption: { key: Uint8Array.from(Buffer.from(hexadecimal, 'hex')) } });
const client = host.origin('https://a.example');
if (what === 'bucket') await client.storageBuckets.open('late');
if (what === 'channel') new client.BroadcastChannel('late').postMessage('late');
if (what === 'coordinator') {
  const { keeper, close } = keeperOf(host, 'Late');
  await keeper('late').set('late', 'late');
  await close();
}
fs.writeSync(3, `${String(hasStopped)}\n`);
await host.close();
