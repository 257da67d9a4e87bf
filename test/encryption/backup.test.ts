import fs from 'node:fs';
import path from 'node:path';
import zlib from 'node:zlib';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { runHere } from '../cli/support.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, codeOf, contentOf, fillDatabase, filledRoot, key, open, openPlain, ORIGIN, OTHER, otherKey, recordOf, write } from './operator.ts';
import { filesIn, snapshotOf, treeHas } from './support.ts';

/** What all chunks of a repository hold, as they are before they are compressed. */
function chunksOf(repository: string): Buffer[] {
  return filesIn(path.join(repository, 'chunks')).map((name) => {
    const bytes = fs.readFileSync(path.join(repository, 'chunks', name));
    return bytes[4] === 1 ? zlib.inflateRawSync(bytes.subarray(8)) : bytes.subarray(8);
  });
}

test('a backup of an encrypted origin shows nothing, and brings it back without a key, to be opened with its own only', async () => {
  const { root, backups, content, host } = await filledRoot();
  expect(await host.backup(backups)).toMatchObject({ origins: 1, problems: [] });
  expect(treeHas(backups, CANARY)).toEqual([]);
  expect(chunksOf(backups).filter((bytes) => bytes.includes(CANARY))).toEqual([]);
  const target = path.join(temporaryDirectory(), 'other');
  expect(await StorageHost.restore({ from: backups, root: target })).toMatchObject({ origins: [ORIGIN], lost: [] });
  expect(treeHas(target, CANARY)).toEqual([]);
  const client = open(target).origin(ORIGIN);
  expect(await contentOf(client)).toEqual(content);
  // It goes on as an encrypted one.
  await write(client, 'later', CANARY);
  client.localStorage.setItem('later', CANARY);
  await client.locks.request(CANARY, () => undefined);
  expect(treeHas(target, CANARY)).toEqual([]);
  expect(await codeOf(open(target, { key: otherKey }).unlock(ORIGIN))).toBe('key-wrong');
  expect(await codeOf(openPlain(target).unlock(ORIGIN))).toBe('key-missing');
  expect(fs.existsSync(path.join(root, 'new')) && fs.readdirSync(path.join(root, 'new'))).toEqual([]);
});

test('the second backup reads what has changed, and older ones come back as they were', async () => {
  const { backups, content, host, client, root } = await filledRoot();
  const { time } = await host.backup(backups);
  client.localStorage.setItem('l', 'second');
  await write(client, 'more', 'second');
  expect(await host.backup(backups)).toMatchObject({ problems: [] });
  await StorageHost.restore({ from: backups, root, origin: ORIGIN, at: time, replace: true, encryption: { key } });
  expect(await contentOf(open(root).origin(ORIGIN))).toEqual(content);
  await StorageHost.restore({ from: backups, root, origin: ORIGIN, replace: true, encryption: { key } });
  expect(open(root).origin(ORIGIN).localStorage.getItem('l')).toBe('second');
});

test('what was rekeyed since comes back with the key that it had then', async () => {
  const { backups, content, host, root } = await filledRoot();
  await host.backup(backups);
  const both = { key: otherKey, previous: [key] };
  await open(root, both).rekey(ORIGIN, { dataKey: true });
  await open(root, both).backup(backups);
  const [old, fresh] = [1, 2].map(() => path.join(temporaryDirectory(), 'root')) as [string, string];
  const [first] = fs.readdirSync(path.join(backups, 'backups')).sort();
  const at = `${first?.slice(0, 4)}-${first?.slice(4, 6)}-${first?.slice(6, 11)}:${first?.slice(11, 13)}:${first?.slice(13, 15)}.${first?.slice(15, 18)}Z`;
  await StorageHost.restore({ from: backups, root: old, at });
  expect(await contentOf(open(old).origin(ORIGIN))).toEqual(content);
  expect(await codeOf(open(old, { key: otherKey }).unlock(ORIGIN))).toBe('key-wrong');
  await StorageHost.restore({ from: backups, root: fresh });
  expect(await contentOf(open(fresh, { key: otherKey }).origin(ORIGIN))).toEqual(content);
  expect(await codeOf(open(fresh).unlock(ORIGIN))).toBe('key-wrong');
});

test('without its key an origin is left out, and said to be; others are backed up', async () => {
  const { backups, root } = await filledRoot();
  openPlain(root).origin(OTHER).localStorage.setItem('k', 'v');
  for (const host of [openPlain(root), open(root, { key: otherKey })]) {
    const { origins, problems } = await host.backup(backups);
    expect(origins).toBe(1);
    expect(problems).toMatchObject([{ origin: ORIGIN, path: '', kind: 'left-out', message: expect.stringMatching(/no key was given|is not that of/) }]);
  }
});

