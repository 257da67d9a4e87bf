import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
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
