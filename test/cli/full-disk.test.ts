import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { checkBackups } from '../../src/disk/backup/check.ts';
import { StorageHost } from '../../src/index.ts';
import { type Call, handleCalls, isChange, systemError } from '../crash/support/fault-layer.ts';
import { contentsOf } from '../backup/support.ts';
import { FOR, ORIGIN, runHere, temporary } from './support.ts';

/*
 * A disk without room refuses whatever needs some, from some moment on; removing and renaming go on. Each command is run
 * against one that is full from the first such call on, and from two in between, and from the last one, unless that only
 * says that others may go on, which succeeds whether or not it can be said.
 */

afterEach(() => handleCalls('', null));

/** Whether a call needs room on the disk. */
function needsRoom(call: Call): boolean {
  return isChange(call) && !/(rename|unlink|rm|utimes|chmod|ftruncate)/.test(call.name);
}

interface Home {
  readonly home: string;
  readonly root: string;
  readonly backups: string;
}

/** A root with a file that does not fit into one write, its backup, and a change since. */
async function prepare(): Promise<Home> {
  const home = temporary();
  const [root, backups] = [path.join(home, 'root'), path.join(home, 'backups')];
  const host = new StorageHost({ root });
  const client = host.origin(ORIGIN);
  client.localStorage.setItem('key', 'before');
  const handle = await (await client.storage.getDirectory()).getFileHandle('file', { create: true });
  const writable = await handle.createWritable();
  await writable.write(Buffer.alloc(300_000, 'content'));
  await writable.close();
  await host.backup(backups);
  client.localStorage.setItem('key', 'after');
  await host.close();
  fs.mkdirSync(path.join(home, 'to'));
  fs.writeFileSync(path.join(home, 'to', 'a.tar'), 'the one before');
  return { home, root, backups };
}

/** Runs a command at several points; it must say so in one line each time. */
async function atEachPoint(target: (home: Home) => string, args: (home: Home) => string[], check: (home: Home) => Promise<void>, isLastVital = true): Promise<void> {
  let all = 0;
  const first = await prepare();
  handleCalls(target(first), { before: (call) => void (all += needsRoom(call) ? 1 : 0) });
  expect(await runHere(first.root, args(first))).toMatchObject({ code: 0 });
  expect(all).toBeGreaterThan(0);
  for (const at of new Set([0, Math.floor(all / 3), Math.floor((2 * all) / 3), ...(isLastVital ? [all - 1] : [])])) {
    const home = await prepare();
    let calls = 0;
    handleCalls(target(home), { before: (call) => (needsRoom(call) && (calls += 1) > at ? { code: 'ENOSPC', late: false } : undefined) });
    const { code, out, err } = await runHere(home.root, args(home));
    handleCalls('', null);
    expect({ code, out, at }).toEqual({ code: 1, out: '', at });
    expect(err).toMatch(/^holdfast [a-z]+: [^\n]*(disk is full|ENOSPC|no space|No room|full)[^\n]*\n$/i);
    await check(home);
  }
}

async function value(root: string): Promise<string | null> {
  const host = new StorageHost({ root });
  try {
    return host.origin(ORIGIN).localStorage.getItem('key');
  } finally {
    await host.close();
  }
}

test('a backup into a full disk is one line; what the repository had is whole, and the next one goes on', async () => {
  const args = ({ backups }: Home): string[] => ['backup', '--to', backups];
  await atEachPoint(({ backups }) => backups, args, async (home) => {
    const { root, backups } = home;
    expect(await checkBackups(backups, () => undefined)).toMatchObject({ backups: 1, damage: [] });
    expect(await runHere(root, args(home))).toMatchObject({ code: 0 });
    expect(await checkBackups(backups, () => undefined)).toMatchObject({ backups: 2, damage: [] });
    expect(await value(root)).toBe('after');
  });
});

test('a restore into a full disk is one line, and the root as it was', async () => {
  await atEachPoint(({ root }) => path.join(root, 'new'), ({ backups }) => ['restore', '--from', backups, ...FOR], async ({ root }) => {
    expect(await value(root)).toBe('after');
    expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
  });
});

test.each([0, 1, 3])('an export into a disk that is full after %i pieces is one line, and leaves no file, nor another one than was there', async (pieces) => {
  const { home, root } = await prepare();
  const to = path.join(home, 'to');
  const handle = await fs.promises.open(path.join(to, 'a.tar'));
  await handle.close();
  const file = Object.getPrototypeOf(handle) as { appendFile(data: Uint8Array): Promise<void> };
  const { appendFile } = file;
  let calls = 0;
  const full = vi.spyOn(file, 'appendFile').mockImplementation(function (this: unknown, data) {
    return (calls += 1) > pieces ? Promise.reject(systemError('ENOSPC', 'write')) : appendFile.call(this, data);
  });
  const ended = await runHere(root, ['export', '--to', path.join(to, 'a.tar')]);
  full.mockRestore();
  expect(ended).toEqual({ code: 1, out: '', err: expect.stringMatching(/^holdfast export: ENOSPC[^\n]*\n$/) as string });
  expect(contentsOf(to)).toEqual(new Map([['a.tar', 'the one before']]));
  expect(await value(root)).toBe('after');
});

test('an import into a full disk is one line, and the root as it was', async () => {
  const { root: source, home: elsewhere } = await prepare();
  const archive = path.join(elsewhere, 'a.tar');
  await runHere(source, ['export', '--to', archive]);
  await atEachPoint(({ root }) => path.join(root, 'new'), () => ['import', '--from', archive, '--replace'], async ({ root }) => {
    expect(await value(root)).toBe('after');
    expect(fs.readdirSync(path.join(root, 'new'))).toEqual([]);
  }, false);
});