test('a root that comes back from a backup that had to leave an origin out keeps that one as it is, and tells of it', async () => {
  const { backups, content, root, host } = await filledRoot();
  const plain = openPlain(root);
  plain.origin(OTHER).localStorage.setItem('k', 'v');
  await plain.backup(backups);
  plain.origin('https://later.example').localStorage.setItem('k', 'v');
  const told = [{ origin: ORIGIN, path: '', kind: 'left-out', message: expect.stringMatching('no key was given') }];
  expect(await StorageHost.restore({ from: backups, root, replace: true })).toMatchObject({ origins: [OTHER], problems: told });
  expect(fs.readdirSync(path.join(root, 'origins')).sort()).toEqual(['https_a.example', 'https_b.example']);
  expect(await contentOf(host.origin(ORIGIN))).toEqual(content);
  const elsewhere = path.join(temporaryDirectory(), 'root');
  expect(await runHere(elsewhere, ['restore', '--from', backups])).toMatchObject({ code: 1, out: expect.stringMatching(/^left out: https:\/\/a\.example: .*no key was given/) });
  expect(await runHere(elsewhere, ['restore', '--from', backups, '--origin', ORIGIN])).toMatchObject({ code: 1, err: expect.stringMatching('has no origin https://a.example, which was left out: ') });
  expect(await runHere(elsewhere, ['restore', '--from', backups, '--origin', OTHER])).toMatchObject({ code: 0 });
});

test('restoring over an encrypted origin needs its key, and becoming another one too; nothing is changed without', async () => {
  const { backups, content, host, root } = await filledRoot();
  await host.backup(backups);
  await host.close();
  const before = snapshotOf(path.join(root, 'origins'));
  const over = { from: backups, root, origin: ORIGIN, replace: true };
  expect(await codeOf(StorageHost.restore(over))).toBe('key-missing');
  expect(await codeOf(StorageHost.restore({ ...over, encryption: { key: otherKey } }))).toBe('key-wrong');
  expect(await codeOf(StorageHost.restore({ ...over, as: OTHER }))).toBe('key-missing');
  expect(await codeOf(StorageHost.restore({ ...over, as: OTHER, encryption: { key: otherKey } }))).toBe('key-wrong');
  expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);
  await StorageHost.restore({ ...over, as: OTHER, encryption: { key } });
  expect(await contentOf(open(root).origin(OTHER))).toEqual(content);
  await StorageHost.restore({ ...over, as: OTHER, encryption: { keyFor: async (origin) => (origin === ORIGIN ? key : otherKey), previous: [key] } });
  expect(await contentOf(open(root, { key: otherKey }).origin(OTHER))).toEqual(content);
  expect(await contentOf(open(root).origin(ORIGIN))).toEqual(content);
});

test('a backup of the default bucket is of one moment while others write and compact', async () => {
  const { backups, host, client, root } = await filledRoot();
  let round = 0;
  let isOver = false;
  const writing = (async () => {
    while (!isOver) {
      client.localStorage.setItem('big', `${(round += 1)}:${'x'.repeat(40_000)}`);
      await write(client, 'count', String(round));
    }
  })();
  try {
    for (let backup = 0; backup < 3; backup += 1) expect(await host.backup(backups)).toMatchObject({ problems: [] });
  } finally {
    isOver = true;
    await writing;
  }
  const target = path.join(path.dirname(root), 'restored');
  await StorageHost.restore({ from: backups, root: target });
  const restored = open(target).origin(ORIGIN);
  const items = Number(/^\d+/.exec(restored.localStorage.getItem('big') ?? '')?.[0]);
  const file = Number(await (await (await (await restored.storage.getDirectory()).getFileHandle('count')).getFile()).text());
  expect(items - file === 0 || items - file === 1).toBe(true);
});

test('once an origin is deleted its keys are gone first, and a backup still opens with the root key', async () => {
  const { backups, content, host, root } = await filledRoot();
  await host.backup(backups);
  const keys = path.join(root, 'origins/https_a.example/keys');
  const { renameSync } = fs;
  let wereThere: boolean | null = null;
  fs.renameSync = (from, to) => {
    wereThere ??= fs.existsSync(keys);
    renameSync(from, to);
  };
  try {
    await openPlain(root).deleteOrigin(ORIGIN);
  } finally {
    fs.renameSync = renameSync;
  }
  expect(wereThere).toBe(false);
  await StorageHost.restore({ from: backups, root, origin: ORIGIN });
  expect(await contentOf(open(root).origin(ORIGIN))).toEqual(content);
});

test('databases come back with their Blobs, and are sound; a changed byte of one is found', async () => {
  const { root, backups, client, host } = await filledRoot();
  await fillDatabase(client);
  expect(await host.backup(backups)).toMatchObject({ problems: [] });
  expect(chunksOf(backups).filter((bytes) => bytes.includes(CANARY))).toEqual([]);
  const place = temporaryDirectory();
  const target = path.join(place, 'root');
  await StorageHost.restore({ from: backups, root: target });
  expect(await recordOf(open(target).origin(ORIGIN))).toEqual(await recordOf(open(root).origin(ORIGIN)));
  fs.writeFileSync(path.join(place, 'key'), key);
  const verify = async (): Promise<unknown> => JSON.parse((await runHere(target, ['verify', '--json', '--key-file', path.join(place, 'key')])).out);
  expect(await verify()).toMatchObject({ sound: true });
  const databases = path.join(target, 'origins/https_a.example/default/indexeddb/databases');
  const file = path.join(databases, filesIn(databases).find((name) => name.endsWith('/db')) ?? '');
  const bytes = fs.readFileSync(file);
  bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
  fs.writeFileSync(file, bytes);
  expect(await verify()).toMatchObject({ sound: false, findings: [{ kind: 'damaged', path: file }] });
});
