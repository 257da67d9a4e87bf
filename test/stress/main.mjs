// npm run stress: four processes of two threads work on one root, and one after another of them is killed.
// node test/stress/main.mjs [--kills=200] [--seconds=90] [--seed=…]
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { progress, table } from '../../scripts/demo/progress.mjs';

const outfile = fileURLToPath(new URL('../../.cache/fixtures/stress.mjs', import.meta.url));

/** The driver as something that can be imported; it finds its fixtures beside its source. */
async function loadDriver() {
  const entry = fileURLToPath(new URL('./drive.ts', import.meta.url));
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    define: { 'import.meta.url': JSON.stringify(new URL('./drive.ts', import.meta.url).href) },
    logLevel: 'silent',
  });
  return import(outfile);
}

function countOf(history, kinds) {
  const ofKind = history.operations.filter(({ object }) => kinds.test(object));
  return [ofKind.length, ofKind.filter(({ result }) => result === undefined).length];
}

function print({ kills, processes, milliseconds, history, violations, accidents, directory }) {
  const rows = [
    ['', 'operations', 'cut off by a kill', 'violations'],
    ['localStorage', ...countOf(history, / localStorage$/), ''],
    ['files', ...countOf(history, / files$/), ''],
    ['sync access handles', ...countOf(history, / cell-\d$/), ''],
    ['locks', history.locks.length, history.locks.filter(({ cut }) => cut).length, ''],
    ['one order explains all', '', '', violations.order.length],
    ['acknowledged is there', '', '', violations.survival.length],
    ['locks exclude', '', '', violations.exclusion.length],
    ['nothing else failed', '', '', violations.failures.length + accidents.length],
  ];
  console.log(table(rows));
  console.log(`\n${kills} kills, ${processes} processes of 2 threads, ${Math.round(milliseconds / 1000)} s`);
  for (const sentence of [...Object.values(violations).flat(), ...accidents]) console.log(`VIOLATION ${sentence}`);
  if (directory !== null) console.log(`The root and the histories are in ${directory}`);
}

const { values } = parseArgs({
  options: {
    kills: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '90' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
const kills = Number(values.kills);
const seed = Number(values.seed);
console.log(`seed ${seed}`);
const { stress } = await loadDriver();
const report = await stress({ kills, seed, timeLimit: Number(values.seconds) * 1000, onKill: progress('kills', kills) });
print(report);
if (report.directory !== null || report.kills < kills) process.exitCode = 1;
