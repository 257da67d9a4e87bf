import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test, vi } from 'vitest';
import { hostFromEnvironment } from '../../src/host/install/environment.ts';
import { StorageHost } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { codeBehind } from './support.ts';

afterEach(() => {
  delete process.env['HOLDFAST_KEY_FILE'];
  delete process.env['HOLDFAST_ROOT'];
});

test('HOLDFAST_KEY_FILE names a file with a key, as bytes or as text', async () => {
  const directory = temporaryDirectory();
  const key = randomBytes(32);
  process.env['HOLDFAST_ROOT'] = path.join(directory, 'root');
  for (const [index, content] of [key, key.toString('hex'), `${key.toString('base64')}\n`, `  ${key.toString('hex').toUpperCase()}\n`].entries()) {
    const file = path.join(directory, `key-${index}`);
    fs.writeFileSync(file, content);
    process.env['HOLDFAST_KEY_FILE'] = file;
    const host = new StorageHost(hostFromEnvironment());
    const { localStorage } = host.origin('https://a.example');
    expect(localStorage.getItem('k')).toBe(index === 0 ? null : 'v');
    localStorage.setItem('k', 'v');
    await host.close();
  }
});

test('a file without a key is an error that does not show what is in it', () => {
  const file = path.join(temporaryDirectory(), 'key');
  process.env['HOLDFAST_KEY_FILE'] = file;
  expect(codeBehind(hostFromEnvironment)).toBe('bad-option');
  for (const content of ['', 'secret'.repeat(5), randomBytes(31), randomBytes(33).toString('base64'), `${'a'.repeat(63)}g`]) {
    fs.writeFileSync(file, content);
    expect(codeBehind(hostFromEnvironment)).toBe('bad-option');
    expect(() => hostFromEnvironment()).not.toThrow(/secret|aaaa/);
  }
});

test('no more is read of a file than a key may take: neither of a big one, nor of a device without an end', () => {
  const directory = temporaryDirectory();
  const big = path.join(directory, 'big');
  fs.writeFileSync(big, `${randomBytes(32).toString('hex')}${' '.repeat(2_000_000)}`);
  let read = 0;
  const original = fs.readSync;
  const spy = vi.spyOn(fs, 'readSync').mockImplementation(((...args: Parameters<typeof fs.readSync>) => {
    const count = original(...args);
    read += count;
    return count;
  }) as typeof fs.readSync);
  const files = process.platform === 'win32' ? [big] : [big, '/dev/zero'];
  for (const file of files) {
    process.env['HOLDFAST_KEY_FILE'] = file;
    read = 0;
    expect(codeBehind(hostFromEnvironment)).toBe('bad-option');
    expect(read).toBeGreaterThan(0);
    expect(read).toBeLessThan(2_000);
  }
  spy.mockRestore();
});
