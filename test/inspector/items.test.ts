import { describe, expect, test } from 'vitest';
import type { ItemRow, OriginInfo, Origins, Page } from '../../src/inspector/messages.ts';
import { manyOrigins } from './many-origins.ts';
import { inspected, newsOf, ORIGIN, temporary } from './support.ts';

describe('localStorage', () => {
  test('is given in pages, in its order, with the length of values that are cut', async () => {
    const { host, ask } = inspected();
    const { localStorage } = host.origin(ORIGIN);
    for (let index = 0; index < 250; index += 1) localStorage.setItem(`k${index}`, 'v'.repeat(index * 4));
    const page = await ask<Page<ItemRow>>('items', { origin: ORIGIN, offset: 200, limit: 100 });
    expect(page).toMatchObject({ total: 250, offset: 200 });
    expect(page.rows.map(({ key }) => key)).toEqual(Array.from({ length: 50 }, (_, index) => `k${200 + index}`));
    expect(page.rows[0]?.value).toEqual({ text: 'v'.repeat(400), length: 800 });
    expect(await ask('item', { origin: ORIGIN, key: 'k249' })).toEqual({ value: 'v'.repeat(996) });
  });

  test('is searched by keys and values', async () => {
    const { host, ask } = inspected();
    const { localStorage } = host.origin(ORIGIN);
    for (let index = 0; index < 100; index += 1) localStorage.setItem(`k${index}`, `VALUE ${index}`);
    const keysOf = async (search: string): Promise<string[]> => (await ask<Page<ItemRow>>('items', { origin: ORIGIN, search })).rows.map(({ key }) => key);
    expect(await keysOf('K99')).toEqual(['k99']);
    expect(await keysOf('value 7')).toEqual(['k7', ...Array.from({ length: 10 }, (_, index) => `k7${index}`)]);
  });

  test('of 100,000 keys is paged, and searched while others have their turn', { timeout: 120_000 }, async () => {
    const { host, ask } = inspected();
    const client = host.origin(ORIGIN);
    client.transaction((localStorage) => {
      for (let index = 0; index < 100_000; index += 1) localStorage.setItem(`k${index}`, `${index}`);
    });
    expect(await ask<Page<ItemRow>>('items', { origin: ORIGIN, offset: 99_990, limit: 100 })).toMatchObject({ total: 100_000, rows: { length: 10 } });
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    const found = await ask<Page<ItemRow>>('items', { origin: ORIGIN, search: '9999' });
    isOver = true;
    expect(found.total).toBe(19);
    expect(turns).toBeGreaterThan(3);
  });

  test('is written so that other clients hear of it, whatever the text', async () => {
    const { host, ask } = inspected();
    const client = host.origin(ORIGIN);
    client.localStorage.setItem('first', '1');
    const heard: unknown[] = [];
    const three = new Promise<void>((resolve) => {
      client.addEventListener('storage', (event) => {
        const { key, oldValue, newValue } = event as StorageEvent;
        heard.push([key, oldValue, newValue]);
        if (heard.length === 3) resolve();
      });
    });
    const odd = 'lone \ud800, <script>, \0 and \u202e';
    await ask('set-item', { origin: ORIGIN, key: odd, value: odd });
    expect(await ask('item', { origin: ORIGIN, key: odd })).toEqual({ value: odd });
    await ask('set-item', { origin: ORIGIN, key: 'second', value: '1', renamed: 'first' });
    await three;
    expect(heard).toEqual([[odd, null, odd], ['second', null, '1'], ['first', '1', null]]);
    await ask('remove-item', { origin: ORIGIN, key: 'second' });
    expect(client.localStorage.length).toBe(1);
    await ask('clear-items', { origin: ORIGIN });
    expect(client.localStorage.length).toBe(0);
  });

  test('is not written over what somebody else has written meanwhile', async () => {
    const { host, refusal } = inspected();
    const { localStorage } = host.origin(ORIGIN);
    localStorage.setItem('k', 'seen');
    localStorage.setItem('k', 'newer');
    expect(await refusal('set-item', { origin: ORIGIN, key: 'k', value: 'mine', expected: 'seen' })).toMatchObject({ status: 409, code: 'changed' });
    expect(await refusal('set-item', { origin: ORIGIN, key: 'k', value: 'mine', expected: null })).toMatchObject({ status: 409 });
    expect(localStorage.getItem('k')).toBe('newer');
  });

  test('of a full quota says so', async () => {
    const { host, refusal } = inspected();
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    expect(await refusal('set-item', { origin: ORIGIN, key: 'large', value: 'x'.repeat(6 * 2 ** 20) })).toMatchObject({ status: 413, code: 'QuotaExceededError' });
  });
});

