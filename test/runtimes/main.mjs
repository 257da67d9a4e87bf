// The same behaviour tests on every runtime, against the package as it is packed.
//
//   npm run test:runtimes                      all of them
//   npm run test:runtimes -- deno locks crash  only runtimes and areas whose names hold one of the words
//   npm run test:runtimes -- --some            half of the kills, and half of the Nodes that are restricted, drawn anew: so CI does
//   npm run test:runtimes -- --all             a runtime that cannot be had is a failure
import { readdirSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { runArea } from './area.mjs';
import { makeProject } from './project.mjs';
import { failures, table } from './report.mjs';
import { installRuntime, runtimes } from './runtimes.mjs';
import { checkTypes } from './types.mjs';

const words = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isSome = process.argv.includes('--some');
const needsAll = process.argv.includes('--all');
const allAreas = [...readdirSync(new URL('areas', import.meta.url)).map((file) => file.replace('.mjs', '')).sort(), 'types'];

/** Words choose among names where they name any. */
function chosen(all, nameOf) {
  const named = all.filter((each) => words.some((word) => nameOf(each).toLowerCase().includes(word.toLowerCase())));
  return named.length === 0 ? all : named;
}

const say = (text) => process.stderr.write(`${text}\n`);
const areas = chosen(allAreas, (area) => area);
/** Of each two that follow one another one, for most of what they do is the same. */
function drawn(all) {
  const restricted = all.filter(({ areas }) => areas !== undefined);
  const left = new Set(restricted.flatMap((_, index) => (index % 2 === 0 ? [restricted[index + Math.round(Math.random())]] : [])));
  return all.filter((runtime) => !restricted.includes(runtime) || left.has(runtime));
}

const rows = chosen(isSome ? drawn(runtimes) : runtimes, ({ name, folder }) => `${name} ${folder}`).map((runtime) => ({
  runtime,
  ...installRuntime(runtime, say),
  results: new Map(),
}));

const others = new Map(rows.filter(({ runtime, command }) => command !== undefined && runtime.areas === undefined).map((row) => [row.runtime.folder, row]));

const project = makeProject();
const all = rows.filter(({ command }) => command !== undefined).flatMap((row) => areas.filter((area) => row.runtime.areas?.includes(area) ?? true).map((area) => ({ row, area })));
/** Waits for one lease after the other of those it kills, minutes in all, and hardly computes. */
const waitsForLeases = ({ row: { runtime }, area }) => runtime.hasLeases === true && ['crash', 'locks'].includes(area);
const work = all.filter((each) => !waitsForLeases(each));
const start = performance.now();
let left = all.length;

async function run({ row, area }) {
  const results = area === 'types' ? checkTypes(row.runtime, row.command, project, say) : runArea(row.runtime, row.command, project, area, { others, isSome });
  row.results.set(area, await results);
  left -= 1;
  if (process.stderr.isTTY) process.stderr.write(`\r${left} to go   \r`);
}

async function worker() {
  for (let next = work.shift(); next !== undefined; next = work.shift()) await run(next);
}

try {
  // Most areas wait for processes, and for what is killed to be missed, more than they compute.
  await Promise.all([...all.filter(waitsForLeases).map(run), ...Array.from({ length: 2 * availableParallelism() }, worker)]);
} finally {
  rmSync(project, { recursive: true, force: true });
}

console.log(table(rows, areas));
console.log(`\n${Math.round((performance.now() - start) / 1000)} s`);
const failed = failures(rows);
if (failed !== '') console.log(`\n${failed}`);
const skipped = rows.filter(({ command }) => command === undefined);
const ran = rows.length > skipped.length;
process.exitCode = failed === '' && ran && !(needsAll && skipped.length > 0) ? 0 : 1;
