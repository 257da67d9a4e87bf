import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import type { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import { embeddedHub } from '../../../src/sync/index.ts';
import { operations, type OperationName, type RequestOf } from '../../../src/sync/hubs/embedded/operations.ts';
import { parseTokens } from '../../../src/sync/hubs/embedded/server/tokens.ts';
import { entry, startedHub, temporaryRoot } from './in-process.ts';
import { ask, refusalIn } from './request.ts';

const ORIGIN = 'https://app.example';

async function hubOf(text: string): Promise<{ url: string; file: string; problems: unknown[] }> {
  const file = path.join(path.dirname(temporaryRoot()), 'tokens');
  fs.writeFileSync(file, text, { mode: 0o600 });
  const problems: unknown[] = [];
  const { url } = await startedHub({ token: undefined, tokenFile: file, onError: (error: unknown) => problems.push(error) } as never);
  return { url, file, problems };
}

/** As an editor, and as a mounted secret, does it: another file takes the place. */
function replaceFile(file: string, text: string): void {
  fs.writeFileSync(`${file}.next`, text, { mode: 0o600 });
  fs.renameSync(`${file}.next`, file);
}

const digest = '0'.repeat(64);

const requests: { readonly [Name in OperationName]: RequestOf<Name> } = {
  hello: null,
  head: { log: ORIGIN },
  append: { log: ORIGIN, entries: [entry('a')] },
  'append-naming': { log: ORIGIN, entries: [entry('a')], blobs: [] },
  'append-many': { appends: [{ log: ORIGIN, entries: [entry('a')], blobs: [] }] },
  read: { log: ORIGIN, after: 0, limit: 1 },
  wait: { watched: [{ log: ORIGIN, position: null }] },
  snapshot: { log: ORIGIN },
  'put-snapshot': { log: ORIGIN, snapshot: { position: 0, bytes: new Uint8Array(1) } },
  trim: { log: ORIGIN, upTo: 0 },
  'put-blob': { log: ORIGIN, name: createHash('sha256').update('x').digest('hex'), bytes: Buffer.from('x') },
  'get-blob': { log: ORIGIN, name: digest },
  'has-blobs': { log: ORIGIN, names: [digest] },
  'unused-blobs': { log: ORIGIN, unusedFor: 0, after: '' },
  'remove-blobs': { log: ORIGIN, epoch: '', first: 1, position: 0, unusedFor: 0, names: [digest] },
};

const names = Object.keys(operations) as OperationName[];

async function allowed(url: string, token: string, of = ORIGIN): Promise<OperationName[]> {
  const found: OperationName[] = [];
  for (const name of names) {
    const request = JSON.parse(JSON.stringify(requests[name])) as { log?: string; watched?: unknown; appends?: unknown } | null;
    const many = request?.appends === undefined ? {} : { appends: [{ log: of, entries: [entry('a')], blobs: [] }] };
    const mine = { ...requests[name], ...many, ...(request?.log === undefined ? {} : { log: of }), ...(request?.watched === undefined ? {} : { watched: [{ log: of, position: null }] }) };
    const { status, body } = await ask(url, name, (requests[name] === null ? null : mine) as never, token);
    if (status === 401) expect(refusalIn(body)?.code).toBe('hub-unauthorized');
    else found.push(name);
  }
  return found;
}

describe('a token of a role', () => {
  const file = `# the regions\n\nread reports r-token\nwrite eu w-token\nwrite us\t sha256:${createHash('sha256').update('hashed').digest('hex')}\nadmin ops a-token\nmetrics prometheus m-token\nwrite bound b-token for=${ORIGIN}\n`;
  const reading: OperationName[] = ['hello', 'head', 'read', 'wait', 'snapshot', 'get-blob', 'has-blobs'];

  test('allows what the role says, and nothing else', async () => {
    const { url } = await hubOf(file);
    expect(await allowed(url, 'w-token')).toEqual(names);
    expect(await allowed(url, 'hashed')).toEqual(names);
    expect(await allowed(url, 'a-token')).toEqual(names);
    expect((await allowed(url, 'r-token')).sort()).toEqual([...reading].sort());
    expect(await allowed(url, 'm-token')).toEqual([]);
    expect(await allowed(url, 'other')).toEqual([]);
    expect(await allowed(url, `sha256:${createHash('sha256').update('hashed').digest('hex')}`)).toEqual([]);
  });

  test('that is for an origin is for its logs only', async () => {
    const { url } = await hubOf(file);
    expect(await allowed(url, 'b-token')).toEqual(names);
    expect(await allowed(url, 'b-token', `${ORIGIN} files`)).toEqual(names);
    expect(await allowed(url, 'b-token', `${ORIGIN}.evil`)).toEqual(['hello']);
    expect(await allowed(url, 'b-token', 'https://other.example')).toEqual(['hello']);
  });

  test('that reads makes no log', async () => {
    const { url } = await hubOf(file);
    const hub = embeddedHub({ url, token: 'r-token' });
    onTestFinished(() => hub.close());
    await expect(hub.log('none').head()).rejects.toMatchObject({ code: 'hub-unauthorized' });
    expect(await hub.log('none').read(0, 1)).toEqual([]);
  });

  test('is refused at once by every call of a client, as unauthorized and nothing else', async () => {
    const { url } = await hubOf(file);
    const hub = embeddedHub({ url, token: 'gone' });
    onTestFinished(() => hub.close());
    const log = hub.log('log');
    const calls = [hub.connect(), log.head(), log.append([entry('a')]), log.read(0, 1), log.snapshot(), log.putSnapshot({ position: 0, bytes: new Uint8Array() }), log.trim(1)];
    const blobs = [log.putBlob(digest, new Uint8Array()), log.getBlob(digest), log.hasBlobs([digest]), log.collectBlobs({ epoch: '', first: 1, position: 0, unusedFor: 0, isNamed: () => false })];
    const codes = await Promise.all([...calls, ...blobs].map((call) => call.then(() => 'done', ({ code }: HoldfastError) => code)));
    expect(new Set(codes)).toEqual(new Set(['hub-unauthorized']));
  });
});

describe('a token file', () => {
  test('of one token is a hub of that token, whatever it begins with', async () => {
    expect(parseTokens('#secret\n', 'f')).toMatchObject([{ role: 'admin', origins: null }]);
    const { url } = await hubOf('\n the-token \r\n');
    expect(await allowed(url, 'the-token')).toEqual(names);
  });

  test('that changes is read again, without a restart: a new token counts at once, an old one no longer', async () => {
    const { url, file } = await hubOf('write eu one\n');
    expect((await ask(url, 'hello', null, 'one')).status).toBe(200);
    replaceFile(file, 'write eu one\nwrite eu two\n');
    await vi.waitFor(async () => expect((await ask(url, 'hello', null, 'two')).status).toBe(200), 30_000);
    expect((await ask(url, 'hello', null, 'one')).status).toBe(200);
    replaceFile(file, 'write eu two\n');
    await vi.waitFor(async () => expect((await ask(url, 'hello', null, 'one')).status).toBe(401), { timeout: 30_000 });
    expect((await ask(url, 'hello', null, 'two')).status).toBe(200);
  });

  test.each([
    ['makes no sense', 'wirte eu two-secret\nwrite us x\n'],
    ['is empty', '\n'],
  ])('that %s after a change leaves the tokens as they were, and is told of once', async (_, text) => {
    const { url, file, problems } = await hubOf('write eu one\n');
    replaceFile(file, text);
    await vi.waitFor(() => expect(problems).toHaveLength(1), { timeout: 30_000 });
    expect((problems[0] as HoldfastError).message).toMatch(/tokens from before stay/);
    expect((problems[0] as HoldfastError).message).not.toContain('secret');
    for (let count = 0; count < 3; count++) expect((await ask(url, 'hello', null, 'wrong')).status).toBe(401);
    expect((await ask(url, 'hello', null, 'one')).status).toBe(200);
    expect(problems).toHaveLength(1);
    fs.rmSync(file);
    await vi.waitFor(() => expect(problems).toHaveLength(2), { timeout: 30_000 });
    expect((await ask(url, 'hello', null, 'one')).status).toBe(200);
  });

  test.each([
    ['an unknown role', 'root a secret\nread b x'],
    ['no token', 'read a\nread b x'],
    ['a token twice', 'read a secret\nwrite b secret'],
    ['something after the token', 'read a secret logs=x'],
    ['origins of an administrator', 'admin a secret for=https://a.example'],
    ['a token that no header can hold', 'read a s\u00e9cret\nread b x'],
    ['comments only', '# a\n# b'],
  ])('with %s is refused, and no token is shown', (_, text) => {
    expect(() => parseTokens(text, 'the-file')).toThrow(expect.objectContaining({ code: 'bad-option', message: expect.not.stringMatching(/secret|s\u00e9cret/) }));
  });
});
