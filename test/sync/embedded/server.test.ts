import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import os from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LockTable } from '../../../src/disk/locks/table.ts';
import type { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import type { NewEntry } from '../../../src/sync/hub.ts';
import { embeddedHub, startHub } from '../../../src/sync/index.ts';
import type { HubServerOptions } from '../../../src/sync/index.ts';
import { beginMessage, openMessage, readRefusal } from '../../../src/sync/hubs/embedded/protocol.ts';
import { connected, entry, startedHub, temporaryRoot, TOKEN } from './in-process.ts';

/** One request as it is, and what came back. */
function send(url: string, options: http.RequestOptions & { body?: Uint8Array } = {}): Promise<{ status: number; body: Buffer }> {
  const { body = new Uint8Array(), ...rest } = options;
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-length': body.length, ...(rest.headers as object) };
    const request = http.request(url, { method: 'POST', agent: false, ...rest, headers }, (response) => {
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts) }));
    });
    request.on('error', reject);
    request.end(body);
  });
}

const refusalIn = (body: Uint8Array) => readRefusal(openMessage(body));

describe('who may talk to the hub', () => {
  test.each([
    ['a wrong token', { authorization: 'Bearer another' }],
    ['no token', { authorization: '' }],
    ['the token as a password', { authorization: `Basic ${Buffer.from(`:${TOKEN}`).toString('base64')}` }],
    ['a token that goes on', { authorization: `Bearer ${TOKEN}x` }],
  ])('nobody with %s', async (_, headers) => {
    const { url } = await startedHub();
    const { status, body } = await send(`${url}/holdfast-hub/hello`, { headers, body: beginMessage().finish() });
    expect(status).toBe(401);
    expect(refusalIn(body)?.code).toBe('hub-unauthorized');
  });

  test('a client with a wrong token is told hub-unauthorized, without either token', async () => {
    const { url } = await startedHub();
    const hub = embeddedHub({ url, token: 'a-wrong-token' });
    onTestFinished(() => hub.close());
    const error = await hub.connect().then(() => null, (reason: HoldfastError) => reason);
    expect(error?.code).toBe('hub-unauthorized');
    expect(`${error?.stack} ${JSON.stringify(error)} ${hub.name}`).not.toMatch(/a-wrong-token|a-token-of/);
  });

  test('the token is in no error when the hub is away', async () => {
    const { url, close } = await startedHub();
    await close();
    const hub = embeddedHub({ url, token: TOKEN });
    const error = await hub.connect().then(() => null, (reason: HoldfastError) => reason);
    expect(error?.code).toBe('hub-unreachable');
    const { inspect } = await import('node:util');
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(TOKEN);
    expect(inspect(hub, { depth: 9 })).not.toContain(TOKEN);
  });
});

