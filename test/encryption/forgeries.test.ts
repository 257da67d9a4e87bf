import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import '../../src/host/sync/provided.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { HEADER_BYTES, TRAILER_BYTES } from '../../src/disk/journal/frame.ts';
import { FILE_HEADER_BYTES } from '../../src/disk/journal/generation-file.ts';
import { Journal } from '../../src/disk/journal/journal.ts';
import type { JournalEncryption } from '../../src/disk/journal/journal-cipher.ts';
import type { JournalRecord, Machine, SnapshotRecord } from '../../src/disk/journal/machine.ts';
import type { PlaceKeys } from '../../src/disk/place.ts';
import { Vault } from '../../src/host/encryption/vault.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { marksOf, remove, Writer } from './canaries.ts';
import { key, ORIGIN } from './parts.ts';
import { filesIn } from './support.ts';

/** What each journal of a root is encrypted with, by its directory. */
const encryptions = new Map<string, JournalEncryption>();

/** The same keys; the journals that they are used for are noted. */
function noted(keys: PlaceKeys): PlaceKeys {
  return instead(keys, { journal: (name: string) => notedJournal(keys.journal(name)), beside: (bucket: string) => noted(keys.beside(bucket)) });
}

function notedJournal(encryption: JournalEncryption): JournalEncryption {
  const cipherFor: JournalEncryption['cipherFor'] = (id, magic, file) => {
    encryptions.set(path.dirname(file), encryption);
    return encryption.cipherFor(id, magic, file);
  };
  return instead(encryption, { cipherFor });
}

function instead<T extends object>(target: T, members: Partial<T>): T {
  const get = (_: T, name: string): unknown => {
    const member: unknown = Reflect.get(name in members ? members : target, name);
    return typeof member === 'function' && !(name in members) ? (member.bind(target) as unknown) : member;
  };
  return new Proxy(target, { get: get as ProxyHandler<T>['get'] & object });
}

/** Takes down all that it is fed. */
class Witness implements Machine<undefined> {
  readonly seen: string[] = [];

  apply(record: JournalRecord): undefined {
    this.seen.push(textOf(record));
  }

  reset(): void {
    this.seen.length = 0;
  }

  restore(kind: number, payload: Uint8Array): void {
    this.seen.push(textOf({ kind, session: 0, sequence: 0, payload }));
  }

  restored(): void {
    // Whoever restores from a snapshot has begun anew.
  }

  *snapshot(): Iterable<SnapshotRecord> {
    throw new Error('nothing is written here');
  }
}

const textOf = ({ kind, session, sequence, payload }: JournalRecord): string => `${kind} ${session} ${sequence} ${Buffer.from(payload).toString('base64')}`;

/** The files of an encrypted root but its journals: where it is shown that no byte of them can be another, or what they have in clear. */
const files: readonly (readonly [RegExp, string])[] = [
  [/^holdfast\.json$|^\.gitignore$|^holdfast\.reserve\/|\/origin\.json$|^notices\/|\/wake\/[-.\w]+$/, 'nothing of what was stored'],
  [/\/(buckets\/[^/]+|storage)\/local-storage\/0$/, 'as that of the default bucket; it is made, and never used'],
  [/^origins\/[^/]+\/keys$/, 'key-file.test.ts'],
  [/\/(files\.\d+(\/[0-9a-v]+)+|swap\/[^/]+\/[^/]+)$/, 'files/tampering.test.ts'],
  [/\/trash\/.+$/, 'files/tampering.test.ts'],
  [/\/caches\/responses\/[^/]+$|\/channels\/blobs\/[^/]+$/, 'caches.test.ts'],
  [/\/indexeddb\/databases\/[0-9a-v]+\/(db|db-journal|database\.json|blobs\/\d+)$/, 'databases/attacks.test.ts'],
];

/** The journals of an encrypted origin, each by what it is one of. */
const kinds: Readonly<Record<string, RegExp>> = {
  localStorage: /\/default\/local-storage$/,
  'localStorage with a hub': /\/synced\/.*\/local-storage$/,
  locks: /\/default\/locks$/,
  'the account': /\/default\/quota$/,
  channels: /\/default\/channels$/,
  'the index of caches': /\/default\/caches\/index$/,
  'the register of buckets': /\/register$/,
  'locks of databases': /\/default\/indexeddb\/locks$/,
  'files with a hub': /\/files-sync$/,
  "a bucket's": /\/buckets\/[^/]+\/(local-storage|locks|quota|caches\/index|indexeddb\/locks)$/,
  'turns of a coordinator': /\/coordinators\/.*\/turns$/,
  "a coordinator's storage": /\/coordinators\/.*\/storage\/(local-storage|locks|quota|caches\/index)$/,
};

/** Where an encrypted root is, and that of a region. */
const place = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-forgeries-'));
const [root, synced] = [path.join(place, 'root'), path.join(place, 'synced')];

afterAll(() => fs.rmSync(place, { recursive: true }));

