import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { snapshotOf } from '../encryption/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { FOR, ORIGIN, runCommand, runHere, startCommand, temporary } from './support.ts';

const PLAIN = 'https://plain.example';
const done = { code: 0, err: '' };
const HOW = " '--key-file FILE', or HOLDFAST_KEY_FILE in the environment, names the file with the key; '--keys MODULE' gives it by a program.";

/** A root with an origin that is encrypted and in use, and one that is not; and files with its key and another one. */
async function encryptedRoot(): Promise<{ root: string; key: readonly string[]; wrong: readonly string[]; local: string }> {
  const local = temporary();
  const root = path.join(local, 'root');
  const plain = new StorageHost({ root });
  plain.origin(PLAIN).localStorage.setItem('k', 'plain');
  await plain.close();
  const key = randomBytes(32);
  fs.writeFileSync(path.join(local, 'key'), key.toString('hex'));
  fs.writeFileSync(path.join(local, 'wrong'), randomBytes(32));
  const host = new StorageHost({ root, encryption: { key } });
  onTestFinished(() => host.close());
  const client = host.origin(ORIGIN);
  client.localStorage.setItem('k', 'secret value');
  const file = await (await client.storage.getDirectory()).getFileHandle('secret.txt', { create: true });
  const writable = await file.createWritable();
  await writable.write('secret content');
  await writable.close();
  await new Promise<void>((held) => {
    void client.locks.request('secret lock', () => {
      held();
      return new Promise<void>((release) => onTestFinished(() => release()));
    });
  });
  return { root, key: ['--key-file', path.join(local, 'key')], wrong: ['--key-file', path.join(local, 'wrong')], local };
}

test('with its key commands read and change an encrypted origin as any other', async () => {
  const { root, key } = await encryptedRoot();
  const holdfast = (...args: string[]): ReturnType<typeof runHere> => runHere(root, [...args, ...FOR, ...key]);
  expect(await runCommand(root, ['get', 'k', ...FOR, ...key])).toEqual({ ...done, out: 'secret value\n' });
  expect(await holdfast('set', 'l', 'another')).toEqual({ ...done, out: '' });
  expect(await holdfast('keys')).toEqual({ ...done, out: 'k\nl\n' });
  expect(await holdfast('rm', 'k')).toEqual({ ...done, out: '' });
  expect(await holdfast('keys')).toEqual({ ...done, out: 'l\n' });
  const listed = await holdfast('ls', '--json');
  expect(JSON.parse(listed.out)).toMatchObject({ path: 'opfs:/secret.txt', size: 14 });
  const { locks } = JSON.parse((await holdfast('locks', '--json')).out) as { locks: unknown[] };
  expect(locks).toMatchObject([{ origin: ORIGIN, bucket: 'default', kind: 'web', name: 'secret lock', state: 'held', process: process.pid, since: expect.any(Number) }]);
  const rows = (await holdfast('du', '--json')).out.trim().split('\n').map((line) => JSON.parse(line) as object);
  expect(rows).toContainEqual(expect.objectContaining({ kind: 'localStorage', bytes: 2 * 'lanother'.length }));
  expect(rows).toContainEqual(expect.objectContaining({ path: 'opfs:/', bytes: 4096 + 14 }));
});