describe('what is no request of this protocol', () => {
  test.each([
    ['another version', 'hello', Uint8Array.from([0x48, 0x46, 0x48, 9]), 426],
    ['another protocol', 'hello', Buffer.from('{"hello":1}'), 426],
    ['an operation that there is not', 'drop', beginMessage().finish(), 426],
    ['bytes left over', 'hello', beginMessage().u8(1).finish(), 400],
    ['a name that is too long', 'head', beginMessage().units('x'.repeat(513)).finish(), 400],
    ['an id that cannot be one', 'append', beginMessage().units('log').u32(1).u8(1).raw(Buffer.from(' ')).bytes(Buffer.from('x')).finish(), 400],
  ])('%s is refused as such', async (_, operation, body, status) => {
    const { url } = await startedHub();
    const answer = await send(`${url}/holdfast-hub/${operation}`, { body });
    expect(answer.status).toBe(status);
    expect(refusalIn(answer.body)?.code).toBe('hub-incompatible');
  });

  test('more bytes than an operation takes are refused before they are sent', async () => {
    const { url } = await startedHub();
    const body = new Uint8Array(2 ** 17);
    const { status } = await send(`${url}/holdfast-hub/head`, { body });
    expect(status).toBe(413);
  });

  test('an entry that is too large is refused by the server too', async () => {
    const { url } = await startedHub();
    const body = beginMessage().units('log').u32(1).u8(1).raw(Buffer.from('a')).bytes(new Uint8Array(2 ** 22 + 1)).finish();
    const answer = await send(`${url}/holdfast-hub/append`, { body });
    expect(answer.status).toBe(413);
    expect((await (await connected(url)).log('log').head()).position).toBe(0);
  });

  test('the server survives any bytes', async () => {
    const { url } = await startedHub();
    const operations = ['hello', 'head', 'append', 'read', 'wait', 'snapshot', 'put-snapshot', 'trim', 'put-blob', 'get-blob', 'has-blobs', ''];
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...operations), fc.boolean(), fc.uint8Array({ maxLength: 100 }), async (operation, marked, bytes) => {
        const body = marked ? Buffer.concat([beginMessage().finish(), bytes]) : bytes;
        // What is right by chance may wait for news; it is let go.
        if (operation === 'wait' && marked) return;
        await send(`${url}/holdfast-hub/${operation}`, { body });
      }),
      { numRuns: 200 },
    );
    expect((await send(`${url}/holdfast-hub/hello`, { body: beginMessage().finish() })).status).toBe(200);
  });

  test.each([
    ['another server', 200, 'hello', 'hub-incompatible'],
    ['a hub of a later version', 200, 'HFH\u0002\0\0\0\0', 'hub-incompatible'],
    ['an answer that is cut off', 200, 'HFH\u0001\0', 'hub-incompatible'],
    ['an answer with a status that there is not', 200, 'HFH\u0001\u0063', 'hub-incompatible'],
    ['a gateway without its hub', 502, 'Bad Gateway', 'hub-unreachable'],
    ['a gateway with a login of its own', 403, 'Forbidden', 'hub-unauthorized'],
    ['no page', 404, 'Not Found', 'hub-incompatible'],
  ])('a client that meets %s says so', async (_, status, body, code) => {
    const server = http.createServer((request, response) => request.resume().on('end', () => response.writeHead(status).end(body)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => void server.close());
    const hub = embeddedHub({ url: `http://127.0.0.1:${(server.address() as { port: number }).port}`, token: TOKEN });
    await expect(hub.connect()).rejects.toMatchObject({ name: 'HoldfastError', code });
    await hub.close();
  });
});

describe('options', () => {
  const cases: [string, () => unknown][] = [
    ['no url', () => embeddedHub({ token: TOKEN } as never)],
    ['a url that is none', () => embeddedHub({ url: 'hub.example', token: TOKEN })],
    ['a url with a password', () => embeddedHub({ url: 'http://a:secret@hub.example', token: TOKEN })],
    ['an unknown option', () => embeddedHub({ url: 'http://hub.example', token: TOKEN, tokens: 'secret' } as never)],
    ['a token that no header can hold', () => embeddedHub({ url: 'http://hub.example', token: 'secret\n' })],
    ['tls for http', () => embeddedHub({ url: 'http://hub.example', token: TOKEN, tls: { ca: 'x' } })],
  ];

  test.each(cases)('%s is refused at once, and no secret is shown', (_, make) => {
    expect(make).toThrow(expect.objectContaining({ code: 'bad-option', message: expect.not.stringContaining('secret') }));
  });

  test('the token may come from the environment', () => {
    expect(() => embeddedHub({ url: 'http://hub.example' })).toThrow(/HOLDFAST_HUB_TOKEN/);
    vi.stubEnv('HOLDFAST_HUB_TOKEN', TOKEN);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(embeddedHub({ url: 'http://hub.example:4653/' }).name).toBe('embedded at hub.example:4653');
  });

  test.each([{}, { root: '' }, { root: 'x' }, { root: 'x', token: '' }, { root: 'x', token: TOKEN, port: -1 }, { root: 'x', token: TOKEN, prot: 1 }])('startHub refuses %j', async (options) => {
    await expect(startHub(options as HubServerOptions)).rejects.toMatchObject({ code: 'bad-option' });
  });
});

