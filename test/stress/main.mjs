// npm run stress: four processes of two threads work on one root, and one after another of them is killed.
// node test/stress/main.mjs [--kills=200] [--seconds=105] [--seed=…]
// The long form goes on until 500,000 writes are checked, with small quotas, pauses and threads that are ended as well:
// node test/stress/main.mjs --long [--writes=500000] [--seed=…]
// One database of so many GiB, and of so many records:
// node test/stress/main.mjs --database=5 [--records=2000000]
// How soon a database goes on when its writer was killed, and when another process wants another version:
// node test/stress/main.mjs --database-latency [--rounds=60]
// Coordinators whose processes are killed, paused, closed and left without room, for so many seconds:
// node test/stress/main.mjs --coordinators-chaos=3600 [--seed=…]
// Coordinators in simulated processes, for as many seeds as are asked for:
// node test/stress/main.mjs --coordinators-simulation=100000 [--from=1]
// Four processes with coordinators that are restarted one after another, under load, for so many seconds:
// node test/stress/main.mjs --coordinators-restart=60
// So many coordinators, each with an alarm: what they take in memory and on disk, and how soon their alarms are known:
// node test/stress/main.mjs --coordinators-many=100000
// So many coordinators, of which a process has thousands that is killed: how soon another one answers for them, and runs their alarms:
// node test/stress/main.mjs --coordinators-takeover=100000
// Coordinators that a hub keeps, in simulated regions, for as many seeds as are asked for:
// node test/stress/main.mjs --coordinators=100000 [--from=1]
// The simulation of regions, processes and a hub, for as many seeds as are asked for, from one on:
// node test/stress/main.mjs --simulation=100000 [--from=1] [--plan=any|restores] [--key]   (with a key all that comes to the hub is encrypted)
// Origins that are encrypted, and whose keys change, under so many kills:
// node test/stress/main.mjs --encryption-kills=500 [--seed=…]
// Backups and restores that are killed at every call, and many rounds of them beside writers:
// node test/stress/main.mjs --backups [--rounds=60]
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { progress, table } from '../../scripts/demo/progress.mjs';

/** A module of this folder as something that Node can import; fixtures are found beside their sources. */
async function load(name) {
  const outfile = fileURLToPath(new URL(`../../.cache/fixtures/stress-${name.replaceAll('/', '-')}.mjs`, import.meta.url));
  const keepUrls = {
    name: 'keep-urls',
    setup({ onLoad }) {
      onLoad({ filter: /\/test\/.*\.ts$/ }, async ({ path }) => {
        const source = await readFile(path, 'utf8');
        return { contents: source.replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)), loader: 'ts' };
      });
    },
  };
  await build({
    entryPoints: [fileURLToPath(new URL(`./${name}.ts`, import.meta.url))],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    plugins: [keepUrls],
    logLevel: 'silent',
  });
  return import(outfile);
}

function countOf(history, kinds) {
  const ofKind = history.operations.filter(({ object }) => kinds.test(object));
  return [ofKind.length, ofKind.filter(({ result }) => result === undefined).length];
}

function print({ kills, processes, milliseconds, history, violations, accidents, directory }) {
  const done = [
    ['localStorage', ...countOf(history, / localStorage$/)],
    ['files and directories', ...countOf(history, / files$/)],
    ['sync access handles', ...countOf(history, / cell-\d$/)],
    ['locks', history.locks.length, history.locks.filter(({ cut }) => cut).length],
  ];
  const sum = (column) => done.reduce((total, row) => total + row[column], 0);
  console.log(table([['done', 'operations', 'cut off by a kill'], ...done, ['all', sum(1), sum(2)]]));
  console.log(`\n${kills} kills, ${processes} processes of 2 threads, ${Math.round(milliseconds / 1000)} s\n`);
  console.log(
    table([
      ['shown by the history', 'violations'],
      ['reads and writes have one order (linearizable)', violations.order.length],
      ['what was acknowledged is there in the end', violations.survival.length],
      ['exclusive locks never overlap', violations.exclusion.length],
      ['nothing else fails, hangs or is left over', violations.failures.length + accidents.length],
    ]),
  );
  for (const sentence of [...Object.values(violations).flat(), ...accidents]) console.log(`VIOLATION ${sentence}`);
  if (directory !== null) console.log(`The root and the histories are in ${directory}`);
}

