import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ensureDirectory } from '../../src/disk/directories.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { bundleFixture } from '../support/bundle.ts';

let home: string;

beforeEach(() => {
  home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-directories-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(home, { recursive: true, force: true });
});

test('every missing directory is made, for its owner only', () => {
  const deep = path.join(home, 'a', 'b', 'c');
  ensureDirectory(deep);
  ensureDirectory(deep);
  for (let at = deep; at !== home; at = path.dirname(at)) expect(fs.statSync(at).mode & 0o777).toBe(0o700);
});

test('one that another process makes meanwhile is as good', () => {
  const { mkdirSync } = fs;
  vi.spyOn(fs, 'mkdirSync').mockImplementation((...args) => {
    mkdirSync(...args);
    return mkdirSync(...args);
  });
  ensureDirectory(path.join(home, 'a', 'b'));
  expect(fs.existsSync(path.join(home, 'a', 'b'))).toBe(true);
});

test('a file in the way is the error that the system gives', () => {
  fs.writeFileSync(path.join(home, 'file'), '');
  expect(() => ensureDirectory(path.join(home, 'file'))).toThrow(/EEXIST/);
  expect(() => ensureDirectory(path.join(home, 'file', 'below'))).toThrow(/ENOTDIR/);
});

test('a disk that says ENOENT for ever is refused after a few attempts', () => {
  const mkdir = vi.spyOn(fs, 'mkdirSync').mockImplementation(() => {
    throw Object.assign(new Error('ENOENT: pretended, mkdir'), { code: 'ENOENT', syscall: 'mkdir' });
  });
  let error: unknown;
  try {
    ensureDirectory(path.join(home, ...'abcdefgh'));
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({ code: 'root-read-only', cause: { code: 'ENOENT' } });
  expect(error).toBeInstanceOf(HoldfastError);
  expect(mkdir.mock.calls.length).toBeLessThan(20);
});

// In a process of its own, which can be ended if it never ends by itself.
test.skipIf(process.platform !== 'linux')('a root below /proc is an error, at once', async () => {
  const fixture = await bundleFixture(new URL('./proc-fixture.ts', import.meta.url));
  const { stdout, signal } = spawnSync(process.execPath, [fixture], { encoding: 'utf8', timeout: 100_000 });
  expect(signal).toBeNull();
  expect(stdout).toBe('QuotaExceededError root-read-only\nroot-read-only\n');
});
