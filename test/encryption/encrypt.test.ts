import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runHere } from '../cli/support.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, codeOf, key, open, openPlain, ORIGIN, OTHER, write } from './operator.ts';
import { codeBehind, snapshotOf, treeHas } from './support.ts';

const migrating = { key, plain: 'migrate' } as const;

/** A plain origin with more than one generation, what was removed, and somebody who goes on. */
async function plainRoot(): Promise<string> {
  const root = path.join(temporaryDirectory(), 'root');
  const host = openPlain(root);
  const client = host.origin(ORIGIN);
  for (let round = 0; round < 40; round += 1) client.localStorage.setItem(CANARY, `${CANARY} ${round}`.repeat(4_000));
  await client.locks.request(CANARY, () => undefined);
  await client.storage.estimate();
  await write(client, 'gone', CANARY.repeat(40_000));
  await (await client.storage.getDirectory()).removeEntry('gone');
  await host.close();
  return root;
}

test('encrypt() leaves nothing plain of an origin, also of what nobody writes to; it may be called again, and then plain is refused', async () => {
  const root = await plainRoot();
  expect(treeHas(root, CANARY).length).toBeGreaterThan(1);
  const running = open(root, migrating).origin(ORIGIN);
  expect(running.localStorage.getItem(CANARY)).toContain('39');
  const host = open(root, migrating);
  expect(await host.encrypt(ORIGIN)).toBe(true);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect(running.localStorage.getItem(CANARY)).toContain('39');
  running.localStorage.setItem('more', CANARY);
  expect(await host.encrypt(ORIGIN)).toBe(false);
  expect(treeHas(root, CANARY)).toEqual([]);
  const after = open(root).origin(ORIGIN);
  expect(after.localStorage.getItem('more')).toBe(CANARY);
  await write(after, CANARY, CANARY);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect(codeBehind(() => openPlain(root).origin(ORIGIN).localStorage)).toBe('key-missing');
});

test('what cannot be encrypted is refused, and nothing is changed; a host that does not migrate refuses it too', async () => {
  const root = path.join(temporaryDirectory(), 'root');
  const plain = openPlain(root);
  await write(plain.origin(ORIGIN), 'file', CANARY);
  plain.origin(OTHER).localStorage.setItem('k', 'v');
  await plain.close();
  const before = snapshotOf(path.join(root, 'origins'));
  expect(await codeOf(open(root, migrating).encrypt(ORIGIN))).toBe('encryption-unsupported');
  expect(await codeOf(open(root).encrypt(OTHER))).toBe('not-encrypted');
  expect(await codeOf(openPlain(root).encrypt(OTHER))).toBe('bad-option');
  expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);
});

test('holdfast encrypt --all says what it did and what is left, and what has files goes through an archive', async () => {
  const root = await plainRoot();
  const plain = openPlain(root);
  await write(plain.origin(OTHER), CANARY, CANARY);
  await plain.close();
  const file = path.join(path.dirname(root), 'key');
  fs.writeFileSync(file, key);
  const { code, out } = await runHere(root, ['encrypt', '--all', '--key-file', file, '--json']);
  expect(code).toBe(1);
  expect(JSON.parse(out)).toMatchObject([{ origin: ORIGIN, outcome: 'encrypted' }, { origin: OTHER, outcome: 'failed', message: expect.stringContaining("has 'files.0', which cannot be encrypted yet") }]);
  expect(await runHere(root, ['encrypt', '--origin', ORIGIN, '--key-file', file])).toMatchObject({ code: 0, out: `${ORIGIN}: it was encrypted, and nothing of it is plain\n` });
  const archive = path.join(path.dirname(root), 'a.tar');
  expect(await runHere(root, ['export', '--origin', OTHER, '--to', archive])).toMatchObject({ code: 0 });
  expect(await runHere(root, ['import', '--from', archive, '--replace', '--key-file', file])).toMatchObject({ code: 0 });
  expect(treeHas(root, CANARY)).toEqual([]);
  const { storage } = open(root).origin(OTHER);
  expect(await (await (await (await storage.getDirectory()).getFileHandle(CANARY)).getFile()).text()).toBe(CANARY);
});
