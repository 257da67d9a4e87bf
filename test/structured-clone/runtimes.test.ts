import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';

const run = promisify(execFile);

function found(name: string): string | undefined {
  return process.env['PATH']?.split(delimiter).map((folder) => join(folder, name)).find((path) => existsSync(path));
}

const runtimes = [
  { name: 'Node', command: process.execPath, flags: [] },
  { name: 'Deno', command: found('deno'), flags: ['run', '--allow-all', '--no-prompt'] },
  { name: 'Bun', command: found('bun'), flags: [] },
];

let exchange: string;
let worker: string;
beforeAll(async () => {
  exchange = await bundleFixture(new URL('./exchange-fixture.ts', import.meta.url));
  worker = await bundleFixture(new URL('./worker-fixture.ts', import.meta.url));
});

describe.each(runtimes)('on $name', ({ name, command, flags }) => {
  test.skipIf(command === undefined)('handles pass between realms, and only within their origin', async () => {
    const { stdout } = await run(command ?? '', [...flags, exchange, worker], { timeout: 100_000 });
    const lines = stdout.trim().split('\n');
    const results = Object.fromEntries(lines.map((line) => JSON.parse(line) as [string, unknown]));
    const arrived = { handle: 'handle a' };
    const answer = { got: arrived, back: 'handle from the worker' };
    const hasWebWorkers = name !== 'Node';
    expect(results).toEqual({
      port: { addEventListener: arrived, onmessage: arrived, on: arrived },
      foreignPort: { addEventListener: 'DataCloneError', onmessage: 'DataCloneError', on: 'DataCloneError' },
      itself: 'handle itself',
      plain: { plain: [1, { two: null }] },
      early: name === 'Deno' ? 'left out' : arrived,
      sync: arrived,
      foreignSync: 'DataCloneError',
      broadcast: arrived,
      foreignBroadcast: 'DataCloneError',
      thread: answer,
      threadPort: { ...answer, got: { ...arrived, port: expect.stringMatching(/^\[object (MessagePort|EventTarget)\]$/) as string } },
      threadOfAnotherOrigin: { error: 'DataCloneError' },
      threadWithout: { got: 'Map of holdfast:structured-clone', back: null },
      web: hasWebWorkers ? answer : 'none',
      foreignWeb: hasWebWorkers ? { error: 'DataCloneError' } : 'none',
      workerData: name === 'Node' ? { ...answer, got: { plain: true }, started: 'handle a' } : 'left out',
    });
  });
});