/** One line that is written anew on a terminal; elsewhere a line for each twentieth. */
function showProgress(writes) {
  const { stderr } = process;
  const begin = performance.now();
  let shown = 0;
  let twentieths = 0;
  return (done, { kills, pauses, terminations, full }) => {
    const seconds = Math.round((performance.now() - begin) / 1000);
    const line = `${done}/${writes} writes, ${kills} kills, ${pauses} pauses, ${terminations} threads ended, ${full} without room, ${seconds} s`;
    if (stderr.isTTY) {
      if (Date.now() - shown < 200) return;
      shown = Date.now();
      stderr.write(`\r${line}\u001b[K`);
    } else if (Math.floor((20 * done) / writes) > twentieths) {
      twentieths = Math.floor((20 * done) / writes);
      console.error(line);
    }
  };
}

async function runLong(writes, seed) {
  const { stressLong } = await load('long/drive');
  const { figures, milliseconds, violations, directory } = await stressLong({ writes, seed, onProgress: showProgress(writes) });
  if (process.stderr.isTTY) process.stderr.write('\r\u001b[K');
  for (const sentence of violations) console.log(`VIOLATION ${sentence}`);
  const { kills, pauses, terminations, standstills, full, compactions, rounds } = figures;
  console.log(
    `${figures.writes} writes checked in ${rounds} rounds, ${kills} kills, ${pauses} pauses, ${terminations} threads ended, ${standstills} standstills, ` +
      `${full} refusals by quota, ${compactions} compactions, ${violations.length} violations, ${Math.round(milliseconds / 1000)} s, seed ${seed}`,
  );
  if (directory === null) return;
  console.log(`The root and the round's histories are in ${directory}; again: npm run stress -- --long --writes=${writes} --seed=${seed}`);
  process.exitCode = 1;
}

async function runShort(kills, seconds, seed) {
  const { stress } = await load('drive');
  const report = await stress({ kills, seed, timeLimit: seconds * 1000, onKill: progress('kills', kills) });
  print(report);
  if (report.kills < kills) console.log(`Only ${report.kills} of ${kills} kills in ${seconds} seconds: this machine is too busy.`);
  if (report.directory !== null || report.kills < kills) process.exitCode = 1;

  const { measureLatencies } = await load('latency');
  for (const { of, median, p99 } of await measureLatencies()) {
    console.log(`${of} in another process: median ${median.toFixed(1)} ms, 99% ${p99.toFixed(1)} ms (goal on an idle machine: 100 ms)`);
  }
}

async function runBackups(rounds) {
  const env = { ...process.env, HOLDFAST_BACKUP_KILLS: 'all', HOLDFAST_BACKUP_ROUNDS: String(rounds) };
  const tests = ['test/backup/kill.test.ts', 'test/backup/moments.test.ts'];
  const running = spawn('npx', ['vitest', 'run', ...tests, '--testTimeout=3600000'], { env, stdio: 'inherit' });
  [process.exitCode] = await once(running, 'exit');
}

/** Seeds between two lines of progress. */
const SEEDS_A_LINE = 1000;

async function runSimulation(count, from, plan, key) {
  const { soak, PLANS } = await load('../sync/simulation/soak');
  if (![count, from].every((number) => Number.isSafeInteger(number) && number >= 0) || !Object.hasOwn(PLANS, plan)) {
    throw new Error(`--simulation and --from take numbers, and --plan one of ${Object.keys(PLANS).join(', ')}`);
  }
  const say = (line) => console.log(`${new Date().toISOString()} ${line}`);
  const cpu = () => Math.round(process.cpuUsage().user / 1e6);
  say(`begin: ${count} seeds of the plan '${plan}', ${from} to ${from + count - 1}`);
  const failures = await soak({
    from,
    count,
    plan,
    key,
    onFailure: (failure) => say(`FAILED ${failure}`),
    onProgress: (done, failed) => done % SEEDS_A_LINE === 0 && say(`${from} to ${from + done - 1} done: ${done} seeds, ${failed} failed, ${cpu()} s of CPU`),
  });
  say(`end: ${count} seeds, ${failures} failed`);
  if (failures > 0) process.exitCode = 1;
}

