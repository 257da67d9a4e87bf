import { spawn } from 'node:child_process';
import { once } from 'node:events';
import http from 'node:http';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { temporaryRoot } from './temporary.ts';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Over a connection of its own, so that the next request may come to another process. */
function ask(url: string, method = 'GET'): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text })).on('error', reject);
    });
    request.on('error', reject).end();
  });
}

test('examples/edge-cache.mjs renders a page once for four processes, and remembers it over a restart', { timeout: 240_000 }, async () => {
  const root = temporaryRoot();
  const example = fileURLToPath(new URL('../../examples/edge-cache.mjs', import.meta.url));
  const cwd = fileURLToPath(new URL('../..', import.meta.url));
  const start = async (): Promise<{ base: string; end: () => Promise<unknown> }> => {
    const child = spawn(process.execPath, ['--import', 'holdfast/globals', example], { cwd, env: { ...process.env, HOLDFAST_ROOT: root, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
    let output = '';
    const base = await new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
        const [url] = /http:\S+/.exec((output += chunk)) ?? [];
        if (url !== undefined) resolve(url);
      });
      child.on('exit', () => reject(new Error('the example has ended')));
    });
    return {
      base,
      end: () => {
        const ended = once(child, 'exit');
        child.kill();
        return ended;
      },
    };
  };
  const first = await start();
  const answers = await Promise.all(Array.from({ length: 16 }, () => ask(`${first.base}/news`)));
  expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
  const [page] = answers;
  expect(page?.text).toContain('rendered by process');
  expect((await ask(`${first.base}/other`)).text).not.toBe(page?.text);
  await first.end();
  const second = await start();
  expect(await ask(`${second.base}/news`)).toEqual(page);
  expect((await ask(`${second.base}/news`, 'PURGE')).status).toBe(204);
  expect((await ask(`${second.base}/news`, 'PURGE')).status).toBe(404);
  expect((await ask(`${second.base}/news`)).text).not.toBe(page?.text);
  await second.end();
});
