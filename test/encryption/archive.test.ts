import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { StorageHost } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, codeOf, contentOf, filledRoot, open, openPlain, ORIGIN, OTHER, otherKey } from './operator.ts';
import { snapshotOf, treeHas } from './support.ts';

async function exported(host: StorageHost, options = {}): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  for await (const piece of await host.exportOrigin(ORIGIN, options)) pieces.push(piece);
  return Buffer.concat(pieces);
}

async function* streamOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += 100_000) yield bytes.subarray(at, at + 100_000);
}

const newRoot = (): string => path.join(temporaryDirectory(), 'root');

test('an archive of an encrypted origin shows nothing, and goes into another root without a key', async () => {
  const { host, content } = await filledRoot();
  const archive = await exported(host);
  expect(archive.includes(CANARY)).toBe(false);
  const root = newRoot();
  expect(await openPlain(root).importOrigin(streamOf(archive))).toEqual([{ source: ORIGIN, origin: ORIGIN, outcome: 'created' }]);
  expect(treeHas(root, CANARY)).toEqual([]);
  expect(await contentOf(open(root).origin(ORIGIN))).toEqual(content);
  expect(await codeOf(open(root, { key: otherKey }).unlock(ORIGIN))).toBe('key-wrong');
  const directory = temporaryDirectory();
  fs.writeFileSync(path.join(directory, 'a.tar'), archive);
  execFileSync('tar', ['xf', 'a.tar'], { cwd: directory });
  execFileSync('sha256sum', ['-c', '--quiet', 'manifest.sha256'], { cwd: directory });
});

test('with its key it becomes another origin, or is merged, encrypted anew; without it neither, and nothing is changed', async () => {
  const { host, content } = await filledRoot();
  const archive = await exported(host);
  const root = newRoot();
  const filled = open(root);
  filled.origin(ORIGIN).localStorage.setItem('there', 'before');
  const before = snapshotOf(path.join(root, 'origins'));
  expect(await codeOf(openPlain(root).importOrigin(streamOf(archive), { origin: OTHER }))).toBe('key-missing');
  expect(await codeOf(openPlain(root).importOrigin(streamOf(archive), { existing: 'merge' }))).toBe('key-missing');
  expect(await codeOf(openPlain(root).importOrigin(streamOf(archive), { existing: 'replace' }))).toBe('key-missing');
  expect(await codeOf(open(root, { key: otherKey }).importOrigin(streamOf(archive), { origin: OTHER }))).toBe('key-wrong');
  expect(await codeOf(filled.importOrigin(streamOf(archive)))).toBe('origin-exists');
  expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);
  expect(await filled.importOrigin(streamOf(archive), { origin: OTHER })).toMatchObject([{ origin: OTHER, outcome: 'created' }]);
  expect(await contentOf(filled.origin(OTHER))).toEqual(content);
  expect(await filled.importOrigin(streamOf(archive), { existing: 'merge' })).toMatchObject([{ outcome: 'merged' }]);
  expect(filled.origin(ORIGIN).localStorage.getItem('there')).toBe('before');
  expect(filled.origin(ORIGIN).localStorage.getItem(`${CANARY}-key`)).toContain(CANARY);
  expect(await filled.importOrigin(streamOf(archive), { existing: 'replace' })).toMatchObject([{ outcome: 'replaced' }]);
  expect(await contentOf(filled.origin(ORIGIN))).toEqual(content);
  expect(treeHas(root, CANARY)).toEqual([]);
});

test('it is plain where that is asked for, with the key; and a plain archive becomes encrypted where the host encrypts', async () => {
  const { host, root, content } = await filledRoot();
  for (const other of [openPlain(root), open(root, { key: otherKey })]) {
    for (const plain of [false, true]) expect(await codeOf(exported(other, { plain }))).toMatch(/^key-(missing|wrong)$/);
  }
  expect(await codeOf(exported(host, { bucket: 'default' }))).toBe('bad-option');
  const archive = await exported(host, { plain: true });
  expect(archive.includes(CANARY)).toBe(true);
  const [plain, sealed] = [newRoot(), newRoot()];
  await openPlain(plain).importOrigin(streamOf(archive));
  expect(await contentOf(openPlain(plain).origin(ORIGIN))).toEqual(content);
  const seen = new Set<string>();
  const { writeSync } = fs;
  fs.writeSync = ((descriptor: number, bytes: Uint8Array | string, ...rest: number[]) => {
    const [at = 0, length = Infinity] = typeof bytes === 'string' ? [] : rest;
    if (Buffer.from(bytes).subarray(at, at + length).includes(CANARY)) seen.add(String(descriptor));
    return (writeSync as (...given: unknown[]) => number)(descriptor, bytes, ...rest);
  }) as typeof writeSync;
  try {
    await open(sealed).importOrigin(streamOf(archive), { origin: OTHER });
  } finally {
    fs.writeSync = writeSync;
  }
  expect([...seen]).toEqual([]);
  expect(await contentOf(open(sealed).origin(OTHER))).toEqual(content);
  expect(treeHas(sealed, CANARY)).toEqual([]);
});

test('an archive whose bytes were changed changes nothing', async () => {
  const { host } = await filledRoot();
  const archive = await exported(host);
  for (let at = 700; at < archive.length - 1024; at += Math.ceil(archive.length / 12)) {
    const changed = Buffer.from(archive);
    changed[at] = (changed[at] ?? 0) ^ 1;
    const root = newRoot();
    const code = await codeOf(openPlain(root).importOrigin(streamOf(changed)));
    // Padding between entries says nothing.
    if (code === 'nothing was thrown') continue;
    expect(code).toBe('archive-damaged');
    expect(fs.readdirSync(path.join(root, 'origins'))).toEqual([]);
  }
});