/** Rounds, of ten seconds each, between two lines of progress. */
const ROUNDS_A_LINE = 6;

async function runCoordinatorsChaos(seconds, seed) {
  const { coordinatorsChaos } = await load('coordinators');
  const sentence = ({ calls, unknown, kills, pauses, closes, refusals, violations }) =>
    `${calls} calls, ${unknown} of unknown outcome, ${kills} kills, ${pauses} pauses, ${closes} closes, ${refusals} full disks, ${violations.length} violations`;
  let rounds = 0;
  const onRound = (tally) => ++rounds % ROUNDS_A_LINE === 0 && console.log(`${10 * rounds} s: ${sentence(tally)}`);
  const tally = await coordinatorsChaos({ seconds, seed, onRound });
  for (const violation of tally.violations) console.log(`VIOLATION ${violation}`);
  console.log(`${sentence(tally)}, seed ${seed}`);
  if (tally.directory === null) return;
  console.log(`The root is in ${tally.directory}`);
  process.exitCode = 1;
}

async function runEncryptionKills(kills, seed) {
  const { encryptionKills } = await load('encryption-kills');
  const onRoot = (done) => console.log(`${done.roots} roots, ${done.kills} kills, ${done.versions} versions acknowledged`);
  const { roots, versions, ...done } = await encryptionKills({ kills, seed, onRoot });
  console.log(`${done.kills} kills on ${roots} roots: of ${versions} versions that were acknowledged none is lost or half, and nothing is plain in the end`);
}

async function runCoordinatorsSimulation(count, from) {
  const { loadWorld } = await load('../coordinator/simulation/load');
  const { soak } = await loadWorld();
  const sentence = (done, { answered, unknown, epochs, failures }) => `${done} seeds, ${answered} calls answered, ${unknown} of unknown outcome, ${epochs} takeovers, ${failures.length} failed`;
  const all = await soak({ from, count, onProgress: (done, soFar) => done % SEEDS_A_LINE === 0 && console.log(sentence(done, soFar)) });
  for (const { seed: failed, wrong } of all.failures) console.log(`FAILED --from=${failed}: ${wrong}`);
  console.log(sentence(count, all));
  if (all.failures.length > 0) process.exitCode = 1;
}

async function runRollingRestart(seconds) {
  const { rollingRestart } = await load('rolling-restart');
  const sentence = ({ calls, restarts, longest, wrong }) => `${restarts} restarts, ${calls} calls, the longest ${longest.toFixed(0)} ms, ${wrong.length} failed or wrong`;
  const tally = await rollingRestart({ seconds, onRestart: (soFar) => soFar.restarts % 10 === 0 && console.log(sentence(soFar)) });
  for (const each of tally.wrong) console.log(`FAILED ${each}`);
  console.log(sentence(tally));
  if (tally.wrong.length > 0) process.exitCode = 1;
}

async function runManyCoordinators(count) {
  const { manyCoordinators } = await load('many-coordinators');
  const { live, memory, disk, inodes, load: took, alarms } = await manyCoordinators({ count, onProgress: (done) => done % 10_000 === 0 && console.log(`${done} made`) });
  console.log(`in memory: ${live}, each ${(memory / 1024).toFixed(1)} KiB; on disk each ${(disk / 1024).toFixed(1)} KiB and ${inodes.toFixed(2)} inodes`);
  console.log(`the index of ${alarms} alarms is read in ${took.toFixed(0)} ms`);
  if (alarms !== count) process.exitCode = 1;
}

