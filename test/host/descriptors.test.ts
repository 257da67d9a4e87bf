import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { onShortage, withDescriptors } from '../../src/runtime/descriptors.ts';
import { bundleFixture } from '../support/bundle.ts';
import { temporaryDirectory } from './support.ts';

const run = promisify(execFile);

async function report(fixture: string, ...args: string[]): Promise<unknown> {
  const command = [process.execPath, '--expose-gc', fixture, path.join(temporaryDirectory(), 'root'), ...args];
  // The limit of the shell is that of what it becomes.
  const { stdout } = await run('sh', ['-c', 'ulimit -n 200 && exec "$@"', 'sh', ...command]);
  return JSON.parse(stdout);
}

describe.skipIf(process.platform !== 'linux')('descriptors', { timeout: 120_000 }, () => {
  let fixture: string;
  beforeAll(async () => {
    fixture = await bundleFixture(new URL('./fixtures/descriptors-fixture.ts', import.meta.url));
  });

  test('of hundreds of clients with a listener are few, whether these are held, closed or dropped, and none at the end', async () => {
    expect(await report(fixture, 'listeners')).toEqual([]);
  });

  test('of a hundred lock journals are few, and none at the end', async () => {
    expect(await report(fixture, 'engines')).toEqual([]);
  });

  test('that are idle are given up where the process has none left', async () => {
    expect(await report(fixture, 'idle')).toEqual([]);
  });

  test('that are missing fail what needs them with a documented error, for that time only', async () => {
    expect(await report(fixture, 'none')).toEqual([]);
  });
});

test('what several lack at once is given up once, and helps all of them', async () => {
  let isIdle = true;
  onShortage(() => isIdle && !(isIdle = false));
  const openTwice = (): (() => Promise<string>) => {
    let calls = 0;
    return async () => {
      if (calls++ === 0) throw Object.assign(new Error('too many open files'), { code: 'EMFILE' });
      return 'opened';
    };
  };
  expect(await Promise.all([withDescriptors(openTwice()), withDescriptors(openTwice())])).toEqual(['opened', 'opened']);
  await expect(withDescriptors(openTwice())).rejects.toThrow('too many');
});

describe('a client of its own that nobody holds', { timeout: 120_000 }, () => {
  test('is freed, whatever it was used for, unless it listens', async () => {
    const fixture = await bundleFixture(new URL('./fixtures/dropped-fixture.ts', import.meta.url));
    const sorts = ['session', 'local', 'files', 'locks', 'closed', 'listening'];
    const { listening, ...freed } = (await report(fixture, ...sorts)) as Record<string, boolean>;
    expect(freed).toEqual({ session: true, local: true, files: true, locks: true, closed: true });
    expect(listening).toBe(false);
  });
});
