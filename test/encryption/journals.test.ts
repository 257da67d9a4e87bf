import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { HEADER_BYTES, TRAILER_BYTES } from '../../src/disk/journal/frame.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { codeBehind, snapshotOf, treeHas } from './support.ts';

const ORIGIN = 'https://a.example';
const key = Uint8Array.from(randomBytes(32));
const hosts: StorageHost[] = [];

function open(root: string, encryption?: EncryptionOptions): StorageHost {
  const host = new StorageHost({ root, ...(encryption && { encryption }) });
  hosts.push(host);
  return host;
}

function storage(root: string, encryption: EncryptionOptions | undefined = { key }): Storage {
  return open(root, encryption).origin(ORIGIN).localStorage as unknown as Storage;
}

const journal = (root: string, name: string): string => path.join(root, 'origins/https_a.example/default', name);

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
});

test('a plain origin is encrypted by its next write, while others use it, and nothing plain is left of what moved on', async () => {
  const root = temporaryDirectory();
  const plain = open(root).origin(ORIGIN);
  for (let round = 0; round < 50; round++) plain.localStorage.setItem(`canary-${round % 20}`, `canary-value-${round}`);
  await plain.locks.request('canary-lock', () => undefined);
  const migrating: EncryptionOptions = { key, plain: 'migrate' };
  const [one, other] = [open(root, migrating).origin(ORIGIN), open(root, migrating).origin(ORIGIN)];
  const before = snapshotOf(root);
  expect(other.localStorage.getItem('canary-3')).toBe('canary-value-43');
  expect(snapshotOf(root)).toEqual(before);
  one.localStorage.setItem('new', 'v');
  expect(other.localStorage.getItem('new')).toBe('v');
  expect(other.localStorage.length).toBe(21);
  await other.locks.request('another', () => undefined);
  expect(codeBehind(() => plain.localStorage.getItem('new'))).toBe('key-missing');
  expect(codeBehind(() => open(root).origin(ORIGIN).localStorage)).toBe('key-missing');
  expect(treeHas(root, 'canary')).toEqual([]);
  // It cannot say any more that it leaves.
  await expect(hosts.shift()?.close()).rejects.toThrow(/is encrypted/);
  expect(storage(root, migrating).getItem('canary-19')).toBe('canary-value-39');
});

test('an origin with what cannot be encrypted stays as it is', async () => {
  const root = temporaryDirectory();
  const plain = open(root).origin(ORIGIN);
  plain.localStorage.setItem('k', 'v');
  await plain.storage.estimate();
  await hosts.splice(0)[0]?.close();
  const coordinator = path.join(root, 'origins/https_a.example/coordinators/c/n');
  fs.mkdirSync(coordinator, { recursive: true });
  fs.writeFileSync(path.join(coordinator, 'unknown'), 'a name');
  const before = snapshotOf(root);
  const other = storage(root, { key, plain: 'migrate' });
  expect(other.getItem('k')).toBe('v');
  expect(codeBehind(() => other.setItem('k', 'w'))).toBe('encryption-unsupported');
  expect(snapshotOf(root)).toEqual(before);
});

test('no byte of a record can be changed, with all checksums repaired', () => {
  const root = temporaryDirectory();
  const writer = storage(root);
  writer.setItem('k', 'first');
  const file = path.join(journal(root, 'local-storage'), '0');
  const start = fs.statSync(file).size;
  writer.setItem('k', 'other');
  const whole = fs.readFileSync(file);
  const seen = new Set<string | null>();
  for (let at = start + 16; at < whole.length; at++) {
    const bytes = Buffer.from(whole);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
    const header = crc32(bytes, start + 16, start + 40);
    bytes.writeUInt32LE(header, start + 40);
    bytes.writeUInt32LE(crc32(bytes, start + HEADER_BYTES, bytes.length - TRAILER_BYTES, header), bytes.length - TRAILER_BYTES);
    fs.writeFileSync(file, bytes);
    const code = codeBehind(() => seen.add(storage(root).getItem('k')));
    if (code !== 'nothing was thrown') expect(code).toBe('journal-damaged');
  }
  // What the checksums and the terminator are repaired to is the record itself, and a length that is wrong is a torn write.
  for (const value of seen) expect(['first', 'other']).toContain(value);
});

test('a generation of another journal, or a plain one, is not taken', () => {
  const root = temporaryDirectory();
  storage(root).setItem('k', 'v');
  const other = temporaryDirectory();
  storage(other, { key: randomBytes(32) }).setItem('k', 'other');
  const plain = temporaryDirectory();
  open(plain).origin(ORIGIN).localStorage.setItem('k', 'plain');
  const file = path.join(journal(root, 'local-storage'), '0');
  for (const [from, code] of [[path.join(journal(root, 'locks'), '0'), 'journal-damaged'], [path.join(journal(other, 'local-storage'), '0'), 'journal-damaged'], [path.join(journal(plain, 'local-storage'), '0'), 'not-encrypted']] as const) {
    fs.copyFileSync(from, file);
    expect(codeBehind(() => storage(root).getItem('k')), from).toBe(code);
    expect(codeBehind(() => storage(root, { key, plain: 'migrate' }).getItem('k')), from).toBe(code);
  }
});

test('an origin whose file of keys is gone, damaged or another one is not written to', () => {
  const root = temporaryDirectory();
  storage(root).setItem('k', 'v');
  const file = path.join(root, 'origins/https_a.example/keys');
  const whole = fs.readFileSync(file);
  for (const [bytes, code] of [[null, 'key-missing'], [whole.subarray(0, 100), 'keys-damaged'], [Buffer.alloc(0), 'keys-damaged']] as const) {
    if (bytes === null) fs.rmSync(file);
    else fs.writeFileSync(file, bytes);
    const before = snapshotOf(root);
    expect(codeBehind(() => storage(root).setItem('k', 'w'))).toBe(code);
    expect(snapshotOf(root)).toEqual(before);
  }
  fs.writeFileSync(file, whole);
  expect(storage(root).getItem('k')).toBe('v');
});
