import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { commandOf, FOR, Neighbour, ORIGIN, runCommand, startCommand, temporary } from './support.ts';

async function live(): Promise<{ root: string; neighbour: Neighbour; holdfast: ReturnType<typeof commandOf> }> {
  const root = path.join(temporary(), 'root');
  const neighbour = await Neighbour.start(root);
  await neighbour.tell('set', 'key', 'value');
  return { root, neighbour, holdfast: commandOf(root) };
}

const done = { code: 0, err: '' };

test('get, set, keys and rm work beside a process, which gets its storage events', async () => {
  const { root, neighbour, holdfast } = await live();
  expect(await holdfast('get', ...FOR, 'key')).toEqual({ ...done, out: 'value\n' });
  expect(await holdfast('get', ...FOR, 'key', '--raw')).toEqual({ ...done, out: 'value' });
  expect(JSON.parse((await holdfast('get', ...FOR, 'key', '--json')).out)).toEqual({ key: 'key', value: 'value' });
  await neighbour.tell('listen');
  expect(await holdfast('set', ...FOR, 'key', 'changed')).toEqual({ ...done, out: '' });
  const file = path.join(temporary(), 'value');
  fs.writeFileSync(file, 'from a file\n');
  expect(await holdfast('set', ...FOR, 'file', '--from', file)).toEqual({ ...done, out: '' });
  expect(await runCommand(root, ['set', ...FOR, 'input', '-'], 'from the input')).toEqual({ ...done, out: '' });
  expect(JSON.parse((await holdfast('keys', ...FOR, '--json')).out)).toEqual(['key', 'file', 'input']);
  expect(await holdfast('keys', ...FOR)).toEqual({ ...done, out: 'key\nfile\ninput\n' });
  expect(await holdfast('rm', ...FOR, 'input')).toEqual({ ...done, out: '' });
  await neighbour.until(() => neighbour.events.length === 4);
  expect(neighbour.events).toEqual([
    { key: 'key', newValue: 'changed' },
    { key: 'file', newValue: 'from a file\n' },
    { key: 'input', newValue: 'from the input' },
    { key: 'input', newValue: null },
  ]);
  expect(await neighbour.tell('get', 'file')).toBe('from a file\n');
});

test('files go in and out, recursively, and other processes see them', async () => {
  const { root, neighbour, holdfast } = await live();
  const local = temporary();
  fs.mkdirSync(path.join(local, 'in', 'deep', 'empty'), { recursive: true });
  fs.writeFileSync(path.join(local, 'in', 'a.txt'), 'a');
  fs.writeFileSync(path.join(local, 'in', 'deep', 'b.bin'), Buffer.alloc(300_000, 7));
  expect(await holdfast('put', ...FOR, path.join(local, 'in', 'a.txt'), 'opfs:/dir/in')).toEqual({ ...done, out: '' });
  expect(await holdfast('cat', ...FOR, 'opfs:/dir/in')).toEqual({ ...done, out: 'a' });
  expect(await holdfast('put', ...FOR, path.join(local, 'in'), 'opfs:/tree')).toEqual({ ...done, out: '' });
  expect(await runCommand(root, ['put', ...FOR, '-', 'opfs:/input'], 'typed')).toEqual({ ...done, out: '' });
  expect(await neighbour.tell('read', 'input')).toBe('typed');
  const { out } = await holdfast('ls', ...FOR, '--recursive', '--json');
  const listed = out.trim().split('\n').map((line) => JSON.parse(line) as { path: string; kind: string; size: number | null });
  expect(listed.map(({ path: at, size }) => [at, size])).toEqual([
    ['opfs:/dir', null], ['opfs:/dir/in', 1], ['opfs:/input', 5], ['opfs:/tree', null], ['opfs:/tree/a.txt', 1], ['opfs:/tree/deep', null], ['opfs:/tree/deep/b.bin', 300_000], ['opfs:/tree/deep/empty', null],
  ]);
  expect((await holdfast('ls', ...FOR, 'opfs:/tree')).out).toMatch(/^ *bytes +modified +name\n *1 +20\S+Z +a\.txt\n +- +- +deep\/\n$/);
  expect(await holdfast('cp', ...FOR, 'opfs:/tree', 'opfs:/copy')).toEqual({ ...done, out: '' });
  expect(await holdfast('mv', ...FOR, 'opfs:/copy/deep', 'opfs:/dir/')).toEqual({ ...done, out: '' });
  expect(await holdfast('cp', ...FOR, 'opfs:/dir/deep', path.join(local, 'out'))).toEqual({ ...done, out: '' });
  expect(fs.readFileSync(path.join(local, 'out', 'b.bin')).equals(Buffer.alloc(300_000, 7))).toBe(true);
  expect(fs.readdirSync(path.join(local, 'out', 'empty'))).toEqual([]);
  expect(await holdfast('rm', ...FOR, 'opfs:/copy')).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast rm: opfs:\/copy is a directory.*\n$/) });
  expect(await holdfast('rm', ...FOR, 'opfs:/copy', 'opfs:/tree', '--recursive')).toEqual({ ...done, out: '' });
  expect((await holdfast('ls', ...FOR, '--json')).out.trim().split('\n')).toHaveLength(2);
});

