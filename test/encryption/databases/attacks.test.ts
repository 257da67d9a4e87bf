import { Blob } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import type { IDBDatabase } from '../../../src/indexed-db/database.ts';
import { opened, result } from '../../indexed-db/support/promises.ts';
import { temporaryDirectory } from '../../journal/support/place.ts';
import { filesIn } from '../support.ts';
import { IDBKeyRange } from '../../../src/indexed-db/key-range.ts';
import { closeHosts, databasesIn, factoryOf, get, put } from './support.ts';

const COUNT = 60;
const LARGE = 70_000;

afterEach(closeHosts);

const valueOf = (at: number, mark: string): unknown => (at % 20 === 0 ? `${mark} ${at} `.repeat(LARGE / 8) : `${mark} ${at} ${'x'.repeat(300)}`);

/** A root with a database of records that say which they are. */
async function rootWith(names: readonly string[] = ['d']): Promise<string> {
  const root = temporaryDirectory();
  for (const name of names) {
    const database = await opened(factoryOf(root), name, (made) => void made.createObjectStore('s'));
    await put(database, 's', Array.from({ length: COUNT }, (_, at) => [at, valueOf(at, name)] as const));
    await put(database, 's', [['blob', new Blob([`blob of ${name}`])]]);
  }
  await closeHosts();
  return root;
}

async function readAll(database: IDBDatabase, name: string): Promise<void> {
  const all = (await result(database.transaction('s').objectStore('s').getAll(IDBKeyRange.bound(0, COUNT)))) as unknown[];
  expect(all).toEqual(Array.from({ length: COUNT }, (_, at) => valueOf(at, name)));
  expect(await ((await get(database, 's', 'blob')) as Blob).text()).toBe(`blob of ${name}`);
}

/** What comes of reading it: all that was written, or an error that names a file. Never anything else. */
async function outcome(root: string, name = 'd'): Promise<'whole' | 'error'> {
  try {
    const database = await opened(factoryOf(root), name);
    await readAll(database, name);
    return 'whole';
  } catch (error) {
    if (!(error instanceof DOMException)) throw error;
    expect(['UnknownError', 'NotReadableError', 'DataError', 'AbortError']).toContain(error.name);
    return 'error';
  } finally {
    await closeHosts();
  }
}

test('a byte that is flipped anywhere is an error, or in nothing that is read, and never other data', async () => {
  const root = await rootWith();
  const files = filesIn(databasesIn(root)).filter((name) => !name.endsWith('-journal')).map((name) => path.join(databasesIn(root), name));
  expect(files.length).toBe(3);
  let errors = 0;
  let tried = 0;
  for (const file of files) {
    const whole = fs.readFileSync(file);
    const step = Math.max(1, Math.floor(whole.length / 6)) | 1;
    for (let at = tried % 13; at < whole.length; at += step) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << tried % 8);
      fs.writeFileSync(file, bytes);
      errors += Number((await outcome(root)) === 'error');
      tried += 1;
    }
    fs.writeFileSync(file, whole);
  }
  // Of the blocks of the database some are not read.
  expect(errors).toBeGreaterThan(tried * 0.8);
  expect(await outcome(root)).toBe('whole');
});

test('a block, a page or a file of another place is an error', async () => {
  const root = await rootWith(['d', 'e']);
  const [one = '', other = ''] = fs.readdirSync(databasesIn(root)).map((name) => path.join(databasesIn(root), name));
  const names = await factoryOf(root).databases();
  expect(names.map(({ name }) => name).sort()).toEqual(['d', 'e']);
  await closeHosts();
  const db = path.join(one, 'db');
  const whole = fs.readFileSync(db);
  const changes: Record<string, () => void> = {
    'two blocks swapped': () => fs.writeFileSync(db, Buffer.concat([whole.subarray(0, 8192), whole.subarray(12_288, 16_384), whole.subarray(8192, 12_288), whole.subarray(16_384)])),
    'a block of zeros': () => fs.writeFileSync(db, Buffer.concat([whole.subarray(0, 12_288), Buffer.alloc(4096), whole.subarray(16_384)])),
    'the file of another database': () => fs.copyFileSync(path.join(other, 'db'), db),
    'a file that is plain': () => fs.writeFileSync(db, Buffer.concat([Buffer.from('SQLite format 3\0'), whole.subarray(16)])),
  };
  for (const [what, change] of Object.entries(changes)) {
    change();
    const outcomes = [await outcome(root, 'd'), await outcome(root, 'e')];
    expect(outcomes.sort(), what).toEqual(['error', 'whole']);
    fs.writeFileSync(db, whole);
  }
  const [some = '', more = ''] = [other, one].map((directory) => path.join(directory, 'blobs', fs.readdirSync(path.join(directory, 'blobs'))[0] ?? ''));
  fs.copyFileSync(some, more);
  expect([await outcome(root, 'd'), await outcome(root, 'e')].sort()).toEqual(['error', 'whole']);
});
