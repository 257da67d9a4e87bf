// npm run demo:coordinator: a booking system and its chat in four processes, of which one is killed every half second,
// a provider of payments that fails, and proof that no seat was sold twice, no payment and no message lost or doubled.
//
//   npm run demo:coordinator [-- --seconds=30]
//   npm run demo:coordinator -- --regions [--seconds=20]   three regions over PostgreSQL, of which one loses its network
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
import { Regions } from './regions.mjs';

const PROCESSES = 4;
const KILL_MS = 500;
const CUSTOMERS = 12;
const TALKERS = 4;

const { values } = parseArgs({ options: { seconds: { type: 'string' }, regions: { type: 'boolean', default: false } } });
const seconds = Number(values.seconds ?? (values.regions ? 20 : 30));

const folder = await mkdtemp(join(tmpdir(), 'holdfast-booking-'));
const provider = new Provider();
const members = new Members({ PROVIDER: await provider.open() });
const place = values.regions ? await Regions.open(folder, members, (reason) => console.error(reason)) : await openRoot();
const load = new Load(place.callers);

/** All on one machine. */
async function openRoot() {
  const root = join(folder, 'root');
  for (let n = 0; n < PROCESSES; n++) await members.add({ ROOT: root });
  const host = new StorageHost({ root });
  const coordinators = new Coordinators(host, {});
  const close = async () => {
    await coordinators.close();
    await host.close();
  };
  return { callers: [coordinators], close, dispose: () => undefined };
}

const begin = Date.now();
const end = begin + seconds * 1000;
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

/** For more than half of the time one region is alone. */
async function cutOff() {
  await delay(seconds * 150);
  place.cut();
  await delay(seconds * 600);
  place.mend();
}

const many = (count, work) => Array.from({ length: count }, (_, who) => work(who));
await Promise.all([kill(), ...(values.regions ? [cutOff()] : []), load.reader(isOver), ...many(CUSTOMERS, (who) => load.customer(isOver, who)), ...many(TALKERS, (who) => load.talker(isOver, who))]);
if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
const { sold, messages, rows } = await judge(load, provider);

await place.close();
await members.close();
await place.dispose();
provider.close();
await rm(folder, { recursive: true });

const errors = [...load.errors].map(([outcome, count]) => `${outcome}: ${count}`).join(', ');
const who = values.regions ? `three regions over ${place.hubName}, one of them cut off for ${Math.round(seconds * 0.6)} s` : `${PROCESSES} processes`;
console.log(`${who}; ${members.kills} processes killed; ${load.calls} calls, of which callers saw errors: ${errors || 'none'}`);
console.log(`${sold} seats of ${load.shows.length} shows sold, ${messages} messages; the provider refused ${provider.refusals} times, and was silent ${provider.silences} times\n`);
console.log(table([['shown by what callers were told', 'violations'], ...rows]));
for (const sentence of load.wrong.slice(0, 20)) console.log(`VIOLATION ${sentence}`);
if (rows.some(([, count]) => count !== 0)) process.exitCode = 1;
