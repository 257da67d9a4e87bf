// An origin in a hub's order: what that costs a local write, how much a hub takes, how a new region comes to have it all.
// Each hub is a process of its own on this machine, so that what is measured is processors and disk, not a network.
import { join } from 'node:path';
import { startHub } from '../../scripts/hubs.mjs';
import { alone, median } from '../alone.mjs';

const hubs = ['embedded', 'postgres', 'nats'];
const operations = 10_000;
const origins = 100;
/** Of the hub itself, without regions. */
const logs = 1000;
const appends = 20_000;
/** Of a hundred characters each: more bytes than those after which a region makes a snapshot. */
const logged = 40_000;

const works = [
  { id: 'off', label: 'setItem, replace, without sync' },
  { id: 'on', label: 'setItem, replace, with sync' },
  { id: 'ratio', label: '… as a multiple', unit: '×' },
  { id: 'one', label: `${operations.toLocaleString('en')} operations of one origin`, unit: '/s' },
  { id: 'many', label: `… of ${origins} origins`, unit: '/s' },
  { id: 'confirmed', label: `confirmed appends, to ${logs.toLocaleString('en')} logs in turn`, unit: '/s' },
  { id: 'log', label: `new region, from the log of ${logged.toLocaleString('en')}`, unit: 'ms' },
  { id: 'snapshot', label: '… from a snapshot and what follows', unit: 'ms' },
];

/** Repeats what takes long less often. */
const few = (rounds) => Math.min(3, rounds);

function localCost(root, engine, rounds) {
  const { off, on } = alone('sync', 'setItem', join(root, 'sync-local'), engine, 5000, rounds);
  return { off: median(off), on: median(on), ratio: median(on) / median(off) };
}

function joining(root, engine, rounds) {
  const times = Array.from({ length: few(rounds) }, (_, round) => alone('sync', 'join', `${root}-${round}`, engine).time);
  return median(times);
}

function* measurements(root, engine, rounds) {
  for (const [id, count] of [['one', 1], ['many', origins]]) {
    yield [id, median(alone('sync', 'throughput', `${root}-${id}`, engine, count, operations, few(rounds)).rates)];
  }
  yield ['confirmed', median(alone('sync', 'confirmed', `${root}-confirmed`, engine, logs, appends, few(rounds)).rates)];
  alone('sync', 'fill', `${root}-fill`, engine, logged);
  yield ['log', joining(`${root}-log`, engine, rounds)];
  alone('sync', 'trim', `${root}-trim`, engine);
  yield ['snapshot', joining(`${root}-snapshot`, engine, rounds)];
}

export async function measure({ root, rounds, say }) {
  const results = Object.fromEntries(works.map(({ id }) => [id, {}]));
  const absent = {};
  for (const kind of hubs) {
    say(`sync: starting ${kind}`);
    const folder = join(root, `sync-${kind}`);
    const hub = await startHub(kind, folder, (reason) => (absent[kind] = reason));
    if (hub === null) continue;
    try {
      const engine = JSON.stringify(hub.engineAt(hub.port));
      if (kind === hubs[0]) for (const [id, value] of Object.entries(localCost(root, engine, rounds))) results[id].holdfast = value;
      for (const [id, value] of measurements(folder, engine, rounds)) {
        results[id][kind] = value;
        say(`sync: ${kind}, ${works.find((work) => work.id === id).label}`);
      }
    } finally {
      await hub.dispose();
    }
  }
  return { area: 'sync', works, order: ['holdfast', ...hubs], results, absent };
}