describe('news', () => {
  test('tells of what another host writes, by kind, and of nothing else', async () => {
    const { host, content } = inspected();
    const client = host.origin(ORIGIN);
    client.localStorage.setItem('k', '1');
    const news = newsOf(await content('news', { origin: ORIGIN }));
    const until = async (topic: string): Promise<readonly string[]> => {
      for await (const { changed } of { [Symbol.asyncIterator]: () => ({ next: () => news.next() }) }) if (changed.includes(topic as 'items')) return changed;
      throw new Error('it has ended');
    };
    client.localStorage.setItem('k', '2');
    const first = await until('items');
    expect(first).toContain('usage');
    expect(first).not.toContain('databases');
    await (await client.storage.getDirectory()).getFileHandle('f', { create: true });
    expect(await until('files')).not.toContain('items');
    await client.caches.open('c');
    expect(await until('caches')).not.toContain('items');
    await news.return(undefined);
  });
});

describe('origins', () => {
  test('are listed with what they take, found, ordered and paged', async () => {
    const { host, ask } = inspected();
    for (const [index, name] of ['b', 'a', 'c'].entries()) host.origin(`https://${name}.example`).localStorage.setItem('k', 'v'.repeat(100 * (index + 1)));
    // The first answer does not wait long for what they take.
    await expect.poll(() => ask('origins')).toMatchObject({ surveyed: 3 });
    const all = await ask<Origins>('origins');
    expect(all).toMatchObject({ total: 3, origins: 3, surveyed: 3, largest: 602, usage: 202 + 402 + 602 });
    expect(all.rows.map(({ origin }) => origin)).toEqual(['https://c.example', 'https://a.example', 'https://b.example']);
    const byName = await ask<Origins>('origins', { sort: 'origin', offset: 1, limit: 1 });
    expect(byName.rows.map(({ origin, usageDetails, items }) => [origin, usageDetails?.localStorage, items])).toEqual([['https://b.example', 202, 1]]);
    expect(await ask<Origins>('origins', { search: 'C.EXAM' })).toMatchObject({ total: 1, origins: 3, rows: [{ origin: 'https://c.example' }] });
  });

  test('of which there are ten thousand are listed by name at once, and found', { timeout: 120_000 }, async () => {
    const { host, ask } = inspected({}, temporary({ isVast: true }));
    manyOrigins(host, 10_000);
    const all = await ask<Origins>('origins', { sort: 'origin', offset: 9950, limit: 100 });
    expect([all.total, all.rows.length, all.rows.at(-1)?.origin]).toEqual([10_001, 51, 'https://tenant.example']);
    expect(await ask('origins', { search: 'TENANT-7777.' })).toMatchObject({ total: 1, rows: [{ origin: 'https://tenant-7777.example' }] });
    expect(await ask('origin', { origin: 'https://tenant-7777.example' })).toMatchObject({ usage: 38, buckets: [{ items: 1 }] });
  });

  test('of a root that is not there are none, and looking makes nothing', async () => {
    const { ask, refusal, root } = inspected();
    expect(await ask('origins')).toMatchObject({ total: 0, rows: [] });
    expect(await refusal('items', { origin: ORIGIN })).toMatchObject({ status: 404, code: 'origin-missing' });
    expect(await refusal('origin', { origin: 'nonsense' })).toMatchObject({ status: 400 });
    const fs = await import('node:fs');
    expect(fs.existsSync(root)).toBe(false);
  });

  test('are shown with their buckets and with how their usage went', async () => {
    const { host, ask } = inspected();
    const client = host.origin(ORIGIN);
    client.localStorage.setItem('k', 'v');
    await client.storageBuckets.open('drafts', { quota: 1e6, durability: 'strict' });
    await ask('origin', { origin: ORIGIN });
    client.localStorage.setItem('k', 'v'.repeat(100));
    const info = await ask<OriginInfo>('origin', { origin: ORIGIN });
    expect(info).toMatchObject({ usage: 202, syncs: false, coordinators: false });
    expect(info.buckets).toMatchObject([{ name: 'default', items: 1, quota: null }, { name: 'drafts', quota: 1e6, durability: 'strict', persisted: false }]);
    expect(info.history.map(([, localStorage]) => localStorage)).toEqual([4, 202]);
  });

  test('are deleted when they are named twice', async () => {
    const { host, ask, refusal } = inspected();
    host.origin(ORIGIN).localStorage.setItem('k', 'v');
    expect(await refusal('delete-origin', { origin: ORIGIN, again: 'https://b.example' })).toMatchObject({ status: 400 });
    expect(await ask('delete-origin', { origin: ORIGIN, again: ORIGIN })).toEqual({ deleted: true });
    expect(await ask('origins')).toMatchObject({ total: 0 });
  });
});
