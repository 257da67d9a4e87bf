// Uses everything that an origin has, until it is killed or kills itself; says on descriptor 3 when it has come round.
import fs from 'node:fs';
import { StorageHost } from '../../src/host/storage-host.ts';
import { marksOf, remove, Writer } from './canaries.ts';

const [place = '', key = '', seed = '', role = ''] = process.argv.slice(2);
const host = new StorageHost({ root: `${place}/root`, ...(key !== '' && { encryption: { key: Uint8Array.from(Buffer.from(key, 'hex')) } }) });
const mark = marksOf(seed);
const writer = new Writer(host, mark);

async function keepCopies(): Promise<void> {
  await host.backup(`${place}/backups`);
  const file = fs.openSync(`${place}/archive`, 'w');
  for await (const piece of await host.exportOrigin('https://a.example')) fs.writeSync(file, piece);
  fs.closeSync(file);
}

for (let round = 1; ; round += 1) {
  await writer.write(round);
  if (role === 'copies') await keepCopies();
  fs.writeSync(3, `${round}\n`);
  if (role === 'removes' && round === 2) {
    await remove(host, mark);
    process.kill(process.pid, 'SIGKILL');
  }
}
