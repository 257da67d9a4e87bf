import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { traceBucket } from '../../src/disk/survey/trace.ts';
import { describe as shown } from '../../src/inspector/describe.ts';
import type { CacheRow, DatabaseInfo, Page, RecordRow, Shown } from '../../src/inspector/messages.ts';
import { inspected, type Inspected, ORIGIN, write } from './support.ts';

type Database = Awaited<ReturnType<typeof makeDatabase>>;

/** A database with a store that has an index. */
async function makeDatabase({ host }: Inspected, records: readonly { readonly id: unknown }[]) {
  const request = host.origin(ORIGIN).indexedDB.open('shop', 3);
  request.onupgradeneeded = () => {
    const store = request.result.createObjectStore('orders', { keyPath: 'id' });
    store.createIndex('by total', 'total', { unique: false });
    request.result.createObjectStore('loose', { autoIncrement: true });
  };
  await new Promise((resolve, reject) => {
    request.onsuccess = resolve;
    request.onerror = reject;
  });
  await put(request.result, records);
  return request.result;
}

async function put(database: ReturnType<Inspected['host']['origin']>['indexedDB'] extends { open(...args: never[]): { result: infer R } } ? R : never, records: readonly object[]): Promise<void> {
  const transaction = database.transaction('orders', 'readwrite');
  for (const record of records) transaction.objectStore('orders').put(record);
  await new Promise((resolve) => (transaction.oncomplete = resolve));
}

describe('databases', () => {
  test('are shown with their stores, indexes and records, in pages', async () => {
    const all = inspected();
    const database: Database = await makeDatabase(all, Array.from({ length: 250 }, (_, id) => ({ id, total: (id * 7) % 250, note: '<b>' })));
    expect(await all.ask('databases', { origin: ORIGIN })).toEqual({ databases: [{ name: 'shop', version: 3 }] });
    const info = await all.ask<DatabaseInfo>('database', { origin: ORIGIN, database: 'shop' });
    expect(info.stores).toEqual([
      { name: 'loose', keyPath: null, autoIncrement: true, records: 0, indexes: [] },
      { name: 'orders', keyPath: 'id', autoIncrement: false, records: 250, indexes: [{ name: 'by total', keyPath: 'total', unique: false, multiEntry: false }] },
    ]);
    const page = await all.ask<Page<RecordRow>>('records', { origin: ORIGIN, database: 'shop', store: 'orders', offset: 200, limit: 100 });
    expect([page.total, page.rows.length, page.rows[0]?.key.text, page.rows.at(-1)?.key.text]).toEqual([250, 50, '200', '249']);
    expect(page.rows[0]?.value.parts?.map(({ name, value }) => [name, value.text])).toEqual([['id', '200'], ['total', '150'], ['note', '"<b>"']]);
    const byIndex = await all.ask<Page<RecordRow>>('records', { origin: ORIGIN, database: 'shop', store: 'orders', index: 'by total', offset: 1, limit: 1 });
    expect(byIndex.rows.map(({ key, primaryKey }) => [key.text, primaryKey.text])).toEqual([['1', '143']]);
    database.close();
  });

  test('lose a record, and are deleted, for all others too', async () => {
    const all = inspected();
    const keys = [5, 'five', new Date(5), ['a', [1]], new Uint8Array([1, 2]).buffer, -0.5];
    const database = await makeDatabase(all, keys.map((id) => ({ id })));
    const where = { origin: ORIGIN, database: 'shop', store: 'orders' };
    for (let left = keys.length; left > 0; left -= 1) {
      const { total, rows } = await all.ask<Page<RecordRow>>('records', where);
      expect(total).toBe(left);
      await all.ask('remove-record', { ...where, handle: rows[0]?.handle });
    }
    await put(database, [{ id: 1 }]);
    await all.ask('clear-store', where);
    expect(await all.ask('records', where)).toMatchObject({ total: 0 });
    database.onversionchange = () => database.close();
    await all.ask('delete-database', where);
    expect(await all.ask('databases', { origin: ORIGIN })).toEqual({ databases: [] });
    expect(await all.refusal('records', where)).toMatchObject({ status: 404 });
    for (const handle of [null, 5, {}, { number: 'x' }, { keys: [{}] }]) expect((await all.refusal('remove-record', { ...where, handle })).status).toBeGreaterThanOrEqual(400);
  });
});

