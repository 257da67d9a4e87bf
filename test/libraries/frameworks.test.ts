import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, expect, onTestFinished, test } from 'vitest';
import { temporaryRoot } from './temporary.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const place = path.join(checkout, '.cache/frameworks');
const packages = ['express@5', 'fastify@5', 'hono@4', '@hono/node-server@1'];

/** The frameworks from npm, once; the examples beside them, as a user would have them. */
beforeAll(async () => {
  fs.mkdirSync(place, { recursive: true });
  fs.writeFileSync(path.join(place, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  const isThere = (name: string): boolean => fs.existsSync(path.join(place, 'node_modules', name.slice(0, name.lastIndexOf('@')), 'package.json'));
  if (!packages.every(isThere)) {
    await promisify(execFile)('npm', ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', ...packages], { cwd: place });
  }
  fs.rmSync(path.join(place, 'node_modules/holdfast'), { recursive: true, force: true });
  fs.symlinkSync(checkout, path.join(place, 'node_modules/holdfast'));
  const examples = path.join(checkout, 'examples/frameworks');
  for (const name of fs.readdirSync(examples)) fs.copyFileSync(path.join(examples, name), path.join(place, name));
  fs.copyFileSync(path.join(checkout, 'test/libraries/programs/counters.mjs'), path.join(place, 'counters.mjs'));
}, 300_000);

/** Starts an example's server; gives its address. */
async function serve(name: string, root: string): Promise<string> {
  return (await start(root, `${name}.mjs`)).address;
}

async function start(root: string, ...args: string[]): Promise<{ address: string; kill: () => void }> {
  const server = spawn(process.execPath, args, { cwd: place, env: { ...process.env, ROOT: root, PORT: '0' }, stdio: ['ignore', 'pipe', 'inherit'] });
  const kill = (): void => void server.kill('SIGKILL');
  onTestFinished(kill);
  const [address] = (await once(createInterface({ input: server.stdout }), 'line')) as [string];
  return { address, kill };
}

async function visit(address: string, visitor: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(`${address}/visits?who=${visitor}`, { method: 'POST', headers, body: JSON.stringify({ visitor }) });
  expect(response.status).toBe(200);
  return response.json();
}

test.each(['express', 'fastify', 'hono', 'node-http'])('%s: a visitor has a session of their own, and all have the rest', async (name) => {
  const address = await serve(name, temporaryRoot());
  const answers = await Promise.all(['a', 'b', 'c'].map((visitor) => visit(address, visitor)));
  expect(answers.map((answer) => (answer as { visitor: string }).visitor)).toEqual(['a', 'b', 'c']);
  expect(new Set(answers.map((answer) => (answer as { visits: string }).visits))).toEqual(new Set(['1', '2', '3']));
});

test('a Next.js route handler is a function from a Request to a Response', async () => {
  const program = `
    const { POST } = await import('./next-route.mjs');
    for (const visitor of ['a', 'b']) {
      const request = new Request('http://localhost/visits', { method: 'POST', body: JSON.stringify({ visitor }) });
      console.log(await (await POST(request)).text());
    }`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program], { cwd: place, env: { ...process.env, ROOT: temporaryRoot() } });
  expect(stdout.trim().split('\n').map((line) => JSON.parse(line) as unknown)).toEqual([{ visitor: 'a', visits: '1' }, { visitor: 'b', visits: '2' }]);
});

test.each(['express', 'fastify', 'hono', 'fetch'])('%s: a coordinator is called from two processes, of which one is killed', { timeout: 120_000 }, async (name) => {
  const root = temporaryRoot();
  const [a, b] = [await start(root, 'counters.mjs', name), await start(root, 'counters.mjs', name)];
  const call = async ({ address }: { address: string }, id: string): Promise<{ n: number }> => {
    const response = await fetch(`${address}/n/${id}`, { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'text' });
    expect(response.status).toBe(201);
    const { n, ...rest } = (await response.json()) as { n: number };
    expect(rest).toEqual({ id, method: 'POST', text: 'text' });
    return { n };
  };
  expect(await call(a, 'visits')).toEqual({ n: 1 });
  const many = await Promise.all(Array.from({ length: 40 }, (_, n) => call(n % 2 === 0 ? a : b, 'visits')));
  expect(many.map(({ n }) => n).sort((one, other) => one - other)).toEqual(Array.from({ length: 40 }, (_, n) => n + 2));
  expect(await call(b, 'others')).toEqual({ n: 1 });
  a.kill();
  expect(await call(b, 'visits')).toEqual({ n: 42 });
});
