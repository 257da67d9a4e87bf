// npm run bench:readme: writes the README's section of measurements from results.json; with --check only compares.
import { readFile, writeFile } from 'node:fs/promises';
import { pathToFileURL } from 'node:url';
import { notes } from './goals.mjs';
import { digits, goalsMet, judgedWorks, peersOf } from './report.mjs';
import { inOrder, readResults } from './results.mjs';

const readmeFile = new URL('../README.md', import.meta.url);
const start = '<!-- measured: npm run bench:readme -->';
const end = '<!-- /measured -->';

const time = (value, unit = 'µs') => `${digits(value)} ${unit}`.trim();

function row({ chart, id, unit }, results) {
  const { holdfast, limit } = results[id];
  const peers = peersOf(results[id]).map(({ label, ratio }) => `${label} ${digits(ratio)}×`);
  return `| ${chart} | ${time(holdfast, unit)} | ${limit ? `${digits(holdfast / limit)}×` : ''} | ${peers.join(', ')} |`;
}

/** A line for each work that misses a goal. */
function missedGoals(areas) {
  const lines = new Map();
  for (const { area, work, text, reached } of judgedWorks(areas).filter(({ met }) => met === false)) {
    const line = lines.get(work) ?? { area, goals: [], note: notes[area]?.[work.id] };
    line.goals.push(`${text} (reached: ${digits(reached)})`);
    lines.set(work, line);
  }
  return [...lines].map(([{ label }, { area, goals, note }]) => `- ${area}, ${label}: ${goals.join(', ')}.${note ? ` ${note}` : ''}`);
}

/** The section's text; empty as long as nothing was measured. */
export function section(stored) {
  const areas = inOrder(stored);
  if (areas.length === 0) return '';
  const rows = areas.flatMap(({ works, results }) => works.filter(({ chart, id }) => chart && results[id]?.holdfast).map((work) => row(work, results)));
  const missed = missedGoals(areas);
  const places = new Set(Object.values(stored.environment).map(({ date, cpu, cores, system }) => `${date}, ${cpu}, ${cores} cores, ${system}`));
  return [
    `Measured by \`npm run bench\` (${[...places].join('; ')}); peers' times as multiples of Holdfast's. ${goalsMet(areas)}.`,
    '',
    '| | Holdfast | ÷ bare system calls | others |',
    '| --- | --- | --- | --- |',
    ...rows,
    '',
    '![Time of a call as a multiple of Holdfast\'s](bench/chart.svg)',
    '',
    ...(missed.length === 0 ? [] : ['Goals that are missed:', '', ...missed]),
  ].join('\n');
}

/** The README with the section in it. */
export function withSection(readme, text) {
  const from = readme.indexOf(start);
  const to = readme.indexOf(end);
  if (from === -1 || to === -1) throw new Error(`README.md lacks ${start} or ${end}`);
  return `${readme.slice(0, from + start.length)}\n${text === '' ? '' : `${text.trimEnd()}\n`}${readme.slice(to)}`;
}

/** README.md as it is, and as results.json wants it. */
export async function readmes() {
  const present = await readFile(readmeFile, 'utf8');
  return { present, wanted: withSection(present, section(await readResults())) };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { present, wanted } = await readmes();
  if (!process.argv.includes('--check')) await writeFile(readmeFile, wanted);
  else if (present !== wanted) {
    console.error("README.md does not say what bench/results.json says; run 'npm run bench:readme'.");
    process.exitCode = 1;
  }
}
