import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { repository } from './packed.ts';

const program = fileURLToPath(new URL('fixtures/tell-dependencies.mjs', import.meta.url));

async function told(...steps: string[]): Promise<{ loaded: string[]; replaced: string[] }> {
  const root = mkdtempSync(join(tmpdir(), 'holdfast-dependencies-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const { stdout } = await promisify(execFile)(process.execPath, [program, root, ...steps], { cwd: repository });
  return JSON.parse(stdout) as { loaded: string[]; replaced: string[] };
}

test('doors, Web Storage, files and locks load none of the dependencies, and no function of fs or process is replaced', async () => {
  expect(await told()).toEqual({ loaded: [], replaced: [] });
});

test('what deletes a whole origin does', async () => {
  const { loaded, replaced } = await told('delete');
  expect(loaded).toEqual(expect.arrayContaining(['fs-extra', 'proper-lockfile']));
  expect(replaced.length).toBeGreaterThan(0);
});