async function runTakeover(count) {
  const { takeover } = await load('takeover');
  const { first, median, p99, longest, resting, alarms, latest, wrong } = await takeover({ count, onProgress: (made) => made % 10_000 === 0 && console.log(`${made} made`) });
  for (const each of wrong) console.log(`FAILED ${each}`);
  console.log(`the first call was answered ${first.toFixed(0)} ms after the kill; of 64 at once: median ${median.toFixed(1)} ms, 99% ${p99.toFixed(1)} ms, the longest ${longest.toFixed(0)} ms`);
  console.log(`of coordinators that nobody had: median ${resting.median.toFixed(1)} ms, 99% ${resting.p99.toFixed(1)} ms; ${alarms} alarms of the killed process were run, the last ${latest.toFixed(0)} ms late`);
  if (wrong.length > 0) process.exitCode = 1;
}

async function runRegionCoordinators(count, from) {
  const { soak } = await load('region-coordinators');
  const failures = soak({
    from,
    count,
    onFailure: (failure) => console.log(`FAILED ${failure}`),
    onProgress: (done, failed) => done % SEEDS_A_LINE === 0 && console.log(`${done} seeds, ${failed} failed`),
  });
  console.log(`${count} seeds from ${from} on, ${failures} failed`);
  if (failures > 0) process.exitCode = 1;
}

const { values } = parseArgs({
  options: {
    coordinators: { type: 'string' },
    'coordinators-simulation': { type: 'string' },
    'coordinators-chaos': { type: 'string' },
    'coordinators-restart': { type: 'string' },
    'coordinators-many': { type: 'string' },
    'coordinators-takeover': { type: 'string' },
    simulation: { type: 'string' },
    key: { type: 'boolean', default: false },
    from: { type: 'string', default: '1' },
    plan: { type: 'string', default: 'any' },
    long: { type: 'boolean', default: false },
    backups: { type: 'boolean', default: false },
    'encryption-kills': { type: 'string' },
    rounds: { type: 'string', default: '60' },
    database: { type: 'string' },
    'database-latency': { type: 'boolean', default: false },
    records: { type: 'string', default: '2000000' },
    writes: { type: 'string', default: '500000' },
    kills: { type: 'string', default: '200' },
    seconds: { type: 'string', default: '105' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
});
/** A run that does not come to its end has failed, also where nothing is left that it could wait for. */
let isOver = false;
process.on('exit', (code) => {
  if (isOver) return;
  console.error('This run has not come to its end.');
  if (code === 0) process.exitCode = 1;
});

const seed = Number(values.seed);
if (values.simulation === undefined && values['coordinators-simulation'] === undefined && values.coordinators === undefined && !values.backups) console.log(`seed ${seed}`);
if (values['coordinators-chaos'] !== undefined) await runCoordinatorsChaos(Number(values['coordinators-chaos']), seed);
else if (values['coordinators-restart'] !== undefined) await runRollingRestart(Number(values['coordinators-restart']));
else if (values['coordinators-many'] !== undefined) await runManyCoordinators(Number(values['coordinators-many']));
else if (values['coordinators-takeover'] !== undefined) await runTakeover(Number(values['coordinators-takeover']));
else if (values.coordinators !== undefined) await runRegionCoordinators(Number(values.coordinators), Number(values.from));
else if (values['coordinators-simulation'] !== undefined) await runCoordinatorsSimulation(Number(values['coordinators-simulation']), Number(values.from));
else if (values.simulation !== undefined) await runSimulation(Number(values.simulation), Number(values.from), values.plan, values.key);
else if (values.database !== undefined) {
  const { runLarge } = await import('./large-database.mjs');
  if (!(await runLarge(Number(values.database), Number(values.records)))) process.exitCode = 1;
} else if (values['database-latency']) {
  const { measureDatabases } = await import('./database-latency.mjs');
  if (!(await measureDatabases(Number(values.rounds)))) process.exitCode = 1;
} else if (values['encryption-kills'] !== undefined) await runEncryptionKills(Number(values['encryption-kills']), seed);
else if (values.backups) await runBackups(Number(values.rounds));
else if (values.long) await runLong(Number(values.writes), seed);
else await runShort(Number(values.kills), Number(values.seconds), seed);
isOver = true;
