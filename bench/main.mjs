// npm run bench [-- <area> …]: every area's contestants side by side, their rounds interleaved, medians of the rounds.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { median } from './alone.mjs';
import { installPeers } from './peers.mjs';
import { open } from './processes.mjs';
import { areaTable, chart, goalsMet } from './report.mjs';
import { areas, environment, inOrder, interleaved, readResults, resultsFile } from './results.mjs';

const rounds = Number(process.env.ROUNDS ?? 7);

/**
 * Rounds before those that count. What a library has of its own code is compiled while it runs, which takes a processor of
 * a server some tens of thousands of calls; bare calls have nothing to be compiled. Everybody is given the same.
 */
const warmUp = Number(process.env.WARM_UP ?? 16);

const say = (text) => process.stderr.isTTY && process.stderr.write(`\r\u001b[K${text}`);

const project = fileURLToPath(new URL('..', import.meta.url));

/** Why somebody takes no part, without the paths of this machine. */
const reason = ({ message }) => message.split('\n')[0].replaceAll(project, '');

async function start(area, { contestants: order, scope }, root) {
  const running = new Map();
  const absent = {};
  for (const contestant of order) {
    say(`${area}: starting ${contestant}`);
    try {
      running.set(contestant, await open(area, scope, contestant, await mkdtemp(join(root, `${contestant}-`))));
    } catch (error) {
      absent[contestant] = reason(error);
    }
  }
  return { running, absent };
}

/** The warm-up, then `rounds` rounds of each work, the contestants taking turns. Microseconds, or the work's own unit. */
async function compare(area, root) {
  const definition = await import(`./areas/${area}.mjs`);
  const { running, absent } = await start(area, definition, root);
  const results = {};
  for (const work of definition.works) {
    const { id, most, per, unit } = work;
    const wanted = Math.min(rounds, work.rounds ?? rounds);
    const first = most === 1 ? 0 : 1 - warmUp;
    const samples = new Map([...running.keys()].map((contestant) => [contestant, []]));
    for (let round = first; round <= wanted; round += 1) {
      for (const [contestant, process] of running) {
        say(`${area}: ${work.label}, ${round > 0 ? `round ${round}/${wanted}` : 'warming up'}, ${contestant}`);
        const nanoseconds = await process.round({ id, most, per }).catch((error) => error);
        if (nanoseconds instanceof Error) absent[contestant] ??= `${work.label}: ${reason(nanoseconds)}`;
        else if (nanoseconds !== null && round > 0) samples.get(contestant)?.push(nanoseconds);
      }
    }
    const scale = unit === 'ms' ? 1e6 : 1e3;
    results[id] = Object.fromEntries(
      [...samples].map(([contestant, values]) => [contestant, values.length === 0 ? null : median(values) / scale]),
    );
  }
  for (const process of running.values()) await process.close();
  return { area, works: definition.works, order: definition.contestants, results, absent };
}

async function measure(area, root) {
  return interleaved.includes(area) ? compare(area, root) : (await import(`./areas/${area}.mjs`)).measure({ root, rounds, say });
}

async function main(wanted) {
  const unknown = wanted.filter((area) => !areas.includes(area));
  if (unknown.length > 0) throw new Error(`unknown area ${unknown.join(', ')}; there are ${areas.join(', ')}`);
  installPeers();
  const root = await mkdtemp(join(process.env.BENCH_ROOT ?? tmpdir(), 'holdfast-bench-'));
  const stored = await readResults();
  try {
    for (const area of wanted.length > 0 ? wanted : areas) {
      const result = await measure(area, root);
      say('');
      console.log(`${areaTable(result)}\n`);
      stored.areas[area] = result;
      stored.environment[area] = environment();
    }
  } finally {
    await rm(root, { recursive: true, force: true });
  }
  console.log(goalsMet(inOrder(stored)));
  await writeFile(resultsFile, `${JSON.stringify(stored, null, 1)}\n`);
  await writeFile(new URL('chart.svg', import.meta.url), chart(inOrder(stored)));
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`bench: ${error.message}`);
  process.exitCode = 1;
}
