import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { makeCertificate, type Certificate } from '../support/servers/certificate.ts';
import { runCommand, startCommand, type RunningProcess } from '../cli/support.ts';
import { ORIGIN, temporary } from './support.ts';

function rootWith(value: string): string {
  const root = temporary();
  const host = new StorageHost({ root });
  host.origin(ORIGIN).localStorage.setItem('k', value);
  onTestFinished(() => host.close());
  return root;
}

async function started(root: string, ...flags: readonly string[]): Promise<{ inspecting: RunningProcess; address: URL }> {
  const inspecting = await startCommand(root, ['inspect', ...flags]);
  const line = await inspecting.until(() => /^(http.*)\n/.exec(inspecting.output)?.[1]);
  return { inspecting, address: new URL(line) };
}

test('prints an address with a token that opens the page, and ends in good order when it is told to', async () => {
  const root = rootWith('of the root');
  const { inspecting, address } = await started(root);
  expect(address.href).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/\?token=[0-9a-f]{64}$/);
  const entered = await fetch(address, { redirect: 'manual' });
  expect(entered.status).toBe(303);
  const cookie = entered.headers.get('set-cookie')?.split(';')[0] ?? '';
  const ask = (headers: Record<string, string>): Promise<Response> => fetch(new URL('/api/items', address), { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify({ origin: ORIGIN }) });
  expect(await (await ask({ cookie })).json()).toMatchObject({ rows: [{ key: 'k', value: { text: 'of the root' } }] });
  expect((await ask({})).status).toBe(401);
  expect((await ask({ cookie, origin: 'http://127.0.0.1:1' })).status).toBe(403);
  expect(await statusAs('evil.example', address, cookie)).toBe(421);
  expect(await statusAs('a b', address, cookie)).toBe(400);
  // A page that listens does not hold it up.
  const news = await fetch(new URL('/api/news', address), { headers: { cookie } });
  expect(news.headers.get('content-type')).toContain('text/event-stream');
  inspecting.child.kill('SIGINT');
  expect(await inspecting.ended).toBe(0);
  await news.text().catch(() => undefined);
});

/** `fetch` gives no other Host than the address's. */
function statusAs(host: string, { port }: URL, cookie: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    http.get({ port, host: '127.0.0.1', headers: { host, cookie } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
}

test('sends a large file as it is read, and takes one', async () => {
  const root = rootWith('v');
  const { address } = await started(root);
  const cookie = (await fetch(address, { redirect: 'manual' })).headers.get('set-cookie')?.split(';')[0] ?? '';
  const file = (as: string): URL => new URL(`/api/${as === 'put' ? 'upload' : 'file'}?q=${encodeURIComponent(JSON.stringify({ origin: ORIGIN, path: ['large'], as: 'download' }))}`, address);
  const content = Buffer.alloc(20 * 2 ** 20, 'large ');
  const sent = await fetch(file('put'), { method: 'PUT', headers: { cookie, 'content-type': 'application/octet-stream' }, body: content });
  expect(sent.status).toBe(200);
  const saved = await fetch(file('get'), { headers: { cookie } });
  expect(saved.headers.get('content-length')).toBe(String(content.length));
  expect(Buffer.from(await saved.arrayBuffer()).equals(content)).toBe(true);
  const cut = new AbortController();
  const given = await fetch(file('get'), { headers: { cookie }, signal: cut.signal });
  await given.body?.getReader().read();
  cut.abort();
  expect((await fetch(file('get'), { headers: { cookie } })).status).toBe(200);
});

test('warns where the secret would travel in the clear, and has names that are allowed', async () => {
  const { inspecting, address } = await started(rootWith('v'), '--host', '0.0.0.0', '--name', 'Inspect.example', '--read-only');
  expect(inspecting.errors).toContain('without --cert and --key');
  const cookie = (await fetch(address, { redirect: 'manual' })).headers.get('set-cookie')?.split(';')[0] ?? '';
  expect(await statusAs('inspect.example', address, cookie)).toBe(200);
  const about = await fetch(new URL('/api/about', address), { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: '{}' });
  expect(await about.json()).toMatchObject({ readOnly: true });
});

test.each([
  [['--port', 'x'], 2, /'--port' takes a number from 0 to 65535, not 'x'/],
  [['--cert', 'c.pem'], 2, /'--cert' and '--key' belong together/],
  [['--cert', 'c.pem', '--key', 'k.pem'], 1, /The file c\.pem cannot be read \(ENOENT\)/],
  [['somewhere'], 2, /unexpected 'somewhere'/],
  [['--host', '203.0.113.7', '--cert', 'CERT', '--key', 'CERT'], 1, /./],
])('%j: one clear line', async (flags, code, message) => {
  const root = rootWith('v');
  const cert = path.join(path.dirname(root), 'cert.pem');
  fs.writeFileSync(cert, 'none');
  const ended = await runCommand(root, ['inspect', ...flags.map((flag) => (flag === 'CERT' ? cert : flag))]);
  expect(ended).toMatchObject({ code, out: '', err: expect.stringMatching(message) });
  const [, ...more] = ended.err.trim().split('\n');
  expect(more).toEqual(code === 2 ? [expect.stringMatching(/^Usage: holdfast inspect /)] : []);
});

test('speaks HTTPS with a certificate, and has the cookie travel only so', async ({ skip }) => {
  const certificate = certificateOr(skip);
  const { address, inspecting } = await started(rootWith('v'), '--host', '0.0.0.0', '--cert', certificate.certFile, '--key', certificate.keyFile);
  expect(inspecting.errors).toBe('');
  const cookies = await new Promise((resolve, reject) => {
    https.get(address, { ca: certificate.ca }, (response) => {
      response.resume();
      resolve(response.headers['set-cookie']?.join());
    }).on('error', reject);
  });
  expect(cookies).toMatch(/; HttpOnly; SameSite=Strict; Secure$/);
});

function certificateOr(skip: (why: string) => never): Certificate {
  try {
    const made = makeCertificate();
    onTestFinished(() => made.dispose());
    return made;
  } catch (error) {
    return skip((error as Error).message);
  }
}

test('a root that is not there is an error, and none is made', async () => {
  const root = temporary();
  expect(await runCommand(root, ['inspect'])).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast inspect: There is no root at .*\n$/) });
  expect(fs.existsSync(root)).toBe(false);
});
