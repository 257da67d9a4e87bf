import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { listing, temporaryDirectory } from '../host/support.ts';

const run = promisify(execFile);

const fixtures = new Map<string, string>();
beforeAll(async () => {
  for (const name of ['door', 'import', 'native']) {
    fixtures.set(name, await bundleFixture(new URL(`./fixtures/${name}-fixture.ts`, import.meta.url)));
  }
});

interface Result {
  readonly value: unknown;
  readonly stderr: string;
}

async function start(name: string, cwd: string, env: Record<string, string> = {}): Promise<Result> {
  const { stdout, stderr } = await run(process.execPath, [fixtures.get(name) ?? ''], {
    cwd,
    env: { PATH: process.env['PATH'], ...env },
  });
  return { value: JSON.parse(stdout), stderr };
}

test('importing holdfast changes nothing: no global, no listener, no function, no timer', async () => {
  const directory = temporaryDirectory();
  expect(await start('import', directory)).toEqual({ value: [], stderr: '' });
  expect(listing(directory)).toEqual([]);
});

test('a runtime’s own globals are replaced and restored without a read or a warning', async () => {
  const { value, stderr } = await start('native', temporaryDirectory());
  expect(value).toEqual({ reads: [], during: '[object Storage]', restored: true });
  expect(stderr).toBe('');
});

describe('importing holdfast/globals', () => {
  test('gives a program storage in ./.holdfast for http://localhost, which it keeps', async () => {
    const directory = temporaryDirectory();
    const first = await start('door', directory);
    expect(first).toMatchObject({ value: { never: 0, before: null, lock: 'l' }, stderr: '' });
    expect((await start('door', directory)).value).toMatchObject({ before: '1' });
    expect(fs.readdirSync(path.join(directory, '.holdfast', 'origins'))).toEqual(['http_localhost']);
  });

  test('reads root, origin and the choice of globals from the environment', async () => {
    const directory = temporaryDirectory();
    const { value } = await start('door', directory, {
      HOLDFAST_ROOT: './elsewhere',
      HOLDFAST_ORIGIN: 'https://app.example/path',
      HOLDFAST_GLOBALS: ' localStorage , navigator.storage',
    });
    expect(value).toMatchObject({ before: null });
    expect(value).not.toHaveProperty('lock');
    expect((value as { installed: string[] }).installed).not.toContain('LockManager');
    expect(fs.readdirSync(directory)).toEqual(['elsewhere']);
    expect(fs.readdirSync(path.join(directory, 'elsewhere', 'origins'))).toEqual(['https_app.example']);
  });

  test.each([
    [{ HOLDFAST_GLOBALS: 'localStorage,window' }, "not 'window'"],
    [{ HOLDFAST_ORIGIN: 'app.example' }, "'app.example' is not an origin"],
    [{ HOLDFAST_ORIGIN: 'null' }, 'opaque'],
  ])('says what is wrong with %j', async (env, message) => {
    const failure = await start('door', temporaryDirectory(), env).catch((error: { stderr: string }) => error);
    expect(failure.stderr).toContain(message);
  });
});