describe('a root', () => {
  test('has one server: a second one says so', async () => {
    const { root } = await startedHub();
    await expect(startHub({ root, token: TOKEN })).rejects.toMatchObject({ code: 'root-unusable', message: expect.stringContaining(`process ${process.pid}`) });
  });

  test('whose server was replaced has one server again: the other ends and says why', async () => {
    const { root, ended, url } = await startedHub();
    const bucket = path.join(root, 'server');
    const table = new LockTable({ path: bucket, ensure: () => undefined });
    onTestFinished(() => table.close());
    await table.request({ name: 'hub', mode: 'exclusive', clientId: '{}', ifAvailable: false, steal: true }).granted;
    expect((await ended)?.code).toBe('session-lost');
    const hub = embeddedHub({ url, token: TOKEN });
    await expect(hub.connect()).rejects.toMatchObject({ code: 'hub-unreachable' });
  });

  test('has the next one when the first was closed, with the same data', async () => {
    const first = await startedHub();
    const log = (await connected(first.url)).log('log');
    await log.append([entry('a')]);
    const { epoch } = await log.head();
    await first.close();
    expect(await first.ended).toBeNull();
    const second = await startedHub({ root: first.root });
    expect(await (await connected(second.url)).log('log').head()).toEqual({ epoch, position: 1, first: 1 });
  });

  test('that holds the storage of a host is refused', async () => {
    const root = temporaryRoot();
    fs.mkdirSync(root);
    fs.writeFileSync(path.join(root, 'holdfast.json'), '{}');
    await expect(startHub({ root, token: TOKEN })).rejects.toMatchObject({ code: 'root-unusable' });
  });

  test('of a newer format is refused', async () => {
    const root = temporaryRoot();
    fs.mkdirSync(root);
    fs.writeFileSync(path.join(root, 'holdfast-hub.json'), '{"format":3}');
    await expect(startHub({ root, token: TOKEN })).rejects.toMatchObject({ code: 'root-newer' });
  });

  test('is private, whatever the umask, and its names give nothing away of paths', async () => {
    const { root, url } = await startedHub();
    const hub = await connected(url);
    for (const name of ['../../escape', 'https://a.example files', '\ud800', 'x'.repeat(512)]) {
      const log = hub.log(name);
      await log.append([entry('a')]);
      await log.putSnapshot({ position: 1, bytes: Buffer.from('s') });
    }
    for (const found of fs.readdirSync(root, { withFileTypes: true, recursive: true })) {
      const { mode } = fs.statSync(path.join(found.parentPath, found.name));
      expect((mode & 0o077).toString(8), found.name).toBe('0');
    }
    expect(fs.readdirSync(path.join(root, 'logs'))).toHaveLength(4);
    expect(fs.readdirSync(path.dirname(root))).toEqual(['root']);
  });

  test('where reading asks for logs that there are not, is left as it is', async () => {
    const { root, url } = await startedHub();
    const log = (await connected(url)).log('log');
    expect([await log.read(0, 1), await log.snapshot(), await log.getBlob('0'.repeat(64)), await log.trim(1)]).toEqual([[], null, null, undefined]);
    expect(fs.readdirSync(path.join(root, 'logs'))).toEqual([]);
  });

  test('whose log has a damaged journal says so, and serves the others', async () => {
    const first = await startedHub();
    const hub = await connected(first.url);
    await hub.log('a').append([entry('a')]);
    await hub.log('b').append([entry('b')]);
    await first.close();
    fs.truncateSync(path.join(first.root, 'logs/a/journal/0'), 50);
    const { url } = await startedHub({ root: first.root });
    const again = await connected(url);
    await expect(again.log('a').head()).rejects.toMatchObject({ code: 'hub-damaged' });
    expect((await again.log('b').head()).position).toBe(1);
    let news = 0;
    again.log('a').subscribe(() => undefined);
    again.log('b').subscribe(() => (news += 1));
    await vi.waitFor(() => expect(news).toBeGreaterThan(0), 30_000);
  });
});