test('bytes go into an encrypted origin and come out, with the key that the environment names, and are nowhere as they are', async () => {
  const { root, key: [, file = ''], local } = await encryptedRoot();
  fs.writeFileSync(path.join(local, 'in'), 'content of a secret put');
  const before = process.env['HOLDFAST_KEY_FILE'];
  process.env['HOLDFAST_KEY_FILE'] = file;
  try {
    expect(await runCommand(root, ['put', ...FOR, path.join(local, 'in'), 'opfs:/in'])).toMatchObject(done);
    expect(await runCommand(root, ['cat', ...FOR, 'opfs:/in'])).toEqual({ ...done, out: 'content of a secret put' });
  } finally {
    if (before === undefined) delete process.env['HOLDFAST_KEY_FILE'];
    else process.env['HOLDFAST_KEY_FILE'] = before;
  }
  const files = fs.readdirSync(root, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const canaries = files.filter(({ parentPath, name }) => /secret/.test(`${name} ${fs.readFileSync(path.join(parentPath, name), 'latin1')}`));
  expect(canaries).toEqual([]);
});

test.skipIf(process.platform === 'win32')('a key comes by a pipe as well, which can be read only once', async () => {
  const { root, key: [, file = ''], local } = await encryptedRoot();
  fs.writeFileSync(path.join(local, 'fresh'), randomBytes(32));
  const program = await bundleFixture(new URL('./program.ts', import.meta.url));
  const piped = (name: string, variable: string, ...args: string[]): string =>
    execFileSync('sh', ['-c', 'cat "$0" | "$@"', name, process.execPath, program, ...args], { encoding: 'utf8', env: { ...process.env, HOLDFAST_ROOT: root, HOLDFAST_KEY_FILE: variable } });
  expect(piped(file, '/dev/stdin', 'get', 'k', ...FOR)).toBe('secret value\n');
  expect(piped(path.join(local, 'fresh'), '', 'rekey', '--all', '--key-file', '/dev/stdin', '--previous-key-file', file)).toContain('wrapped with the new key');
});

test('without the key, or with another one, it is one line and exit code 1, and nothing is changed', async () => {
  const { root, wrong } = await encryptedRoot();
  const each = [['get', 'k'], ['set', 'k', 'v'], ['keys'], ['rm', 'k'], ['ls'], ['cat', 'opfs:/secret.txt'], ['put', process.execPath, 'opfs:/new'], ['rm', 'opfs:/secret.txt'], ['locks'], ['du'], ['watch']];
  for (const args of each) {
    const without = await runHere(root, [...args, ...FOR]);
    expect(without).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast \w+: https:\/\/a\.example is encrypted, and no key was given\. '--key-file FILE'[^\n]*\n$/) });
    expect(await runHere(root, [...args, ...FOR, ...wrong]), args[0]).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast \w+: The key that was given is not that of https:\/\/a\.example[^\n]*\n$/) });
  }
  expect(await runHere(root, ['sync', 'status', ORIGIN])).toMatchObject({ code: 1, out: '', err: `holdfast sync status: https://a.example is encrypted.${HOW}\n` });
  expect(await runHere(root, ['get', 'k', ...FOR, '--key-file', '/nowhere'])).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast get: The file '\/nowhere' of --key-file cannot be read\.\n$/) });
});

test('with a key, lists of all origins have those without encryption too, and with another key say so', async () => {
  const { root, key, wrong } = await encryptedRoot();
  const lines = async (...args: string[]): Promise<unknown[]> => (await runHere(root, [...args, '--json'])).out.trim().split('\n').map((line) => JSON.parse(line) as unknown);
  const items = async (...args: readonly string[]): Promise<unknown> => (await lines('origins', ...args)).map((each) => {
    const { origin, buckets } = each as { origin: string; buckets: { items: number }[] };
    return [origin, buckets[0]?.items];
  }).sort();
  expect(await lines('du', ...key)).toEqual(expect.arrayContaining([expect.objectContaining({ origin: PLAIN, bytes: 2 * 'kplain'.length }), expect.objectContaining({ origin: ORIGIN, bytes: 2 * 'ksecret value'.length })]));
  expect(await items(...key)).toEqual([[ORIGIN, 1], [PLAIN, 1]]);
  expect(await items(...wrong)).toEqual([[ORIGIN, 0], [PLAIN, 1]]);
  for (const command of ['origins', 'du']) expect(await runHere(root, [command, ...wrong])).toMatchObject({ code: 0, err: expect.stringMatching(/^holdfast: The key that was given is not that of https:\/\/a\.example[^\n]*\n$/) });
  expect(await runHere(root, ['locks', ...key])).toMatchObject({ ...done, out: expect.stringContaining('secret lock') });
  expect(await runHere(root, ['locks'])).toMatchObject({ code: 1, err: `holdfast locks: https://a.example is encrypted, and no key was given.${HOW}\n` });
});

