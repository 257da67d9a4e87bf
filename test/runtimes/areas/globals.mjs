// The door 'holdfast/globals': by import, and by each runtime's preload.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { newRoot } from '../kit/place.mjs';
import { run } from '../kit/program.mjs';
import { test } from '../kit/test.mjs';

const interfaces = [
  'FileSystemDirectoryHandle',
  'FileSystemFileHandle',
  'FileSystemHandle',
  'FileSystemObserver',
  'FileSystemSyncAccessHandle',
  'FileSystemWritableFileStream',
  'Lock',
  'LockManager',
  'QuotaExceededError',
  'Storage',
  'StorageEvent',
  'StorageManager',
];

async function look(options) {
  return JSON.parse((await run('look', options)).at(-1));
}

for (const [how, start] of [
  ['preloaded', { preload: true }],
  ['imported', { args: ['import'] }],
]) {
  test(`${how}, it gives a program storage that the next process finds`, async () => {
    const root = newRoot();
    const options = { ...start, env: { HOLDFAST_ROOT: root } };
    const first = await look(options);
    assert.deepEqual(first.interfaces, interfaces);
    assert.deepEqual(first.never, []);
    assert.deepEqual(first, { ...first, before: null, file: 'hello', lock: 'l', kept: true, isStorage: true });
    const second = await look(options);
    // Where the runtime refuses syncs that is said; when, is up to it.
    for (const { warnings } of [first, second]) assert.deepEqual(warnings.filter((text) => !text.includes('refuses every fsync')), []);
    assert.deepEqual({ ...second, warnings: [] }, { ...first, before: '1', warnings: [] });
    assert.ok(existsSync(join(root, 'origins/http_localhost')));
  });
}

test('the environment says which origin', async () => {
  const root = newRoot();
  await look({ preload: true, env: { HOLDFAST_ROOT: root, HOLDFAST_ORIGIN: 'https://app.example' } });
  assert.ok(existsSync(join(root, 'origins/https_app.example')));
});

test('a mistake in the environment is told', async () => {
  await assert.rejects(look({ preload: true, env: { HOLDFAST_ROOT: newRoot(), HOLDFAST_ORIGIN: 'app.example' } }), /'app.example' is not an origin/);
});

test('a thread whose code is a string has the globals once it has imported them', async () => {
  assert.deepEqual(await run('evaluated', { env: { HOLDFAST_ROOT: newRoot() } }), ['a string']);
});