describe('a value', () => {
  /** All parts of what is shown. */
  const size = ({ parts = [] }: Shown): number => 1 + parts.reduce((sum, { value }) => sum + size(value), 0);

  test.each([
    ['a text', 'text', '"text"'],
    ['a lone surrogate', '\ud800', '"\\ud800"'],
    ['nothing', undefined, 'undefined'],
    ['minus zero', -0, '-0'],
    ['a large integer', 2n ** 70n, '1180591620717411303424n'],
    ['a moment', new Date(0), '1970-01-01T00:00:00.000Z'],
    ['no moment', new Date(NaN), 'Invalid Date'],
    ['bytes', new Uint8Array([1, 255]), 'Uint8Array(2) 01 ff'],
    ['a buffer', new ArrayBuffer(100), `ArrayBuffer(100) ${'00 '.repeat(64)}…`],
    ['an error', new RangeError('no'), 'RangeError: no'],
    ['a pattern', /x/g, '/x/g'],
    ['a Blob', new Blob(['abc'], { type: 'text/html' }), 'Blob(3) "text/html"'],
  ])('is text: %s', (_, value, text) => {
    expect(shown(value).text).toBe(text);
  });

  test('has parts', () => {
    const object = { list: [1, , 3], map: new Map<unknown, unknown>([['k', 1], [{}, 2]]), set: new Set(['x']) };
    expect(shown(object).parts?.map(({ name, value }) => [name, value.text, value.parts?.map((part) => `${part.name} ${part.value.text}`)])).toEqual([
      ['list', 'Array(3)', ['0 1', '2 3']],
      ['map', 'Map(2)', ['"k" → 1', 'object → 2']],
      ['set', 'Set(1)', ['0 "x"']],
    ]);
  });

  test('of whatever shape comes to a bounded text', () => {
    const circle: Record<string, unknown> = {};
    circle['self'] = circle;
    expect(shown(circle).parts?.[0]?.value.type).toBe('circular');
    let bomb: unknown = 'x'.repeat(1e6);
    for (let level = 0; level < 40; level += 1) bomb = Array(50).fill(bomb);
    expect(size(shown(bomb))).toBeLessThanOrEqual(501);
    const wide = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`k${index}`, index]));
    expect(shown(wide)).toMatchObject({ text: '{100000}', more: 99_900 });
    expect(JSON.stringify(shown(bomb)).length).toBeLessThan(2e6);
    let deep: unknown = null;
    for (let level = 0; level < 10_000; level += 1) deep = { deep };
    expect(size(shown(deep))).toBeLessThan(20);
  });
});

test('caches are shown with their entries, headers and bodies, and lose some', async () => {
  const { host, ask, content } = inspected();
  const cache = await host.origin(ORIGIN).caches.open('pages');
  const PNG = Buffer.from('iVBORw0KGgoAAAANSUhEUg', 'base64');
  await cache.put(`${ORIGIN}/a.html`, new Response('<script>alert(1)</script>', { status: 201, statusText: 'Made', headers: { 'content-type': 'text/html', 'x-odd': 'é' } }));
  await cache.put(`${ORIGIN}/b.png`, new Response(PNG, { headers: { 'content-type': 'image/png' } }));
  expect(await ask('caches', { origin: ORIGIN })).toEqual({ caches: [{ name: 'pages', entries: 2 }] });
  const where = { origin: ORIGIN, cache: 'pages' };
  const { total, rows } = await ask<Page<CacheRow>>('entries', { ...where, offset: 0, limit: 1 });
  expect([total, rows]).toMatchObject([2, [{ index: 0, method: 'GET', url: `${ORIGIN}/a.html`, status: 201, statusText: 'Made' }]]);
  expect(rows[0]?.headers).toContainEqual(['content-type', 'text/html']);
  const body = await content('cached', { ...where, index: 0, url: `${ORIGIN}/a.html` });
  expect([body.headers.get('content-type'), await body.text()]).toEqual(['application/octet-stream', '<script>alert(1)</script>']);
  expect((await content('cached', { ...where, index: 1, url: `${ORIGIN}/b.png`, as: 'image' })).headers.get('content-type')).toBe('image/png');
  expect((await content('cached', { ...where, index: 0, url: `${ORIGIN}/b.png` })).status).toBe(404);
  expect((await content('cached', { ...where, index: 0, url: `${ORIGIN}/a.html`, as: 'image' })).status).toBe(415);
  await ask('remove-cached', { ...where, index: 0, url: `${ORIGIN}/a.html` });
  expect(await ask('entries', where)).toMatchObject({ total: 1 });
  await ask('delete-cache', where);
  expect(await ask('caches', { origin: ORIGIN })).toEqual({ caches: [] });
});

test('looking is no change: a page that asks because of news makes none', async () => {
  const all = inspected();
  const { host, ask, root } = all;
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  await write(host, ['f'], 'f');
  await (await host.origin(ORIGIN).caches.open('c')).put(`${ORIGIN}/`, new Response('x'));
  const database = await makeDatabase(all, [{ id: 1 }]);
  const look = async (): Promise<void> => {
    await ask('origin', { origin: ORIGIN });
    await ask('items', { origin: ORIGIN });
    await ask('files', { origin: ORIGIN, path: [] });
    await ask('caches', { origin: ORIGIN });
    await ask('entries', { origin: ORIGIN, cache: 'c' });
    await ask('databases', { origin: ORIGIN });
    await ask('database', { origin: ORIGIN, database: 'shop' });
    await ask('records', { origin: ORIGIN, database: 'shop', store: 'orders' });
    await ask('sync', { origin: ORIGIN });
    await ask('locks', { origin: ORIGIN });
  };
  const traced = async (): Promise<string> => {
    const [origin = ''] = (await import('node:fs')).readdirSync(path.join(root, 'origins'));
    return JSON.stringify({ ...traceBucket(path.join(root, 'origins', origin, 'default')), locks: '' });
  };
  for (const close of [() => undefined, () => database.close()]) {
    close();
    // What was written before may still bring a record of its own, such as space that is given back: once, not each time.
    await expect.poll(async () => {
      await look();
      const before = await traced();
      await look();
      return (await traced()) === before;
    }, { timeout: 30_000, interval: 100 }).toBe(true);
  }
});