test('the inspector shows an encrypted origin with its key, plain ones beside it, and says without that a key is missing', async () => {
  const { root, key } = await encryptedRoot();
  const inspect = async (...args: readonly string[]): Promise<{ ask: (panel: string, origin?: string) => Promise<unknown>; end: () => Promise<number | null> }> => {
    const inspecting = await startCommand(root, ['inspect', ...args]);
    const address = await inspecting.until(() => /^(http.*)\n/.exec(inspecting.output)?.[1]);
    const cookie = (await fetch(address, { redirect: 'manual' })).headers.get('set-cookie')?.split(';')[0] ?? '';
    const ask = async (panel: string, origin = ORIGIN): Promise<unknown> => (await fetch(new URL(`/api/${panel}`, address), { method: 'POST', headers: { 'content-type': 'application/json', cookie }, body: JSON.stringify({ origin, ...(panel === 'files' && { path: [] }) }) })).json();
    const end = (): Promise<number | null> => {
      inspecting.child.kill('SIGINT');
      return inspecting.ended;
    };
    return { ask, end };
  };
  const { ask, end } = await inspect(...key);
  expect(await ask('items')).toMatchObject({ rows: [{ key: 'k', value: { text: 'secret value' } }] });
  expect(await ask('locks')).toMatchObject({ locks: [{ name: 'secret lock', state: 'held' }] });
  expect(await ask('files')).toMatchObject({ rows: [{ name: 'secret.txt' }] });
  expect(await ask('items', PLAIN)).toMatchObject({ rows: [{ key: 'k', value: { text: 'plain' } }] });
  expect(await ask('files', PLAIN)).toMatchObject({ rows: [] });
  expect(await end()).toBe(0);
  const blind = await inspect();
  const refusal = { error: { code: 'key-missing', message: expect.stringContaining('takes it by --key-file') as string } };
  for (const panel of ['items', 'files', 'databases', 'caches']) expect(await blind.ask(panel), panel).toMatchObject(refusal);
  expect(await blind.ask('items', PLAIN)).toMatchObject({ rows: [{ key: 'k', value: { text: 'plain' } }] });
  expect(await blind.end()).toBe(0);
});

test('a key that is given changes nothing for origins that are not encrypted', async () => {
  const { root, key, local } = await encryptedRoot();
  const holdfast = (...args: string[]): ReturnType<typeof runHere> => runHere(root, [...args, '--origin', PLAIN, ...key]);
  expect(await runCommand(root, ['get', 'k', '--origin', PLAIN, ...key])).toEqual({ ...done, out: 'plain\n' });
  expect(await holdfast('set', 'l', 'more')).toEqual({ ...done, out: '' });
  expect(await holdfast('keys')).toEqual({ ...done, out: 'k\nl\n' });
  fs.writeFileSync(path.join(local, 'in'), 'content');
  expect(await holdfast('put', path.join(local, 'in'), 'opfs:/in')).toMatchObject(done);
  expect(await runCommand(root, ['cat', 'opfs:/in', '--origin', PLAIN, ...key])).toEqual({ ...done, out: 'content' });
  for (const command of ['ls', 'du', 'locks', 'rm l', 'rm opfs:/in']) expect(await holdfast(...command.split(' ')), command).toMatchObject(done);
  // It is as plain as it was.
  expect(await runHere(root, ['keys', '--origin', PLAIN])).toEqual({ ...done, out: 'k\n' });
});

