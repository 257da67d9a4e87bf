// npm run demo:regions: three regions write to the same keys and files of one origin. One is cut off and comes back, a
// process and the hub are killed in the middle of writes; and at the end all three have the same.
//
//   npm run demo:regions              with a PostgreSQL
//   npm run demo:regions -- embedded  with Holdfast's own hub, or `nats`
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startHub } from '../hubs.mjs';
import { judge } from './judge.mjs';
import { Region } from './region.mjs';
import { regionTable } from './report.mjs';
import { Story } from './story.mjs';

const regionNames = ['eu', 'us', 'ap'];
/** Writes that each region makes at once, for what batching gives. */
const burst = 3000;
/** Milliseconds for each step of the story: a busy machine takes long for all of them, and what has gone wrong for one. */
const longest = 85_000;

const story = new Story(() => watchdog.refresh());
const all = (members, what, argument) => Promise.all(members.map((member) => member.ask(what, argument)));
const membersOf = (regions) => regions.flatMap(({ living }) => living);

/** Asks again and again; the bound on a step of the story is the bound on this. */
async function until(holds) {
  while (!(await holds())) await delay(50);
}

const isConnected = async (region) => (await region.ask('status')).connected;

async function phase(regions, name) {
  await all(membersOf(regions), 'phase', name);
}

async function openTheHub(data) {
  const wanted = process.argv[2] ?? 'postgres';
  const hub = await startHub(wanted, data, (reason) => story.tell(`${reason}: the embedded hub takes its place`));
  return hub ?? startHub('embedded', data);
}

async function setUp(folder, hub, atEnd) {
  const regions = [];
  for (const name of regionNames) {
    const region = await Region.open(name, folder, hub);
    atEnd(() => region.close());
    regions.push(region);
    await region.addMember();
  }
  // Nobody competes with the first process of each to speak with the hub.
  await all(regions, 'write');
  await Promise.all(regions.map((region) => until(() => isConnected(region))));
  return regions;
}

async function calmly(regions) {
  const [, us] = regions;
  const second = await us.addMember();
  await second.ask('write');
  await phase(regions, 'calm');
  story.tell('all write to the same keys and files, and to some of their own');
  await delay(6000);
}

async function withoutOne(regions) {
  const [, us, ap] = regions;
  await phase(regions, 'trouble');
  await all(regions, 'flush');
  ap.proxy.cut();
  ap.wasCut = true;
  story.tell('ap is cut off, and goes on writing');
  await delay(2000);
  const { pending } = await us.ask('status');
  await us.member.kill();
  story.tell(`the process of us that speaks with the hub is killed amid writes, ${pending} of them pending`);
  await us.ask('flush');
  story.tell('the other process of us has taken over, and sent what was pending');
  await until(async () => !(await isConnected(ap)));
  const status = await ap.ask('status');
  story.tell(`ap knows that it is alone; ${status.pending} of its writes are pending`);
  await delay(1000);
  ap.proxy.mend();
  await until(() => isConnected(ap));
  await ap.ask('flush');
  story.tell('ap is back, and the order has its writes');
}

async function withoutHub(regions, hub) {
  await delay(500);
  await hub.kill();
  story.tell('the hub is killed amid writes');
  await delay(1500);
  await hub.restart();
  story.tell('the hub runs again on its data');
  await Promise.all(regions.map((region) => region.ask('flush')));
  await delay(1000);
}

/** Until nothing is under way any more: applying what came may have led to more, such as a directory that is empty now. */
async function settle(regions) {
  let left;
  do {
    await all(regions, 'flush');
    await all(regions, 'caughtUp');
    left = await all(regions, 'status');
  } while (left.some(({ pending }) => pending > 0));
}

async function burstOf(regions) {
  story.tell(`each region makes ${burst} writes at once`);
  const seconds = await all(regions, 'burst', burst);
  await settle(regions);
  return seconds.map((each) => burst / each);
}

async function byName(members, what) {
  const answers = await all(members, what);
  return new Map(members.map(({ name }, index) => [name, answers[index]]));
}

async function main(folder, atEnd) {
  const hub = await openTheHub(join(folder, 'hub'));
  atEnd(() => hub.dispose());
  story.tell(`${hub.name} is the hub of ${regionNames.join(', ')}`);
  const regions = await setUp(folder, hub, atEnd);
  await calmly(regions);
  await withoutOne(regions);
  await withoutHub(regions, hub);
  await all(membersOf(regions), 'pause');
  await settle(regions);
  story.tell('all have stopped writing, and have what the others wrote');
  const reports = await byName(membersOf(regions), 'report');
  const rates = await burstOf(regions);
  const contents = await byName(regions, 'content');
  story.end();
  console.log(`\n${regionTable(regions, reports, contents, rates)}`);
  return judge(regions, contents, reports);
}

const folder = await mkdtemp(join(tmpdir(), 'holdfast-regions-'));
const endings = [() => rm(folder, { recursive: true, force: true })];
let ended;
/** Once, whoever asks first: the end, a failure, or Ctrl-C. The last that was opened is the first to be closed. */
const end = () =>
  (ended ??= (async () => {
    for (const close of endings.toReversed()) await close();
  })());

async function giveUp(reason, code) {
  story.end();
  console.error(`\nFAILED: ${reason}`);
  await end().catch((error) => console.error(error.message));
  process.exit(code);
}
process.once('SIGINT', () => void giveUp('interrupted', 130));
process.once('SIGTERM', () => void giveUp('ended by SIGTERM', 143));
const watchdog = setTimeout(() => void giveUp(`nothing has happened for ${longest / 1000} s`, 1), longest);

try {
  const faults = await main(folder, (close) => endings.push(close));
  for (const fault of faults.slice(0, 20)) console.error(`FAILED: ${fault}`);
  console.log(faults.length === 0 ? '\nAll regions have the same, and nothing is lost.' : `\n${faults.length} checks failed.`);
  process.exitCode = faults.length === 0 ? 0 : 1;
} catch (error) {
  // What is being ended fails, of course.
  if (ended === undefined) await giveUp(error.stack, 1);
} finally {
  clearTimeout(watchdog);
  await end();
}
