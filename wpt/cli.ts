import { parseArgs } from 'node:util';
import { compareWithPublished } from './fake-indexeddb/compare-with-published.ts';
import { fetchTests } from './fetch/fetch.ts';
import { UsageError } from './project.ts';
import { runAndCheck, type RunRequest } from './runner/run-and-check.ts';
import { updateRecord } from './record/update.ts';
import { writeReport } from './report/write-report.ts';
import { runInBrowser } from './browser/run-in-browser.ts';

const usage = `Usage: npm run wpt [-- options] [path ...]
  wpt            runs the tests and checks the results against wpt/expectations; a path (fs/, fs/root-name) runs some and shows their subtests
  wpt:fetch      puts the tests into wpt/checkout
  wpt:update     runs the tests and rewrites wpt/expectations
  wpt:report     runs the tests and writes wpt/RESULTS.md
  wpt:browser    runs wpt/ours in headless Chromium
  wpt:fake-indexeddb  compares wpt/expectations with what fake-indexeddb publishes of itself
Options: --jobs=N  realms at once, by default one a core
         --patience=N  multiplies the tests' time limits
         --some=N  of a window and a worker that run the same, one, drawn by N; 0 draws N itself, as CI does
         --key  runs with everything that Holdfast stores encrypted; the record is the same
         --absent  runs with Holdfast absent; fails when a feature subtest passes`;

type Command = (request: RunRequest) => Promise<boolean>;

const commands: Readonly<Record<string, Command>> = {
  fetch: async () => {
    await fetchTests();
    return true;
  },
  run: runAndCheck,
  update: updateRecord,
  report: writeReport,
  browser: runInBrowser,
  'fake-indexeddb': compareWithPublished,
};

/** The exit code: 0 when all is as it should be, 1 when tests say otherwise, 2 for an error of use. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const [name = '', ...rest] = args;
    const command = commands[name];
    if (command === undefined) throw new UsageError(usage);
    const request = parseRequest(rest);
    if (request.some !== null && name !== 'run') throw new UsageError(`'${name}' is about all realms: --some is for a run`);
    return (await command(request)) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(error.message);
    return 2;
  }
}

function parseRequest(args: readonly string[]): RunRequest {
  const options = { jobs: { type: 'string' }, patience: { type: 'string' }, some: { type: 'string' }, absent: { type: 'boolean' }, key: { type: 'boolean' } } as const;
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true });
    return {
      paths: positionals,
      jobs: values.jobs === undefined ? null : positive('--jobs', values.jobs),
      patience: values.patience === undefined ? 1 : positive('--patience', values.patience),
      absent: values.absent ?? false,
      key: values.key ?? false,
      some: values.some === undefined ? null : seedOf(values.some),
    };
  } catch (error) {
    throw error instanceof UsageError ? error : new UsageError(`${(error as Error).message.split('\n')[0]}\n${usage}`);
  }
}

/** 0: anyone. */
function seedOf(text: string): number {
  return text === '0' ? 1 + Math.floor(Math.random() * 2 ** 31) : positive('--some', text);
}

function positive(flag: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new UsageError(`${flag} takes a whole number from 1, not '${text}'`);
  return value;
}