test('a log whose entries were trimmed gives their disk space back, and so do commits', async () => {
  const { root, url } = await startedHub();
  const log = (await connected(url)).log('log');
  const large = (): NewEntry => ({ ...entry(''), bytes: new Uint8Array(2 ** 21) });
  for (let count = 0; count < 17; count++) await log.append([large()]);
  const { epoch } = await log.head();
  const size = (name: string): number => {
    const directory = path.join(root, name);
    return fs.readdirSync(directory).reduce((sum, file) => sum + (fs.statSync(path.join(directory, file), { throwIfNoEntry: false })?.size ?? 0), 0);
  };
  await vi.waitFor(() => expect(size('commits')).toBeLessThan(2 ** 23), { timeout: 30_000 });
  expect(size('logs/log/journal')).toBeGreaterThan(2 ** 24);
  await log.putSnapshot({ position: 17, bytes: Buffer.from('all') });
  await log.trim(16);
  expect(size('logs/log/journal')).toBeLessThan(2 ** 22);
  await log.append([entry('next')]);
  expect(await log.head()).toEqual({ epoch, position: 18, first: 17 });
});

/** How many files of logs this process, which serves them, has open; 0 where that cannot be seen. */
function openLogFiles(): number {
  if (!fs.existsSync('/proc/self/fd')) return 0;
  const targets = fs.readdirSync('/proc/self/fd').map((descriptor) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
    } catch {
      return ''; // That of the listing itself, for one.
    }
  });
  return targets.filter((target) => target.includes('/logs/')).length;
}

test('of many logs only some stay in memory, and all can be used', async () => {
  const { url } = await startedHub();
  const hub = await connected(url);
  const logs = Array.from({ length: 260 }, (_, index) => hub.log(`log ${index}`));
  for (let round = 1; round <= 2; round++) {
    await Promise.all(logs.map((log, index) => log.append([entry(`${round} ${index}`)])));
  }
  for (const [index, log] of logs.entries()) expect((await log.read(0, 10)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual([`1 ${index}`, `2 ${index}`]);
  expect(openLogFiles()).toBeLessThanOrEqual(256);
});

test('a client that would send its token in the clear is warned', async () => {
  const { url } = await startedHub({ host: '0.0.0.0' });
  const addresses = Object.values(os.networkInterfaces()).flat().filter((each) => each?.family === 'IPv4' && !each.internal);
  const warningsAt = async (host: string): Promise<readonly string[]> => {
    const hub = embeddedHub({ url: url.replace('0.0.0.0', host), token: TOKEN });
    onTestFinished(() => hub.close());
    return (await hub.connect()).warnings;
  };
  expect(await warningsAt('127.0.0.1')).toEqual([]);
  for (const address of addresses) expect(await warningsAt(address?.address ?? '')).toHaveLength(1);
});

test('a client that goes away while it waits leaves nothing behind', async () => {
  const { url, close } = await startedHub();
  const hub = await connected(url);
  let news = 0;
  hub.log('log').subscribe(() => (news += 1));
  await vi.waitFor(() => expect(news).toBeGreaterThan(0), 30_000);
  await hub.close();
  await close();
});

test('blobs whose bytes are not those of their name are refused', async () => {
  const { url } = await startedHub();
  const log = (await connected(url)).log('log');
  await expect(log.putBlob('0'.repeat(64), Buffer.from('x'))).rejects.toMatchObject({ code: 'hub-damaged' });
  expect((await log.hasBlobs(['0'.repeat(64)])).size).toBe(0);
});

test('with a certificate it speaks HTTPS, which clients verify', async () => {
  const folder = path.dirname(temporaryRoot());
  const [cert, key] = ['cert.pem', 'key.pem'].map((name) => path.join(folder, name)) as [string, string];
  try {
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2', '-keyout', key, '-out', cert], { stdio: 'ignore' });
  } catch {
    throw new Error('this test needs openssl');
  }
  const tls = { cert: fs.readFileSync(cert), key: fs.readFileSync(key) };
  const { url } = await startedHub({ tls });
  expect(url).toMatch(/^https:/);
  const trusting = embeddedHub({ url, token: TOKEN, tls: { ca: tls.cert } });
  onTestFinished(() => trusting.close());
  await trusting.connect();
  expect(await trusting.log('log').append([entry('a')])).toBe(1);
  const doubting = embeddedHub({ url, token: TOKEN });
  onTestFinished(() => doubting.close());
  await expect(doubting.connect()).rejects.toMatchObject({ code: 'hub-unreachable' });
});