test('a locked file is said to be locked, and by which process; locks and sessions are shown', async () => {
  const { neighbour, holdfast } = await live();
  const before = Date.now();
  await neighbour.tell('open', 'data.db', 'content');
  const between = Date.now();
  await neighbour.tell('lock', 'job');
  const { pid } = neighbour.child;
  const locked = { code: 1, out: '', err: expect.stringMatching(new RegExp(`opfs:/data.db is locked by process ${pid}\\.\\n$`)) };
  expect(await holdfast('rm', ...FOR, 'opfs:/data.db')).toEqual(locked);
  expect(await holdfast('mv', ...FOR, 'opfs:/data.db', 'opfs:/other')).toEqual(locked);
  expect(await holdfast('put', ...FOR, process.execPath, 'opfs:/data.db')).toEqual(locked);
  expect(await holdfast('cat', ...FOR, 'opfs:/data.db')).toEqual({ ...done, out: 'content' });
  const { locks, sessions } = JSON.parse((await holdfast('locks', '--json')).out) as { locks: Record<string, unknown>[]; sessions: unknown[] };
  expect(locks).toMatchObject([
    { origin: ORIGIN, kind: 'file', name: '/data.db', mode: 'exclusive', state: 'held', process: pid, life: 'alive' },
    { kind: 'web', name: 'job', mode: 'exclusive', state: 'held', process: pid, life: 'alive' },
  ]);
  const [file = 0, web = 0] = locks.map(({ since }) => Number(since));
  expect([before <= file, file <= between, between <= web, web <= Date.now()]).toEqual([true, true, true, true]);
  expect(sessions).toMatchObject([{ process: pid, life: 'alive' }]);
  expect((await holdfast('locks', ...FOR)).out).toMatch(new RegExp(`/data\\.db +exclusive +held +${pid} .* \\d+s\\n`));
  neighbour.child.kill('SIGKILL');
  await neighbour.ended;
  expect((await holdfast('locks', ...FOR)).out).toMatch(new RegExp(`/data\\.db +exclusive +held +${pid} +\\S+ +dead`));
  expect(await holdfast('rm', ...FOR, 'opfs:/data.db')).toEqual({ ...done, out: '' });
});

test('watch prints changes of other processes as lines of JSON, and ends without harm when it is told to', async () => {
  const { root, neighbour } = await live();
  const watching = await startCommand(root, ['watch', ...FOR, '--json']);
  await watching.until(() => watching.errors.includes('listening'));
  await neighbour.tell('set', 'watched', '1');
  await neighbour.tell('write', 'file', 'x');
  await watching.until(() => watching.output.includes('"storage"') && watching.output.includes('opfs:/file'));
  const changes = watching.output.trim().split('\n').map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(changes.find(({ kind }) => kind === 'storage')).toMatchObject({ key: 'watched', oldValue: null, newValue: '1', url: `${ORIGIN}/` });
  watching.child.kill('SIGINT');
  expect(await watching.ended).toBe(0);
});

