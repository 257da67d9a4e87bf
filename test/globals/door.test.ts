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
  for (const name of ['door', 'import', 'native', 'late', 'syncs', 'events', 'exposure']) {
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

  test('reads the environment at the first use of a storage, as far as it can wait', async () => {
    const directory = temporaryDirectory();
    const { value, stderr } = await start('late', directory, { HOLDFAST_LATE_ROOT: path.join(directory, 'late') });
    expect({ value, stderr }).toEqual({
      value: { root: path.join(directory, 'late'), origin: 'https://late.example', refused: { name: 'QuotaExceededError', quota: 20 } },
      stderr: '',
    });
    expect(fs.readdirSync(directory)).toEqual(['late']);
    expect(fs.readdirSync(path.join(directory, 'late', 'origins'))).toEqual(['https_late.example']);
  });

  test('says at the first use what is wrong with what was set late', async () => {
    const { value } = await start('late', temporaryDirectory(), { HOLDFAST_LATE_DURABILITY: 'very' });
    expect(value).toEqual({ failed: "HOLDFAST_DURABILITY knows relaxed, strict, not 'very'." });
  });

  test('HOLDFAST_DURABILITY=strict syncs what is written', async () => {
    const syncs = async (env: Record<string, string>): Promise<unknown> => (await start('syncs', temporaryDirectory(), env)).value;
    expect(await syncs({})).toBe(0);
    expect(await syncs({ HOLDFAST_DURABILITY: 'strict' })).toBeGreaterThan(0);
  });

  test.each(['1', 'true'])('HOLDFAST_EVENTS=%s makes storage events global', async (events) => {
    const { value, stderr } = await start('events', temporaryDirectory(), { HOLDFAST_EVENTS: events });
    expect({ value, stderr }).toEqual({
      value: { heard: ['client k', 'listener k', 'handler k'], others: ['custom'], global: true },
      stderr: '',
    });
  });

  test.each([{}, { HOLDFAST_EVENTS: '0' }, { HOLDFAST_EVENTS: '1', HOLDFAST_EXPOSURE: 'worker' }])(
    'with %j storage events are those of client() only',
    async (env) => {
      expect((await start('events', temporaryDirectory(), env)).value).toMatchObject({ heard: ['client k'], global: false });
    },
  );

  test.each([
    ['window', { localStorage: true, sync: false }],
    ['worker', { localStorage: false, sync: true }],
    ['standard', { localStorage: true, sync: false }],
    ['all', { localStorage: true, sync: true }],
  ])('HOLDFAST_EXPOSURE=%s', async (exposure, expected) => {
    expect((await start('exposure', temporaryDirectory(), { HOLDFAST_EXPOSURE: exposure })).value).toEqual(expected);
  });

  test.each([
    [{ HOLDFAST_QUOTA: '10MB' }, "HOLDFAST_QUOTA is a number of bytes, such as 10485760, not '10MB'"],
    [{ HOLDFAST_QUOTA: '-1' }, "not '-1'"],
    [{ HOLDFAST_DURABILITY: 'Strict' }, "HOLDFAST_DURABILITY knows relaxed, strict, not 'Strict'"],
    [{ HOLDFAST_EVENTS: 'yes' }, "HOLDFAST_EVENTS knows 1, 0, true, false, not 'yes'"],
    [{ HOLDFAST_EXPOSURE: 'page' }, "HOLDFAST_EXPOSURE knows all, standard, window, worker, not 'page'"],
    [{ HOLDFAST_GLOBALS: 'localStorage,window' }, "not 'window'"],
    [{ HOLDFAST_ORIGIN: 'app.example' }, "'app.example' is not an origin"],
    [{ HOLDFAST_ORIGIN: 'null' }, 'opaque'],
  ])('says what is wrong with %j', async (env, message) => {
    const failure = await start('door', temporaryDirectory(), env).catch((error: { stderr: string }) => error);
    expect(failure.stderr).toContain(message);
  });
});
