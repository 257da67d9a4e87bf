// Works with the coordinators of an origin that is plain, or being encrypted, until it is killed; says on descriptor 3 how far it has come.
import fs from 'node:fs';
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import { Keeper } from './coordinators.ts';

const [work = '', root = '', key = '', canary = ''] = process.argv.slice(2);
const origin = 'https://a.example';
const encryption = { key: Uint8Array.from(Buffer.from(key, 'hex')), plain: 'migrate' } as const;
const host = new StorageHost({ root, ...(work !== 'fill' && { encryption }) });

const keeperOf = (coordinators: Coordinators, name: string): Keeper => coordinators.get(origin, canary, name) as unknown as Keeper;

/** One of two has a name that no directory takes. */
const names = [canary, canary.repeat(20)];

async function write(coordinators: Coordinators, round: number): Promise<void> {
  const at = round % names.length;
  const keeper = keeperOf(coordinators, names[at] ?? '');
  const version = await keeper.count();
  await keeper.set(canary, `${canary} ${version} `.repeat(300));
  await keeper.writeFile(`${canary} file`, `${canary} ${version} `.repeat(300));
  await keeper.setAlarm(Date.now() + 3 + (round % 5));
  fs.writeSync(3, `${at} ${version}\n`);
}

if (work === 'encrypt') {
  fs.writeSync(3, 'begun\n');
  await host.encrypt(origin);
} else {
  const coordinators = new Coordinators(host, { [canary]: Keeper }, { suspectAfter: 1_000 });
  for (let round = 0; work === 'write' || round < 8; round += 1) await write(coordinators, round);
  // Of a coordinator that nobody calls.
  for (let n = 0; n < 12; n += 1) await keeperOf(coordinators, `${canary} rest ${n}`).set(canary, canary);
  await coordinators.close();
}
await host.close();
