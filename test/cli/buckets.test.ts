import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { canHaveStubs, writeStub } from '../../src/disk/tree/stub.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/index.ts';
import { FOR, ORIGIN, runHere, temporary } from './support.ts';

class Counter extends Coordinator {
  set(text: string): void {
    this.localStorage.setItem('text', text);
    this.state.setAlarm(4_000_000_000_000);
  }

  override alarm(): void {}

  async file(): Promise<void> {
    await (await this.storage.getDirectory()).getFileHandle('file', { create: true });
  }
}

const done = { code: 0, err: '' };
const DRAFTS = [...FOR, '--bucket', 'drafts'];

/** A root with a named bucket, and a command that uses it. */
async function withBucket(): Promise<{ readonly root: string; readonly local: string; holdfast(...args: string[]): Promise<{ code: number; out: string; err: string }> }> {
  const root = path.join(temporary(), 'root');
  const host = new StorageHost({ root });
  host.origin(ORIGIN).localStorage.setItem('key', 'value');
  await host.origin(ORIGIN).storageBuckets.open('drafts');
  await host.close();
  const local = temporary();
  fs.writeFileSync(path.join(local, 'in'), 'x'.repeat(1000));
  return { root, local, holdfast: (...args) => runHere(root, args) };
}

function linesOf(out: string): Record<string, unknown>[] {
  return out.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
}

test('files of a named bucket are put, listed, copied, moved, removed and counted apart from those of the default one', async () => {
  const { local, holdfast } = await withBucket();
  expect(await holdfast('put', ...DRAFTS, path.join(local, 'in'), 'opfs:/dir/a')).toEqual({ ...done, out: '' });
  expect(await holdfast('cp', ...DRAFTS, 'opfs:/dir/a', 'opfs:/b')).toEqual({ ...done, out: '' });
  expect(await holdfast('mv', ...DRAFTS, 'opfs:/b', 'opfs:/dir/b')).toEqual({ ...done, out: '' });
  expect(await holdfast('cp', ...DRAFTS, 'opfs:/dir/b', path.join(local, 'out'))).toEqual({ ...done, out: '' });
  expect(fs.readFileSync(path.join(local, 'out'), 'utf8')).toBe('x'.repeat(1000));
  expect(linesOf((await holdfast('ls', ...DRAFTS, '--recursive', '--json')).out).map(({ path: at }) => at)).toEqual(['opfs:/dir', 'opfs:/dir/a', 'opfs:/dir/b']);
  expect((await holdfast('ls', ...FOR, '--json')).out).toBe('');
  expect(linesOf((await holdfast('du', ...DRAFTS, '--json')).out)).toMatchObject([
    { bucket: 'drafts', kind: 'fileSystem', path: null, bytes: 3 * 4096 + 2000 },
    { bucket: 'drafts', path: 'opfs:/', bytes: 3 * 4096 + 2000 },
    { bucket: 'drafts', path: 'opfs:/dir', bytes: 2 * 4096 + 2000 },
  ]);
  const [{ buckets } = {}] = linesOf((await holdfast('origins', '--json')).out);
  expect(buckets).toMatchObject([{ name: 'default', files: 0, items: 1 }, { name: 'drafts', files: 2, items: 0 }]);
  expect(await holdfast('rm', ...DRAFTS, 'opfs:/dir', '--recursive')).toEqual({ ...done, out: '' });
  expect((await holdfast('ls', ...DRAFTS, '--json')).out).toBe('');
});

test('a lock on a file of a named bucket is that bucket\'s', async () => {
  const { root, holdfast } = await withBucket();
  const host = new StorageHost({ root });
  const bucket = await host.origin(ORIGIN).storageBuckets.open('drafts');
  const access = await (await (await bucket.getDirectory()).getFileHandle('db', { create: true })).createSyncAccessHandle();
  expect(await holdfast('rm', ...DRAFTS, 'opfs:/db')).toEqual({ code: 1, out: '', err: expect.stringContaining(`opfs:/db is locked by process ${process.pid}`) as string });
  expect((JSON.parse((await holdfast('locks', ...DRAFTS, '--json')).out) as { locks: unknown[] }).locks).toMatchObject([{ bucket: 'drafts', name: '/db', state: 'held' }]);
  access.close();
  await host.close();
});

test('a bucket that is not there, or cannot have what is asked for, is one line and exit code 1, and none is made', async () => {
  const { root, local, holdfast } = await withBucket();
  const failed = { code: 1, out: '', err: expect.stringMatching(/^holdfast [a-z]+: [^\n]+\n$/) as string };
  for (const args of [['ls'], ['put', path.join(local, 'in'), 'opfs:/f'], ['export', '--to', path.join(local, 'a.tar')], ['watch']]) {
    const [command = '', ...rest] = args;
    expect(await holdfast(command, ...FOR, '--bucket', 'none', ...rest)).toMatchObject({ ...failed, err: `holdfast ${command}: ${ORIGIN} has no bucket 'none'.\n` });
  }
  for (const args of [['get', 'key'], ['set', 'key', 'value'], ['keys'], ['rm', 'key']]) expect(await holdfast(args[0] ?? '', ...DRAFTS, ...args.slice(1))).toEqual(failed);
  expect(await holdfast('locks', '--bucket', 'drafts')).toMatchObject({ code: 2 });
  const host = new StorageHost({ root });
  expect(await host.origin(ORIGIN).storageBuckets.keys()).toEqual(['drafts']);
  await host.close();
});