beforeAll(async () => {
  const { place: placeOf } = Vault.prototype;
  vi.spyOn(Vault.prototype, 'place').mockImplementation(function (this: Vault, bucket) {
    return noted(placeOf.call(this, bucket));
  });
  const host = new StorageHost({ root, encryption: { key } });
  const mark = marksOf('any');
  const writer = new Writer(host, mark);
  await writer.write(1);
  await remove(host, mark);
  await writer.write(2);
  await writer.close();
  await host.close();
  const region = new StorageHost({ root: synced, encryption: { key }, sync: { hub: memoryHub(new MemoryEngine()), region: 'a', files: 'eager' } });
  const { localStorage, storage, sync } = region.origin(ORIGIN);
  localStorage.setItem('k', 'v');
  const writable = await (await (await storage.getDirectory()).getFileHandle('f', { create: true })).createWritable();
  await writable.write('content');
  await writable.close();
  await sync.flush();
  await region.close();
  vi.restoreAllMocks();
});

/** The directories of encrypted journals. */
const journals = (): string[] => [...encryptions.keys()].filter((directory) => fs.existsSync(directory) && generationsOf(directory).length > 0);

const generationsOf = (directory: string): number[] => fs.readdirSync(directory).filter((name) => /^\d+$/.test(name)).map(Number);

test('every file and journal of a root is of a kind that is listed here, and none but the index of alarms is plain', () => {
  const others = filesIn(root).filter((name) => !journals().includes(path.dirname(path.join(root, name))) && !files.some(([pattern]) => pattern.test(name)));
  expect(others).toEqual(['coordinators/alarms/0']);
  expect(journals().filter((directory) => !Object.values(kinds).some((pattern) => pattern.test(directory)))).toEqual([]);
});

/** What a journal gives to who has its key. @throws HoldfastError */
function read(directory: string): string[] {
  const witness = new Witness();
  const journal = new Journal(directory, witness, { encryption: encryptions.get(directory) });
  try {
    journal.catchUp();
    return witness.seen;
  } finally {
    journal.close();
  }
}

/** Where frames begin and end in a generation; of records of one kind the first only. */
function framesOf(bytes: Buffer): [number, number][] {
  const magic = bytes.subarray(16, 32);
  const frames = new Map<number, [number, number]>();
  for (let at = bytes.indexOf(magic, FILE_HEADER_BYTES); at >= 0; ) {
    const next = bytes.indexOf(magic, at + 1);
    const end = next < 0 ? bytes.length : next;
    const kind = bytes[at + 20] ?? 0;
    if (!frames.has(kind)) frames.set(kind, [at, end]);
    at = next;
  }
  return [...frames.values()];
}

/** A generation with one bit of each byte that says anything changed in turn, and with the checksums that it has to have then. */
function* forged(whole: Buffer): Iterable<Buffer> {
  for (let at = 0; at < FILE_HEADER_BYTES - 4; at += 1) {
    const bytes = flipped(whole, at);
    bytes.writeUInt32LE(crc32(bytes, 0, FILE_HEADER_BYTES - 4), FILE_HEADER_BYTES - 4);
    yield bytes;
  }
  for (const [start, end] of framesOf(whole)) {
    for (let at = start + 16; at < end - TRAILER_BYTES; at += 1) {
      if (at >= start + HEADER_BYTES - 4 && at < start + HEADER_BYTES) continue;
      const bytes = flipped(whole, at);
      const header = crc32(bytes, start + 16, start + HEADER_BYTES - 4);
      bytes.writeUInt32LE(header, start + HEADER_BYTES - 4);
      bytes.writeUInt32LE(crc32(bytes, start + HEADER_BYTES, end - TRAILER_BYTES, header), end - TRAILER_BYTES);
      yield bytes;
    }
  }
}

function flipped(whole: Buffer, at: number): Buffer {
  const bytes = Buffer.from(whole);
  bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
  return bytes;
}

/** What is wrong with what a forgery leads to: it is an error that names the journal, or a record that is torn; null: nothing. */
function faultOf(directory: string, before: ReadonlySet<string>): string | null {
  try {
    const news = read(directory).filter((record) => !before.has(record));
    return news.length === 0 ? null : `data: ${news.join()}`;
  } catch (error) {
    const { code, message } = error as HoldfastError;
    return error instanceof HoldfastError && CODES.has(code) && message.includes(directory) ? null : String(error);
  }
}

const CODES: ReadonlySet<string> = new Set(['journal-damaged', 'key-missing', 'not-encrypted', 'root-newer']);

test.each(Object.entries(kinds))('no byte of what is written of %s can be another, with all checksums repaired', (_kind, pattern) => {
  const directory = journals().find((each) => pattern.test(each)) ?? '';
  const before = new Set(read(directory));
  expect(before.size).toBeGreaterThan(0);
  const file = path.join(directory, String(Math.max(...generationsOf(directory))));
  const whole = fs.readFileSync(file);
  let count = 0;
  for (const bytes of forged(whole)) {
    fs.writeFileSync(file, bytes);
    const fault = faultOf(directory, before);
    if (fault !== null) expect.fail(`forgery ${count} is ${fault}`);
    count += 1;
  }
  expect(count).toBeGreaterThan(100);
  fs.writeFileSync(file, whole);
  expect(new Set(read(directory))).toEqual(before);
});
