import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { repository } from './packed.ts';

// A runtime remembers for ever that an import has failed, so this needs the package as it is built, in its parts.
const program = `
  import fs from 'node:fs';
  import { StorageHost } from 'holdfast';
  const client = new StorageHost({ root: process.argv[1] }).origin('https://app.example');
  const taken = [];
  try { for (;;) taken.push(fs.openSync('/dev/null')); } catch {}
  const outcome = (promise) => promise.then(() => 'ok', (error) => error.name);
  const tasks = {
    locks: () => client.locks.request('l', () => undefined),
    query: () => client.locks.query(),
    files: async () => (await client.storage.getDirectory()).getFileHandle('f', { create: true }),
  };
  const report = [];
  for (const free of [0, 1, 3, 1000]) {
    for (const descriptor of taken.splice(0, free)) fs.closeSync(descriptor);
    for (const task of Object.values(tasks)) report.push(await outcome(task()));
  }
  process.stdout.write(JSON.stringify(report));
`;

test.skipIf(process.platform === 'win32')('code that could not be loaded for want of descriptors is loaded when there are some', async () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-descriptors-'));
  const command = [process.execPath, '--input-type=module', '--eval', program, join(root, 'root')];
  const { stdout } = await promisify(execFile)('sh', ['-c', 'ulimit -n 100 && exec "$@"', 'sh', ...command], { cwd: repository });
  rmSync(root, { recursive: true });
  const outcomes = JSON.parse(stdout) as string[];
  expect(outcomes.slice(0, 3)).toEqual(['UnknownError', 'UnknownError', 'SecurityError']);
  expect(outcomes.slice(-3)).toEqual(['ok', 'ok', 'ok']);
});
