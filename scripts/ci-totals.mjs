// The closing line of CI: what vitest and the WPT run counted, added up.
import { readFileSync } from 'node:fs';

const totals = { passed: 0, failed: 0, skipped: 0 };

function add(file, read) {
  let counts;
  try {
    counts = read(JSON.parse(readFileSync(new URL(`../.cache/ci/${file}`, import.meta.url), 'utf8')));
  } catch {
    return; // the step did not get that far
  }
  for (const key of Object.keys(totals)) totals[key] += counts[key] ?? 0;
}

add('test.json', (report) => ({
  passed: report.numPassedTests,
  failed: report.numFailedTests,
  skipped: report.numPendingTests + report.numTodoTests,
}));

console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
