// npm run demo:coordinator: a booking system and its chat in four processes, of which one is killed every half second,
// a provider of payments that fails, and proof that no seat was sold twice, no payment and no message lost or doubled.
//
//   npm run demo:coordinator [-- --seconds=30]
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { StorageHost } from 'holdfast';
import { Coordinators } from 'holdfast/coordinator';
import { table } from '../demo/progress.mjs';
import { judge } from './judge.mjs';
import { Load } from './load.mjs';
import { Members } from './members.mjs';
import { Provider } from './provider.mjs';

const PROCESSES = 4;
const KILL_MS = 500;
const CUSTOMERS = 12;
const TALKERS = 4;

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '30' }, regions: { type: 'boolean', default: false } } });
if (values.regions) {
  console.error('This demo is of one root: it has no form with several regions yet. Without --regions it runs.');
  process.exit(2);
}

const folder = await mkdtemp(join(tmpdir(), 'holdfast-booking-'));
const provider = new Provider();
const members = new Members({ ROOT: join(folder, 'root'), PROVIDER: await provider.open() });
for (let n = 0; n < PROCESSES; n++) await members.add();
const host = new StorageHost({ root: join(folder, 'root') });
const coordinators = new Coordinators(host, {});
const load = new Load(coordinators);

const begin = Date.now();
const end = begin + Number(values.seconds) * 1000;
const isOver = () => Date.now() >= end;

function show() {
  const line = `${Math.round((Date.now() - begin) / 1000)} s: ${load.calls} calls, ${load.told.length} seats paid, ${provider.refusals + provider.silences} failures of the provider, ${members.kills} processes killed`;
  process.stderr.isTTY ? process.stderr.write(`\r${line}\u001b[K`) : console.error(line);
}

async function kill() {
  while (!isOver()) {
    await delay(KILL_MS);
    await members.replaceOne();
    show();
  }
}

const many = (count, work) => Array.from({ length: count }, () => work());
await Promise.all([kill(), load.reader(isOver), ...many(CUSTOMERS, () => load.customer(isOver)), ...many(TALKERS, () => load.talker(isOver))]);
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
const { sold, messages, rows } = await judge(load, provider);

await coordinators.close();
await host.close();
await members.close();
provider.close();
await rm(folder, { recursive: true });

const errors = [...load.errors].map(([outcome, count]) => `${outcome}: ${count}`).join(', ');
console.log(`${PROCESSES} processes, ${members.kills} killed; ${load.calls} calls, of which callers saw errors: ${errors || 'none'}`);
console.log(`${sold} seats of ${load.shows.length} shows sold, ${messages} messages; the provider refused ${provider.refusals} times, and was silent ${provider.silences} times\n`);
console.log(table([['shown by what callers were told', 'violations'], ...rows]));
for (const sentence of load.wrong.slice(0, 20)) console.log(`VIOLATION ${sentence}`);
if (rows.some(([, count]) => count !== 0)) process.exitCode = 1;