test('origins and du show what is there, with bytes as quotas count them', async () => {
  const { holdfast } = await live();
  const local = path.join(temporary(), 'f');
  fs.writeFileSync(local, 'x'.repeat(1000));
  await holdfast('put', ...FOR, local, 'opfs:/dir/f');
  const usage = { caches: 0, fileSystem: 2 * 4096 + 1000, indexedDB: 0, localStorage: 16 };
  const [line = '', ...more] = (await holdfast('origins', '--json')).out.trim().split('\n');
  expect(more).toEqual([]);
  expect(JSON.parse(line)).toMatchObject({ origin: ORIGIN, usage: 9208, usageDetails: usage, buckets: [{ name: 'default', items: 1, files: 1, usageDetails: usage }] });
  expect((await holdfast('origins')).out).toMatch(/^origin +bucket +total .*\nhttps:\/\/a\.example +default +9\.0 KiB +16 B +1 +9\.0 KiB +1 .*Z\n$/);
  const rows = (await holdfast('du', ...FOR, '--json')).out.trim().split('\n').map((row) => JSON.parse(row) as Record<string, unknown>);
  expect(rows).toMatchObject([
    { kind: 'fileSystem', path: null, bytes: 9192 },
    { kind: 'localStorage', path: null, bytes: 16 },
    { path: 'opfs:/', bytes: 9192 },
    { path: 'opfs:/dir', bytes: 5096 },
  ]);
  expect((await holdfast('du')).out).toMatch(/^ bytes|^bytes/);
});

test('an origin that is deleted beside a process that uses it is gone, and what that writes then makes it anew', async () => {
  const { root, neighbour, holdfast } = await live();
  await neighbour.tell('write', 'file', 'x');
  await neighbour.tell('open', 'open.db', 'x');
  expect(await holdfast('delete-origin', ORIGIN)).toMatchObject({ code: 2 });
  expect(await holdfast('delete-origin', ORIGIN, 'https://b.example')).toMatchObject({ code: 2 });
  expect(await holdfast('delete-origin', ORIGIN, ORIGIN)).toEqual({ ...done, out: `${ORIGIN} is deleted.\n` });
  expect(fs.readdirSync(path.join(root, 'origins'))).toEqual([]);
  expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
  await expect.poll(() => neighbour.tell('get', 'key')).toBe(null);
  await expect(neighbour.tell('read', 'file')).rejects.toMatchObject({ name: 'NotFoundError' });
  await neighbour.tell('set', 'key', 'again');
  await neighbour.tell('write', 'file', 'again');
  expect(await holdfast('get', ...FOR, 'key')).toEqual({ ...done, out: 'again\n' });
  expect(await holdfast('cat', ...FOR, 'opfs:/file')).toEqual({ ...done, out: 'again' });
  expect(await holdfast('verify')).toMatchObject({ code: 0 });
});

test('export and import go through a file or a pipe, into the same or another origin', async () => {
  const { root, neighbour, holdfast } = await live();
  await neighbour.tell('write', 'file', 'content');
  const file = path.join(temporary(), 'a.tar');
  expect(await holdfast('export', ...FOR, '--to', file)).toMatchObject({ code: 0, err: '' });
  expect(await holdfast('import', '--origin', 'https://b.example', '--from', file)).toEqual({ ...done, out: `https://b.example: created, from ${ORIGIN}\n` });
  expect(await holdfast('get', '--origin', 'https://b.example', 'key')).toEqual({ ...done, out: 'value\n' });
  expect(await holdfast('import', '--from', file)).toMatchObject({ code: 1, out: '', err: expect.stringMatching(/^holdfast import: The root .* has data of https:\/\/a\.example; .*\n$/) });
  await neighbour.tell('set', 'key', 'newer');
  await neighbour.tell('set', 'more', '1');
  expect(JSON.parse((await holdfast('import', '--from', file, '--merge', '--json')).out)).toEqual([{ source: ORIGIN, origin: ORIGIN, outcome: 'merged' }]);
  expect([await neighbour.tell('get', 'key'), await neighbour.tell('get', 'more')]).toEqual(['value', '1']);
  expect(await holdfast('import', '--from', file, '--replace')).toEqual({ ...done, out: `${ORIGIN}: replaced\n` });
  await expect.poll(() => neighbour.tell('get', 'more')).toBe(null);
  expect(await neighbour.tell('read', 'file')).toBe('content');
  expect(JSON.parse((await holdfast('export', '--to', file, '--json')).out)).toMatchObject({ file, origins: [ORIGIN, 'https://b.example'] });
  expect(await runCommand(root, ['import', '--from', '-', '--replace'], fs.readFileSync(file))).toMatchObject({ code: 0 });
});