test('backup, restore, export and import take the key, say in one line that it is missing, and write nothing plain', async () => {
  const { root, key, wrong, local } = await encryptedRoot();
  const [repository, archive, restored, other] = ['repository', 'a.tar', 'restored', 'other'].map((name) => path.join(local, name)) as [string, string, string, string];
  expect(await runHere(root, ['backup', '--to', repository])).toMatchObject({ code: 1, out: expect.stringMatching(/left out: https:\/\/a\.example: https:\/\/a\.example is encrypted, and no key was given/) });
  expect(await runHere(root, ['backup', '--to', repository, ...key])).toMatchObject(done);
  expect(await runHere(root, ['export', '--to', archive, ...FOR])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast export: https:\/\/a\.example is encrypted, and no key was given[^\n]* '--key-file FILE', [^\n]*\n$/) });
  expect(await runHere(root, ['export', '--to', archive, ...FOR, ...wrong])).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast export: The key that was given is not that of [^\n]*\n$/) });
  expect(fs.existsSync(archive)).toBe(false);
  expect(await runHere(root, ['export', '--to', archive, ...FOR, ...key])).toMatchObject(done);
  expect(fs.readFileSync(archive).includes('secret')).toBe(false);
  expect(await runHere(restored, ['restore', '--from', repository])).toMatchObject(done);
  expect(await runCommand(restored, ['get', 'k', ...FOR, ...key])).toMatchObject({ ...done, out: 'secret value\n' });
  expect(await runHere(restored, ['restore', '--from', repository, ...FOR])).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast restore: https:\/\/a\.example is encrypted, and no key was given[^\n]* '--key-file FILE', [^\n]*\n$/) });
  expect(await runHere(restored, ['restore', '--from', repository, ...FOR, ...key])).toMatchObject(done);
  fs.mkdirSync(other);
  new StorageHost({ root: other }).origin(PLAIN).localStorage.setItem('k', 'plain');
  expect(await runHere(other, ['import', '--from', archive, '--origin', 'https://b.example'])).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast import: https:\/\/a\.example is encrypted in the archive, and no key was given[^\n]* '--key-file FILE', [^\n]*\n$/) });
  expect(await runHere(other, ['import', '--from', archive, '--origin', 'https://b.example', ...key])).toMatchObject(done);
  expect(await runHere(other, ['import', '--from', archive])).toMatchObject(done);
  for (const origin of ['https://a.example', 'https://b.example']) expect(await runCommand(other, ['get', 'k', '--origin', origin, ...key])).toMatchObject({ ...done, out: 'secret value\n' });
  expect(await runHere(root, ['export', '--to', archive, ...FOR, ...key, '--plain'])).toMatchObject(done);
  expect(fs.readFileSync(archive).includes('secret value')).toBe(true);
  expect(await runHere(restored, ['delete-origin', ORIGIN, '--yes'])).toMatchObject(done);
  expect(fs.existsSync(path.join(restored, 'origins/https_a.example'))).toBe(false);
});

test('what cannot become another origin for want of its key makes no root', async () => {
  const { root, key, wrong, local } = await encryptedRoot();
  const [repository, target] = [path.join(local, 'repository'), path.join(local, 'target')];
  expect(await runHere(root, ['backup', '--to', repository, ...key])).toMatchObject(done);
  const restore = (...args: readonly string[]): ReturnType<typeof runHere> => runHere(target, ['restore', '--from', repository, ...FOR, '--as', 'https://b.example', ...args]);
  expect(await restore()).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast restore: The backup of https:\/\/a\.example is encrypted, and no key was given, without which it cannot become https:\/\/b\.example\. '--key-file FILE', [^\n]*\n$/) });
  expect(await restore(...wrong)).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast restore: The key that was given is not that of https:\/\/a\.example[^\n]*\n$/) });
  expect(fs.existsSync(target)).toBe(false);
  expect(await restore(...key)).toMatchObject(done);
});

test.each([[['--data-key']], [['--files']], [['--data-key', '--files']]])('rekey %j without the key of before, or with another one, is an error, and nothing is changed', async (what) => {
  const { root, wrong: [, wrong = ''], local } = await encryptedRoot();
  const fresh = path.join(local, 'fresh');
  fs.writeFileSync(fresh, randomBytes(32));
  const before = snapshotOf(root);
  for (const previous of [[], ['--previous-key-file', wrong]]) {
    for (const of of [FOR, ['--all']]) expect(await runHere(root, ['rekey', ...of, '--key-file', fresh, ...previous, ...what])).toMatchObject({ code: 1, err: '', out: expect.stringContaining(`${ORIGIN}: nothing was changed: The key that was given is not that of ${ORIGIN}`) });
  }
  expect(await runHere(root, ['rekey', ...FOR, '--key-file', fresh, '--previous-key-file', path.join(local, 'nowhere'), ...what])).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast rekey: The file '[^']*nowhere' of --previous-key-file cannot be read\.\n$/) });
  expect(snapshotOf(root)).toEqual(before);
});
