import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { temporaryRoot } from './temporary.ts';

const example = fileURLToPath(new URL('../../examples/indexed-db-sessions.mjs', import.meta.url));

/** Starts the server, and gives its URL once all four processes listen. */
async function serve(root: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const server = spawn(process.execPath, ['--import', 'holdfast/globals', example], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, HOLDFAST_ROOT: root, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(server, 'exit');
  onTestFinished(() => void server.kill('SIGKILL'));
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]() as AsyncIterator<string>;
  let url = '';
  for (let n = 0; n < 4; n += 1) url = /http:\S+/.exec(String((await lines.next()).value))?.[0] ?? '';
  return {
    url,
    stop: async () => {
      server.kill('SIGTERM');
      await ended;
    },
  };
}

test('examples/indexed-db-sessions.mjs loses no visit among its processes, nor over a restart', { timeout: 120_000 }, async () => {
  const root = temporaryRoot();
  const first = await serve(root);
  const welcome = await fetch(first.url);
  const cookie = welcome.headers.get('set-cookie')?.split(';')[0] ?? '';
  expect(await welcome.text()).toMatch(/^visit 1 /);
  const texts = await Promise.all(Array.from({ length: 40 }, async () => (await fetch(first.url, { headers: { cookie } })).text()));
  const visits = texts.map((text) => Number(/visit (\d+)/.exec(text)?.[1])).sort((a, b) => a - b);
  expect(visits).toEqual(Array.from({ length: 40 }, (_, n) => n + 2));
  await first.stop();
  const second = await serve(root);
  expect(await (await fetch(`${second.url}/sessions`)).json()).toEqual({ count: 1, busiest: 41 });
  await second.stop();
});