test('one bucket is exported, and merged into an origin that keeps what else it has', async () => {
  const { local, holdfast } = await withBucket();
  const to = path.join(local, 'a.tar');
  await holdfast('put', ...DRAFTS, path.join(local, 'in'), 'opfs:/a');
  expect(await holdfast('export', ...DRAFTS, '--to', to)).toMatchObject(done);
  expect(await holdfast('rm', ...DRAFTS, 'opfs:/a')).toMatchObject(done);
  expect(await holdfast('import', '--from', to, '--replace')).toMatchObject({ code: 1, err: expect.stringContaining("Only the bucket 'drafts'") as string });
  expect(await holdfast('import', '--from', to, '--merge')).toMatchObject(done);
  expect(linesOf((await holdfast('ls', ...DRAFTS, '--json')).out)).toMatchObject([{ path: 'opfs:/a', size: 1000 }]);
  expect(JSON.parse((await holdfast('keys', ...FOR, '--json')).out)).toEqual(['key']);
  await holdfast('export', ...FOR, '--to', to);
  expect(await holdfast('import', '--from', to, '--origin', 'https://b.example', '--bucket', 'drafts')).toMatchObject(done);
  expect(JSON.parse((await holdfast('keys', '--origin', 'https://b.example', '--json')).out)).toEqual([]);
  expect(linesOf((await holdfast('ls', '--origin', 'https://b.example', '--bucket', 'drafts', '--json')).out)).toMatchObject([{ path: 'opfs:/a' }]);
});

test('coordinators are listed, counted and looked at', async () => {
  const { root, holdfast } = await withBucket();
  expect((await holdfast('coordinators')).out).toBe(`${root} has no coordinators.\n`);
  const host = new StorageHost({ root });
  const coordinators = new Coordinators(host, { Counter });
  await coordinators.get(ORIGIN, Counter, 'one').set('t');
  await coordinators.get(ORIGIN, Counter, 'one').file();
  const [listed] = linesOf((await holdfast('coordinators', ...FOR, '--json')).out);
  expect(listed).toMatchObject({ className: 'Counter', name: 'one', items: 1, bytes: 10, alarm: { time: 4_000_000_000_000 }, owner: { process: process.pid, answers: true } });
  expect((await holdfast('coordinators')).out).toMatch(new RegExp(`^origin .*\\n${ORIGIN} +Counter +one +${process.pid} .*2096-.* 1 +10 B\\n$`));
  await coordinators.close();
  await host.close();
  const [{ coordinators: counted, usageDetails } = {}] = linesOf((await holdfast('origins', '--json')).out);
  expect(counted).toMatchObject({ count: 1, items: 1, usageDetails: { localStorage: 10, fileSystem: 4096 } });
  expect(usageDetails).toMatchObject({ localStorage: 26, fileSystem: 4096 });
  expect((await holdfast('origins')).out).toMatch(/ 1 coordinator /);
  expect(linesOf((await holdfast('du', ...FOR, '--json')).out)).toEqual(expect.arrayContaining([expect.objectContaining({ bucket: 'coordinators/Counter/one', kind: 'fileSystem', bytes: 4096 })]));
  expect(await holdfast('verify')).toMatchObject({ code: 0 });
});

test.runIf(canHaveStubs)('a file whose content is in a hub alone is listed, without its size', async () => {
  const { root, local, holdfast } = await withBucket();
  for (const name of ['a', 'far', 'z']) await holdfast('put', ...DRAFTS, path.join(local, 'in'), `opfs:/${name}`);
  const [file = ''] = fs.readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => path.basename(name) === 'far');
  fs.writeFileSync(path.join(root, file), '');
  const descriptor = fs.openSync(path.join(root, file), 'r+');
  writeStub({ descriptor, path: file }, Buffer.from('manifest'));
  fs.closeSync(descriptor);
  expect(await holdfast('ls', ...DRAFTS, '--json')).toMatchObject(done);
  expect(linesOf((await holdfast('ls', ...DRAFTS, '--json')).out)).toMatchObject([
    { path: 'opfs:/a', size: 1000 },
    { path: 'opfs:/far', kind: 'file', size: null, modified: null },
    { path: 'opfs:/z', size: 1000 },
  ]);
  expect((await holdfast('ls', ...DRAFTS)).out).toMatch(/^ *- +- +far$/m);
});
