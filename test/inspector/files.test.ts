import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { FileRow, Locks, Page } from '../../src/inspector/messages.ts';
import { inspected, ORIGIN, temporary, write } from './support.ts';

const PNG = Uint8Array.from(Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==', 'base64'));

async function withFiles(...options: Parameters<typeof inspected>) {
  const all = inspected(...options);
  await write(all.host, ['dir', 'inner.txt'], 'inside');
  await write(all.host, ['b.txt'], 'hello');
  await write(all.host, ['picture'], PNG);
  return all;
}

describe('files', () => {
  test('are listed in order, directories first, with size, time and who has them locked', async () => {
    const { ask, host } = await withFiles();
    const handle = await (await (await host.origin(ORIGIN).storage.getDirectory()).getFileHandle('b.txt')).createSyncAccessHandle();
    const page = await ask<Page<FileRow>>('files', { origin: ORIGIN, path: [] });
    expect(page.rows.map(({ name, kind, size }) => [name, kind, size])).toEqual([['dir', 'directory', null], ['b.txt', 'file', 5], ['picture', 'file', PNG.length]]);
    expect(page.rows[1]?.modified).toBeGreaterThan(1e12);
    expect(page.rows.map(({ locked }) => locked)).toEqual([null, `exclusive, process ${process.pid}`, null]);
    expect(await ask<Locks>('locks', { origin: ORIGIN })).toMatchObject({ locks: [{ kind: 'file', name: '/b.txt', state: 'held', process: process.pid, life: 'alive', since: expect.any(Number) }] });
    handle.close();
    expect(await ask('files', { origin: ORIGIN, path: ['dir'] })).toMatchObject({ total: 1, rows: [{ name: 'inner.txt', size: 6 }] });
    expect(await ask('files', { origin: ORIGIN, path: [], search: 'PIC' })).toMatchObject({ total: 1, rows: [{ name: 'picture' }] });
  });

  test('of a directory of 100,000 are paged, and read once for all pages', { timeout: 120_000 }, async () => {
    const { ask, host, root } = inspected({}, temporary({ isVast: true }));
    const directory = await host.origin(ORIGIN).storage.getDirectory();
    await directory.getFileHandle('f00000', { create: true });
    const names = Array.from({ length: 100_000 }, (_, index) => `f${String(index).padStart(5, '0')}`);
    const files = path.join(root, 'origins', 'https_a.example', 'default', 'files.0');
    for (const name of names.slice(1)) fs.closeSync(fs.openSync(path.join(files, name), 'wx', 0o600));
    for (const offset of [0, 50_000, 99_900]) {
      const { total, rows } = await ask<Page<FileRow>>('files', { origin: ORIGIN, path: [], offset, limit: 100 });
      expect([total, ...rows.map(({ name }) => name)]).toEqual([100_000, ...names.slice(offset, offset + 100)]);
    }
    expect(await ask('files', { origin: ORIGIN, path: [], search: 'f7777' })).toMatchObject({ total: 10 });
    await directory.getFileHandle('a', { create: true });
    expect(await ask('files', { origin: ORIGIN, path: [], limit: 1 })).toMatchObject({ total: 100_001, rows: [{ name: 'a' }] });
  });

  test('are given in parts, as pictures if they are some, and whole to be saved', async () => {
    const { content, host } = await withFiles();
    const part = await content('file', { origin: ORIGIN, path: ['b.txt'], offset: 1, length: 3 });
    expect([part.status, await part.text(), part.headers.get('x-size'), part.headers.get('content-type')]).toEqual([200, 'ell', '5', 'application/octet-stream']);
    const picture = await content('file', { origin: ORIGIN, path: ['picture'], as: 'image' });
    expect([picture.headers.get('content-type'), (await picture.arrayBuffer()).byteLength]).toEqual(['image/png', PNG.length]);
    const none = await content('file', { origin: ORIGIN, path: ['b.txt'], as: 'image' });
    expect(none.status).toBe(415);
    await write(host, ['ugly "name"\n\ud800.html'], '<script>alert(1)</script>'.repeat(50_000));
    const saved = await content('file', { origin: ORIGIN, path: ['ugly "name"\n\ud800.html'], as: 'download' });
    expect(saved.headers.get('content-disposition')).toBe("attachment; filename=\"ugly _name___.html\"; filename*=UTF-8''ugly%20%22name%22%0A%EF%BF%BD.html");
    expect((await saved.text()).length).toBe(50_000 * 25);
  });

  test('are sent, and take their place when all is there; what is there is replaced only when that is said', async () => {
    const { put, host } = await withFiles();
    expect(await put({ origin: ORIGIN, path: ['new.bin'] }, 'content')).toMatchObject({ status: 200 });
    expect(await put({ origin: ORIGIN, path: ['new.bin'] }, 'other')).toMatchObject({ status: 409, body: { error: { code: 'exists' } } });
    expect(await put({ origin: ORIGIN, path: ['new.bin'], replace: true }, 'other')).toMatchObject({ status: 200 });
    const directory = await host.origin(ORIGIN).storage.getDirectory();
    expect(await (await (await directory.getFileHandle('new.bin')).getFile()).text()).toBe('other');
  });

  test('are renamed, deleted and made directories of', async () => {
    const { ask, refusal } = await withFiles();
    const names = async (path: readonly string[]): Promise<string[]> => (await ask<Page<FileRow>>('files', { origin: ORIGIN, path })).rows.map(({ name }) => name);
    await ask('make-directory', { origin: ORIGIN, path: ['made'] });
    await ask('rename-entry', { origin: ORIGIN, path: ['b.txt'], to: ['made', 'c.txt'] });
    expect(await names(['made'])).toEqual(['c.txt']);
    expect(await refusal('rename-entry', { origin: ORIGIN, path: ['picture'], to: ['made', 'c.txt'] })).toMatchObject({ status: 409, code: 'exists' });
    expect(await refusal('remove-entry', { origin: ORIGIN, path: ['made'] })).toMatchObject({ status: 409 });
    await ask('remove-entry', { origin: ORIGIN, path: ['made'], recursive: true });
    await ask('rename-entry', { origin: ORIGIN, path: ['dir'], to: ['moved'] });
    expect(await names([])).toEqual(['moved', 'picture']);
  });

  test('of a bucket are its own; of one that is not there nothing is made', async () => {
    const { ask, refusal, host } = await withFiles();
    const bucket = await host.origin(ORIGIN).storageBuckets.open('drafts');
    await (await bucket.getDirectory()).getFileHandle('draft', { create: true });
    expect(await ask('files', { origin: ORIGIN, bucket: 'drafts', path: [] })).toMatchObject({ rows: [{ name: 'draft' }] });
    expect(await refusal('files', { origin: ORIGIN, bucket: 'none', path: [] })).toMatchObject({ status: 404 });
    expect(await host.origin(ORIGIN).storageBuckets.keys()).toEqual(['drafts']);
  });
});
