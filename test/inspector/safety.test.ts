import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { guarded } from '../../src/inspector/guard.ts';
import { inspected, ORIGIN, write } from './support.ts';

const html = '<img src=x onerror=alert(1)><script>alert(1)</script>';

describe('the page', () => {
  test('loads nothing from elsewhere, and has neither script nor style of its own in it', async () => {
    const { get } = inspected();
    const page = await get('/');
    const policy = page.headers.get('content-security-policy') ?? '';
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("script-src 'self'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain('unsafe');
    const text = await page.text();
    expect(text).not.toMatch(/<script(?![^>]*\ssrc="page\.js")|<style|\son\w+=|style=/);
    const script = await (await get('/page.js')).text();
    expect(script.startsWith('/*! preact')).toBe(true);
    expect(/https?:\/\/(?!www\.w3\.org\/)/.exec(script + text)?.[0]).toBe(undefined);
    expect((await get('/page.css')).headers.get('content-type')).toBe('text/css; charset=utf-8');
    expect((await get('/other.js')).status).toBe(404);
  });

  test('makes no markup of any text', () => {
    const folder = new URL('../../src/inspector/page/', import.meta.url);
    const sources = fs.readdirSync(folder).filter((name) => /\.tsx?$/.test(name));
    expect(sources.length).toBeGreaterThan(10);
    const makers = /innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|\beval\b|new Function|DOMParser|createContextualFragment/i;
    expect(sources.filter((name) => makers.test(fs.readFileSync(new URL(name, folder), 'utf8')))).toEqual([]);
  });

  test('is under the path that was chosen, and nowhere else', async () => {
    const { get } = inspected({ path: '/admin/storage' });
    expect((await get('/')).status).toBe(404);
    const bare = await get('/admin/storage');
    expect([bare.status, bare.headers.get('location')]).toEqual([308, '/admin/storage/']);
    expect((await get('/admin/storage/')).status).toBe(200);
    expect((await get('/admin/storage/page.js')).status).toBe(200);
    expect((await get('/admin/storagepage.js')).status).toBe(404);
  });
});

describe('what another site sends', () => {
  const ask = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{}' };
  test.each([
    ['cross-site', { 'sec-fetch-site': 'cross-site' }],
    ['from another port of the same machine', { 'sec-fetch-site': 'same-site' }],
    ['by a browser that says its origin only', { origin: 'https://evil.example' }],
    ['from an opaque origin', { origin: 'null' }],
  ])('is refused: %s', async (_, headers) => {
    const { handler } = inspected();
    const response = await handler(new Request('http://localhost/api/origins', { ...ask, headers: { ...ask.headers, ...headers } }));
    expect(response.status).toBe(403);
    expect((await handler(new Request('http://localhost/api/news', { headers }))).status).toBe(403);
  });

  test('is refused as what a form can send', async () => {
    const { handler } = inspected();
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const response = await handler(new Request('http://localhost/api/clear-items', { method: 'POST', headers: { 'content-type': type }, body: '{"origin":"https://a.example"}' }));
      expect(response.status).toBe(415);
    }
  });

  test('changes nothing by GET', async () => {
    const { content, host } = inspected();
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    expect((await content('clear-items', { origin: ORIGIN })).status).toBe(404);
    expect(host.origin(ORIGIN).localStorage.length).toBe(1);
  });
});

