import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { commandOf, startCommand, temporary } from '../cli/support.ts';
import { encrypted } from '../support/sealed.ts';

const origin = 'https://a.example';

async function set(root: string, value: string, of = origin): Promise<void> {
  const host = new StorageHost({ root, ...encrypted });
  host.origin(of).localStorage.setItem('name', value);
  await host.close();
}

async function get(root: string, of = origin): Promise<string | null> {
  const host = new StorageHost({ root, ...encrypted });
  const value = host.origin(of).localStorage.getItem('name');
  await host.close();
  return value;
}

test('the forms that scripts rely on: backup, backups, restore', async () => {
  const [root, backups] = [path.join(temporary(), 'root'), path.join(temporary(), 'backups')];
  const run = commandOf(root);
  await set(root, 'one');
  const first = await run('backup', '--to', backups, '--json');
  expect(first).toMatchObject({ code: 0, err: '' });
  const { time } = JSON.parse(first.out) as { time: string };
  await set(root, 'two');
  expect(await run('backup', '--to', backups)).toMatchObject({ code: 0, out: expect.stringMatching(/^\d{4}-.*Z: 1 origin, \d+ files of .*; read .*, stored .*\n$/) as string });
  const listed = await run('backups', '--from', backups, '--json');
  expect(JSON.parse(listed.out)).toEqual([expect.objectContaining({ time, origins: [origin] }), expect.objectContaining({ origins: [origin], problems: 0 })]);
  expect((await run('backups', '--from', backups)).out.split('\n')).toHaveLength(4);
  expect(await run('backups', '--from', backups, '--verify')).toMatchObject({ code: 0, out: expect.stringContaining('2 backups') as string });
  expect(await run('restore', '--from', backups, '--at', time, '--origin', origin)).toMatchObject({ code: 0, err: '' });
  expect(await get(root)).toBe('one');
  expect(await run('restore', '--from', backups, '--origin', origin, '--as', 'https://b.example')).toMatchObject({ code: 0 });
  expect([await get(root), await get(root, 'https://b.example')]).toEqual(['one', 'two']);
  const elsewhere = path.join(temporary(), 'elsewhere');
  expect(await run('restore', '--from', backups, '--root', elsewhere)).toMatchObject({ code: 0 });
  expect(await get(elsewhere)).toBe('two');
  const pruned = await run('backups', '--from', backups, '--prune', '1d');
  expect(pruned).toMatchObject({ code: 0, out: expect.stringMatching(/^kept 1, removed 1;/) as string });
  expect(await run('restore', '--from', backups, '--at', time, '--origin', origin)).toMatchObject({ code: 1, err: expect.stringMatching(/^holdfast restore: .* has no backup of .*\n$/) as string });
});

test('what cannot be done is one line and exit code 1, and what is typed wrong 2', async () => {
  const [root, backups] = [path.join(temporary(), 'root'), path.join(temporary(), 'backups')];
  const run = commandOf(root);
  const failed = { code: 1, out: '', err: expect.stringMatching(/^holdfast [a-z]+: [^\n]+\n$/) as string };
  expect(await run('backup', '--to', backups)).toMatchObject(failed);
  expect(fs.existsSync(backups)).toBe(false);
  await set(root, 'one');
  await run('backup', '--to', backups);
  expect(await run('backup', '--to', backups, '--origin', 'https://none.example')).toMatchObject(failed);
  expect(await run('backup', '--to', path.dirname(root))).toMatchObject(failed);
  expect(await run('backups', '--from', root)).toMatchObject(failed);
  expect(await run('restore', '--from', root)).toMatchObject(failed);
  expect(await run('restore', '--from', backups)).toMatchObject(failed);
  expect(await run('restore', '--from', backups, '--origin', 'https://none.example')).toMatchObject(failed);
  const misused = [['backup'], ['backup', '--to', backups, '--every', 'often'], ['backups'], ['restore'], ['restore', '--from', backups, '--at', 'noon'], ['restore', '--from', backups, '--as', origin]];
  for (const each of misused) expect(await run(...each)).toMatchObject({ code: 2, out: '' });
  // A chunk is lost.
  const victim = fs.readdirSync(path.join(backups, 'chunks'), { recursive: true, withFileTypes: true }).find((entry) => entry.isFile());
  fs.rmSync(path.join(victim?.parentPath ?? '', victim?.name ?? ''));
  expect(await run('backups', '--from', backups, '--verify')).toMatchObject({ code: 1, out: expect.stringContaining('damaged: ') as string });
  expect(await get(root)).toBe('one');
});

test('--every goes on until it is told to end, and keeps what is to be kept', async () => {
  const [root, backups] = [path.join(temporary(), 'root'), path.join(temporary(), 'backups')];
  await set(root, 'one');
  const running = await startCommand(root, ['backup', '--to', backups, '--every', '1s', '--keep', '1h', '--json']);
  await running.until(() => running.output.split('\n').length > 2);
  running.child.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  expect(running.errors).toBe('');
  expect(fs.readdirSync(path.join(backups, 'backups')).length).toBeLessThanOrEqual(2);
  expect(fs.existsSync(path.join(backups, 'lock'))).toBe(false);
});
