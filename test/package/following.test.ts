import { execFile } from 'node:child_process';
import { rm } from 'node:fs/promises';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { embeddedHub } from '../../src/sync/index.ts';

const run = promisify(execFile);
const repository = fileURLToPath(new URL('../..', import.meta.url));

/** A program that knows only the globals, on a root of which another program makes a region. */
const program = `
  const before = localStorage.getItem('k');
  localStorage.setItem('k', 'from the globals');
  console.log(JSON.stringify([before, localStorage.getItem('k'), localStorage.length]));
`;

test('a program that has only the globals loads what follows a hub when it meets a root that does', async () => {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-following-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  // Nobody listens there: what is written stays pending.
  const host = new StorageHost({ root, sync: { hub: embeddedHub({ url: 'http://127.0.0.1:9', token: 't' }), region: 'a' } });
  host.origin('http://localhost').localStorage.setItem('k', 'from the region');
  const { stdout } = await run(process.execPath, ['--import', 'holdfast/globals', '--input-type=module', '-e', program], {
    cwd: repository,
    env: { ...process.env, HOLDFAST_ROOT: root },
  });
  expect(JSON.parse(stdout)).toEqual(['from the region', 'from the globals', 1]);
  expect(host.origin('http://localhost').localStorage.getItem('k')).toBe('from the globals');
  expect(host.origin('http://localhost').sync.status().pending).toBe(2);
  await host.close();
});
