// Processes are killed by SIGKILL in the middle of what they do; what they were told is done must be there.
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { StorageHost } from 'holdfast';
import { newRoot, origin } from '../kit/place.mjs';
import { start } from '../kit/program.mjs';
import { test, until } from '../kit/test.mjs';

const KILLS = Number(process.env.TEST_KILLS);

/** Starts a program that tells of each step when it is done, and kills it after a while; what it told, with its kind. */
async function killed(program, root, id) {
  const running = start('worker', { args: [root, program, String(id)] });
  const steps = 1 + ((id * 7) % 23);
  for (let step = 0; step < steps; step++) await running.line();
  const { signal, stderr } = await running.kill();
  assert.equal(signal, 'SIGKILL', stderr);
  return running.lines.map(Number);
}

async function withKills(program, check) {
  const root = newRoot();
  for (let id = 0; id < KILLS; id++) {
    const done = await killed(program, root, id);
    const host = new StorageHost({ root });
    await check(host.origin(origin), id, done.at(-1));
    await host.close();
  }
}

test('items: every one that was acknowledged is there, and whole', () =>
  withKills('items', ({ localStorage }, id, last) => {
    for (let n = 0; n <= last; n++) assert.equal(localStorage.getItem(`${id}/${n}`)?.length, 50 + ((n * 977) % 60_000));
    const own = Object.keys(localStorage).filter((key) => key.startsWith(`${id}/`));
    assert.ok(own.length - 1 - last <= 1000, 'no more than what it wrote since it last told');
    assert.deepEqual(own, own.map((_, n) => `${id}/${n}`));
  }));

test('one item, overwritten: compaction is killed too, and the last value stands', () =>
  withKills('overwrites', ({ localStorage }, id, last) => {
    const value = localStorage.getItem('k');
    const [writer, n] = value.split(' ', 2).map(Number);
    assert.equal(writer, id);
    assert.ok(n >= last, `${n} is not older than ${last}`);
    assert.equal(value.length, 200_000);
    assert.equal(localStorage.getItem('untouched'), 'there');
  }));

test('files that are replaced: at their old or their new content, never between', () =>
  withKills('replacements', async ({ storage }, id, last) => {
    const root = await storage.getDirectory();
    const text = await (await (await root.getFileHandle('replaced')).getFile()).text();
    const [writer, n] = text.split(' ', 2).map(Number);
    assert.equal(writer, id);
    assert.ok(n >= last, `${n} is not older than ${last}`);
    assert.equal(text, `${id} ${n} `.padEnd(200_000, String(n % 10)));
  }));

test('entries that are moved: at one place, whole', () =>
  withKills('moves', async ({ storage }, id) => {
    const root = await storage.getDirectory();
    const found = [];
    for await (const [name, handle] of root) if (name.startsWith('moved')) found.push(await (await handle.getFile()).text());
    // Each writer leaves one file, wherever it was killed: on Deno a name may be claimed by the killed one for a while.
    assert.deepEqual(found, ['content']);
  }));

test('trees that are removed do not come back, and leave nothing behind', async () => {
  const root = newRoot();
  for (let id = 0; id < KILLS; id++) {
    const last = (await killed('trees', root, id)).at(-1);
    const host = new StorageHost({ root });
    const directory = await host.origin(origin).storage.getDirectory();
    for (let n = 0; n <= last; n++) await assert.rejects(directory.getDirectoryHandle(`tree ${id} ${n}`), { name: 'NotFoundError' });
    await host.close();
  }
  const host = new StorageHost({ root });
  await (await host.origin(origin).storage.getDirectory()).getDirectoryHandle('after', { create: true });
  const bucket = join(root, 'origins/https_app.example/default');
  await until(() => readdirSync(join(bucket, 'trash')).length === 0, 'the trash is empty');
  await host.close();
});