describe('what tenants have written', () => {
  test('is never given as a document', async () => {
    const { content, get, host } = inspected();
    await write(host, ['page.html'], html);
    await write(host, ['image.svg'], `<svg xmlns="http://www.w3.org/2000/svg">${html}</svg>`);
    for (const [name, as] of [['page.html', 'bytes'], ['page.html', 'download'], ['image.svg', 'bytes'], ['image.svg', 'image']]) {
      const { headers } = await content('file', { origin: ORIGIN, path: [name], as });
      expect(headers.get('content-type')).toMatch(/^application\/(octet-stream|json)/);
      expect(headers.get('content-security-policy')).toMatch(/^sandbox; default-src 'none'/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin');
    }
    expect((await get('/')).headers.get('x-frame-options')).toBe('DENY');
  });
});

describe('hostile requests', () => {
  test.each([[['..', 'secret']], [['..']], [['a/../../secret']], [['dir', '..', '..', 'secret']], [['']]])('names that lead out are refused: %j', async (names) => {
    const { content, refusal, put, host, root } = inspected();
    await write(host, ['dir', 'f'], 'f');
    fs.writeFileSync(path.join(path.dirname(root), 'secret'), 'secret');
    expect((await content('file', { origin: ORIGIN, path: names })).status).toBeGreaterThanOrEqual(400);
    expect((await put({ origin: ORIGIN, path: names, replace: true }, 'x')).status).toBeGreaterThanOrEqual(400);
    for (const call of ['files', 'remove-entry', 'make-directory']) expect((await refusal(call, { origin: ORIGIN, path: names })).status).toBeGreaterThanOrEqual(400);
    expect((await refusal('rename-entry', { origin: ORIGIN, path: ['dir'], to: names })).status).toBeGreaterThanOrEqual(400);
    expect(fs.readFileSync(path.join(path.dirname(root), 'secret'), 'utf8')).toBe('secret');
  });

  test.each([
    ['items', {}],
    ['items', { origin: 5 }],
    ['items', { origin: ORIGIN, offset: -1 }],
    ['items', { origin: ORIGIN, limit: 1e9 }],
    ['items', { origin: ORIGIN, search: 'x'.repeat(5000) }],
    ['set-item', { origin: ORIGIN, key: 'k', value: 5 }],
    ['files', { origin: ORIGIN, path: 'f' }],
    ['files', { origin: ORIGIN, path: Array(600).fill('d') }],
    ['files', { origin: ORIGIN, path: [{ length: 3 }] }],
    ['origins', { sort: 'constructor' }],
    ['origin', { origin: 'file:///etc/passwd' }],
    ['origin', { origin: 'https://../../etc' }],
  ])('%s of %j is refused', async (name, args) => {
    const { refusal, host } = inspected();
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    const { status, message } = await refusal(name, args);
    expect([400, 404, 500].includes(status) && message.length > 0).toBe(true);
    expect(host.origin(ORIGIN).localStorage.getItem('k')).toBe('v');
  });

  test.each(['constructor', '__proto__', 'toString', '', 'items/'])("'%s' is nothing to ask for", async (name) => {
    const { refusal } = inspected();
    expect((await refusal(name, {})).status).toBe(404);
  });

  test('what is no JSON, and what is too long, is refused', async () => {
    const { handler, get } = inspected();
    const post = (body: string | ReadableStream): Promise<Response> => handler(new Request('http://localhost/api/origins', { method: 'POST', headers: { 'content-type': 'application/json' }, body, duplex: 'half' } as RequestInit));
    expect((await post('{')).status).toBe(400);
    expect((await post('[]')).status).toBe(400);
    expect((await get('/api/file?q={')).status).toBe(400);
    let sent = 0;
    const endless = new ReadableStream({ pull: (controller) => controller.enqueue(new Uint8Array((sent += 1) && 2 ** 20)) });
    expect((await post(endless)).status).toBe(413);
    expect(sent).toBeLessThan(80);
  });
});

test('read-only refuses every change at the server, and shows all the same', async () => {
  const { host, ask, refusal, put } = inspected({ readOnly: true });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  await write(host, ['f'], 'f');
  const changes = ['set-item', 'remove-item', 'clear-items', 'make-directory', 'rename-entry', 'remove-entry', 'delete-origin', 'acknowledge'];
  for (const name of changes) expect(await refusal(name, { origin: ORIGIN, again: ORIGIN, key: 'k', value: 'x', path: ['f'], to: ['g'], serial: 1 })).toMatchObject({ status: 403, code: 'read-only' });
  expect(await put({ origin: ORIGIN, path: ['new'] }, 'x')).toMatchObject({ status: 403 });
  expect(await ask('about')).toMatchObject({ readOnly: true });
  expect(await ask('items', { origin: ORIGIN })).toMatchObject({ rows: [{ key: 'k', value: { text: 'v' } }] });
  expect(await ask('files', { origin: ORIGIN, path: [] })).toMatchObject({ rows: [{ name: 'f' }] });
});

describe('the guard of the command', () => {
  const options = { token: 't'.repeat(64), session: 's'.repeat(64), cookie: 'holdfast-x', names: ['inspect.example'], isSecure: false };
  const guard = guarded(async () => new Response('inside'), options);
  const ask = (url: string, headers: Record<string, string> = {}): Promise<Response> => guard(new Request(url, { headers }));

  test('makes a strict cookie of the token, and takes the token out of the address', async () => {
    const response = await ask(`http://127.0.0.1:5/?token=${options.token}`);
    expect([response.status, response.headers.get('location')]).toEqual([303, './']);
    expect(response.headers.get('set-cookie')).toBe(`holdfast-x=${options.session}; Path=/; HttpOnly; SameSite=Strict`);
    expect(response.headers.get('referrer-policy')).toBe('no-referrer');
    const secure = guarded(async () => new Response('inside'), { ...options, isSecure: true });
    expect((await secure(new Request(`https://127.0.0.1/?token=${options.token}`))).headers.get('set-cookie')).toContain('; Secure');
  });

  test('lets in who has the cookie, and nobody else', async () => {
    const cookie = `holdfast-x=${options.session}`;
    expect(await (await ask('http://127.0.0.1:5/', { cookie: `other=1; ${cookie}` })).text()).toBe('inside');
    for (const wrong of ['', 'holdfast-x=', `holdfast-x=${options.token}`, `holdfast-y=${options.session}`, `${cookie}0`]) expect((await ask('http://127.0.0.1:5/api/origins', { cookie: wrong })).status).toBe(401);
    for (const token of ['', 'x', `${options.token}0`, options.session]) expect((await ask(`http://127.0.0.1:5/?token=${token}`, { cookie })).status).toBe(401);
    expect((await ask(`http://127.0.0.1:5/api/origins?token=${options.token}`)).status).toBe(401);
  });

  test('answers to addresses, localhost and names that were allowed: no name can be made to point here', async () => {
    const cookie = `holdfast-x=${options.session}`;
    for (const host of ['127.0.0.1:5', 'localhost:5', '[::1]:5', '10.1.2.3', 'inspect.example:5', 'LOCALHOST']) expect((await ask(`http://${host}/`, { cookie })).status).toBe(200);
    for (const host of ['evil.example', 'localhost.evil.example', '127.0.0.1.evil.example:5', 'evil-localhost']) {
      expect((await ask(`http://${host}/`, { cookie })).status).toBe(421);
      expect((await ask(`http://${host}/?token=${options.token}`)).status).toBe(421);
    }
  });
});
