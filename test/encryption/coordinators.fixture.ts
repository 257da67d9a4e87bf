// Serves coordinators of an encrypted origin, and writes through them until it is killed; says on descriptor 3 how far it has come.
import fs from 'node:fs';
import { StorageHost } from '../../src/host/storage-host.ts';
import { Keeper } from './coordinators.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';

const [root = '', key = '', canary = ''] = process.argv.slice(2);
const host = new StorageHost({ root, encryption: { key: Uint8Array.from(Buffer.from(key, 'hex')) } });
const coordinators = new Coordinators(host, { [canary]: Keeper }, { suspectAfter: 1_000 });

for (let round = 0; ; round += 1) {
  const keeper = coordinators.get('https://a.example', canary, `${canary} ${round % 3}`) as unknown as Keeper;
  const version = await keeper.count();
  await keeper.set(canary, `${canary} ${version} `.repeat(500 + (round % 4) * 1_000));
  await keeper.writeFile(`${canary} file`, `${canary} ${version} `.repeat(1_000));
  await keeper.setAlarm(Date.now() + 3 + (round % 5));
  await Promise.resolve(keeper.fail(`${canary} ${version}`)).catch(() => undefined);
  fs.writeSync(3, `${round % 3} ${version}\n`);
}
