// The closing lines of CI: hub adapters whose servers cannot be had here, by name; and what the steps' logs counted,
// added up. WPT subtests that fail as recorded count as skipped.
import { readFileSync } from 'node:fs';

const totals = { passed: 0, failed: 0, skipped: 0 };

/** Adds what `read` finds in a step's log; a step that CI did not get to has none. */
function add(log, read) {
  let text;
  try {
    text = readFileSync(new URL(`../.cache/ci/${log}`, import.meta.url), 'utf8');
  } catch {
    return;
  }
  const counts = read(text) ?? {};
  for (const key of Object.keys(totals)) totals[key] += counts[key] ?? 0;
}

add('test.json', (text) => {
  const report = JSON.parse(text);
  const titles = report.testResults.flatMap(({ assertionResults }) => assertionResults.map(({ title }) => title));
  for (const title of new Set(titles)) if (title.startsWith('skipped adapter: ')) console.log(title);
  const skipped = report.numPendingTests + report.numTodoTests;
  return { passed: report.numPassedTests, failed: report.numFailedTests, skipped };
});

add('wpt.log', (text) => {
  const [, passed, all] = /^all\s.*?(\d+) of (\d+) subtests/m.exec(text) ?? [];
  const asRecorded = text.includes('as recorded in wpt/expectations');
  if (all === undefined) return undefined;
  return { passed: Number(passed), [asRecorded ? 'skipped' : 'failed']: Number(all) - Number(passed) };
});

add('libraries.log', (text) => ({
  passed: [...text.matchAll(/^ok /gm)].length,
  failed: [...text.matchAll(/^FAILED /gm)].length,
}));

add('runtimes.log', (text) => {
  // A row a runtime, whose last column is passed/total.
  const rows = [...text.matchAll(/^(?:Node|Deno|Bun) .*\s(\d+)\/(\d+)$/gm)].map(([, passed, all]) => [Number(passed), Number(all)]);
  const passed = rows.reduce((sum, [row]) => sum + row, 0);
  return { passed, failed: rows.reduce((sum, [, all]) => sum + all, 0) - passed };
});

console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
