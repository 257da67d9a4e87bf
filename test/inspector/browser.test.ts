import fs from 'node:fs';
import path from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import { StorageHost } from '../../src/index.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { embeddedHub } from '../../src/sync/index.ts';
import { startedHub, TOKEN } from '../sync/embedded/in-process.ts';
import { closeBrowser, executablePath, open, type Seen, startInspector } from './chromium.ts';
import { manyOrigins } from './many-origins.ts';
import { ORIGIN, temporary, write } from './support.ts';

afterAll(closeBrowser);

type Options = Partial<ConstructorParameters<typeof StorageHost>[0]>;

/** A root in which this process writes, as any program, while a browser looks at another process's page of it. */
async function looking(fill: (host: StorageHost) => Promise<void> | void, { flags = [], page = {}, host: options = {}, isVast = false }: { flags?: readonly string[]; page?: Parameters<typeof open>[1]; host?: Options; isVast?: boolean } = {}): Promise<Seen & { readonly host: StorageHost; readonly address: string }> {
  const root = temporary({ isVast });
  const host = new StorageHost({ ...options, root });
  onTestFinished(() => host.close());
  await fill(host);
  const address = await startInspector(root, ...flags);
  return { ...(await open(address, page)), host, address };
}

async function choose(page: Page, tab?: string): Promise<void> {
  await page.getByRole('grid', { name: 'origins' }).getByText(ORIGIN, { exact: true }).click();
  if (tab !== undefined) await page.getByRole('tab', { name: tab }).click();
}

const row = (page: Page, grid: string, text: string) => page.getByRole('grid', { name: grid }).getByRole('row').filter({ hasText: text });

/** Until the program's own storage says so: another process has written. */
async function until(body: () => unknown): Promise<void> {
  await expect.poll(body, { interval: 50 }).toBeTruthy();
}

const PNG = Uint8Array.from(Buffer.from('iVBORw0KGgoAAAANSUhEUgAAABAAAAAQCAYAAAAf8/9hAAAAGUlEQVR42mNQqG/4TwlmGDVg1IBRA4aLAQB2G38Q0p7n3gAAAABJRU5ErkJggg==', 'base64'));

describe.skipIf(executablePath === undefined)('in Chromium', () => {
  test('the token becomes a cookie that no script sees, and nothing is loaded from elsewhere', async () => {
    const { page, complaints, places, address } = await looking((host) => host.origin(ORIGIN).localStorage.setItem('k', 'v'));
    await choose(page, 'Local storage');
    await row(page, 'items', 'k').waitFor();
    expect(page.url()).not.toContain('token');
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(await page.context().cookies()).toMatchObject([{ httpOnly: true, sameSite: 'Strict' }]);
    expect([...places]).toEqual([new URL(address).origin]);
    expect(complaints).toEqual([]);
    const stranger = await page.context().browser()?.newPage();
    expect((await stranger?.goto(new URL('/', address).href))?.status()).toBe(401);
    await stranger?.close();
  });

  test('local storage is edited in place by keys; others see that, and it shows what others write', async () => {
    const { page, host, picture, complaints } = await looking((host) => {
      for (let index = 0; index < 500; index += 1) host.origin(ORIGIN).localStorage.setItem(`item:${String(index).padStart(4, '0')}`, JSON.stringify({ index, square: index * index }));
    });
    const { localStorage } = host.origin(ORIGIN);
    const heard: (string | null)[] = [];
    host.origin(ORIGIN).addEventListener('storage', (event) => heard.push((event as StorageEvent).key));
    await choose(page, 'Local storage');
    const grid = page.getByRole('grid', { name: 'items' });
    await row(page, 'items', 'item:0000').waitFor();
    await grid.focus();
    await page.keyboard.press('End');
    await row(page, 'items', 'item:0499').waitFor();
    expect(await grid.getByRole('row').count()).toBeLessThan(80);
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Value' }).fill('written by hand');
    await picture('editing');
    await page.keyboard.press('Enter');
    await until(() => localStorage.getItem('item:0499') === 'written by hand');
    await until(() => heard.includes('item:0499'));
    await row(page, 'items', 'written by hand').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('textbox', { name: 'Value' }).fill('not kept');
    await page.keyboard.press('Escape');
    await page.keyboard.press('F2');
    await page.getByRole('textbox', { name: 'Key' }).fill('renamed');
    await page.keyboard.press('Enter');
    await until(() => localStorage.getItem('renamed') === 'written by hand' && localStorage.getItem('item:0499') === null);
    localStorage.setItem('item:0498', 'written by another process');
    await row(page, 'items', 'written by another process').waitFor();
    await page.getByRole('button', { name: 'Add…' }).click();
    await page.getByLabel('New key').fill('added');
    await page.getByLabel('New value').fill('by the form');
    await page.keyboard.press('Control+Enter');
    await page.getByRole('button', { name: 'Add', exact: true }).click();
    await until(() => localStorage.getItem('added') === 'by the form');
    await page.getByRole('searchbox', { name: 'Search keys' }).fill('by the form');
    await expect.poll(() => grid.getByRole('row').count()).toBe(1);
    const removal = page.getByRole('dialog').getByRole('button', { name: 'Remove' });
    // On a loaded machine the row that is left is there before it is the current one.
    await expect.poll(async () => {
      await grid.focus();
      await page.keyboard.press('Delete');
      return removal.isVisible();
    }).toBe(true);
    await removal.click();
    await until(() => localStorage.getItem('added') === null);
    await picture('items');
    expect(complaints).toEqual([]);
  });

  test('what was changed meanwhile is not written over', async () => {
    const { page, host } = await looking((host) => host.origin(ORIGIN).localStorage.setItem('k', 'first'));
    await choose(page, 'Local storage');
    await row(page, 'items', 'k').dblclick({ position: { x: 400, y: 10 } });
    const field = page.getByRole('textbox', { name: 'Value' });
    await field.fill('mine');
    host.origin(ORIGIN).localStorage.setItem('k', 'theirs');
    await field.press('Enter');
    await page.getByRole('alert').filter({ hasText: 'changed it meanwhile' }).waitFor();
    expect(host.origin(ORIGIN).localStorage.getItem('k')).toBe('theirs');
  });

  test('files are walked through, shown, sent, saved, renamed and deleted by keys', async () => {
    const { page, host, picture, complaints } = await looking(async (host) => {
      await write(host, ['docs', 'inner', 'deep.txt'], 'deep inside');
      await write(host, ['notes.txt'], 'plain text\nin two lines');
      await write(host, ['data.json'], '{"a":[1,2,{"b":"c"}]}');
      await write(host, ['picture'], PNG);
      await write(host, ['bytes.bin'], Uint8Array.from({ length: 5000 }, (_, index) => index % 256));
    });
    await choose(page, 'Files');
    const grid = page.getByRole('grid', { name: 'files' });
    const look = page.getByRole('complementary', { name: 'Preview' });
    const content = look.getByRole('region', { name: 'Content' });
    await row(page, 'files', 'docs').click();
    await grid.focus();
    await page.keyboard.press('Enter');
    await row(page, 'files', 'inner').waitFor();
    await page.keyboard.press('Enter');
    await row(page, 'files', 'deep.txt').click();
    await content.getByText('deep inside').waitFor();
    await grid.focus();
    await page.keyboard.press('Backspace');
    await page.keyboard.press('Backspace');
    await row(page, 'files', 'data.json').click();
    await content.getByText('"b": "c"').waitFor();
    await row(page, 'files', 'picture').click();
    await content.getByRole('img').waitFor();
    expect(await page.evaluate("document.querySelector('.picture').decode().then(() => document.querySelector('.picture').naturalWidth)")).toBe(16);
    await picture('files');
    await row(page, 'files', 'bytes.bin').click();
    await content.getByText('00000010  10 11 12').waitFor();
    await look.getByRole('button', { name: 'After' }).click();
    await content.getByText('00001000  00 01').waitFor();
    const [download] = await Promise.all([page.waitForEvent('download'), look.getByRole('link', { name: 'Download' }).click()]);
    expect([download.suggestedFilename(), fs.statSync(await download.path()).size]).toEqual(['bytes.bin', 5000]);
    await page.getByLabel('Files to upload').setInputFiles({ name: 'sent.txt', mimeType: 'text/plain', buffer: Buffer.from('sent by the page') });
    await row(page, 'files', 'sent.txt').click();
    await content.getByText('sent by the page').waitFor();
    await write(host, ['sent.txt'], 'written by another process');
    await content.getByText('written by another process').waitFor();
    await grid.focus();
    await page.keyboard.press('F2');
    await page.getByRole('dialog').getByLabel('Name').fill('renamed.txt');
    await page.keyboard.press('Enter');
    await row(page, 'files', 'renamed.txt').click();
    await grid.focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await row(page, 'files', 'renamed.txt').waitFor({ state: 'detached' });
    const directory = await host.origin(ORIGIN).storage.getDirectory();
    await expect(directory.getFileHandle('sent.txt')).rejects.toThrow();
    await expect(directory.getFileHandle('renamed.txt')).rejects.toThrow();
    await directory.getFileHandle('appeared', { create: true });
    await row(page, 'files', 'appeared').waitFor();
    expect(complaints).toEqual([]);
  });

  test('locks appear and go, with who holds them and who waits', async () => {
    const { page, host, picture } = await looking((host) => host.origin(ORIGIN).localStorage.setItem('k', 'v'));
    await choose(page, 'Locks');
    await page.getByText('No lock is held').waitFor();
    let release = (): void => {};
    const client = host.origin(ORIGIN);
    const held = client.locks.request('job', () => new Promise<void>((resolve) => (release = resolve)));
    const waiting = client.locks.request('job', () => undefined);
    const table = page.getByRole('region', { name: 'Locks' });
    await table.getByRole('row').filter({ hasText: /held.*job.*exclusive/ }).filter({ hasText: String(process.pid) }).waitFor();
    await table.getByRole('row').filter({ hasText: /waiting.*job/ }).waitFor();
    await picture('locks');
    release();
    await Promise.all([held, waiting]);
    await page.getByText('No lock is held').waitFor();
  });

  test('databases, caches and buckets are shown as they change', async () => {
    const { page, host, picture, complaints } = await looking((host) => host.origin(ORIGIN).localStorage.setItem('k', 'v'));
    const client = host.origin(ORIGIN);
    await choose(page, 'IndexedDB');
    await page.getByText('There is no database.').waitFor();
    const request = client.indexedDB.open('shop', 1);
    request.onupgradeneeded = () => request.result.createObjectStore('orders', { keyPath: 'id' }).createIndex('by total', 'total');
    await new Promise((resolve) => (request.onsuccess = resolve));
    const put = async (id: number): Promise<void> => {
      const transaction = request.result.transaction('orders', 'readwrite');
      transaction.objectStore('orders').put({ id, total: 100 - id, placed: new Date(0), tags: new Set(['new', '<b>bold</b>']), lines: [{ sku: 'a', count: 2 }] });
      await new Promise((resolve) => (transaction.oncomplete = resolve));
    };
    for (let id = 0; id < 30; id += 1) await put(id);
    await row(page, 'records', 'total: 99').click();
    await page.getByRole('region', { name: 'Value' }).getByText('"<b>bold</b>"').waitFor();
    await picture('databases');
    await page.getByRole('button', { name: 'by by total' }).click();
    await row(page, 'records', 'id: 29').waitFor();
    await put(77);
    await row(page, 'records', 'id: 77').click();
    await page.getByRole('grid', { name: 'records' }).focus();
    await page.keyboard.press('Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete' }).click();
    await row(page, 'records', 'id: 77').waitFor({ state: 'detached' });

    await page.getByRole('tab', { name: 'Caches' }).click();
    await page.getByText('There is no cache.').waitFor();
    const cache = await client.caches.open('pages');
    await cache.put(`${ORIGIN}/style.css`, new Response('b { color: red }', { headers: { 'content-type': 'text/css', 'x-made': 'by hand' } }));
    await row(page, 'entries', '/style.css').click();
    await page.getByText('b { color: red }').waitFor();
    await page.getByText('2 headers').click();
    await page.getByText('by hand').waitFor();
    await picture('caches');

    const bucket = await client.storageBuckets.open('drafts', { quota: 5e6 });
    await (await bucket.getDirectory()).getFileHandle('draft.txt', { create: true });
    await page.getByRole('tab', { name: 'Files' }).click();
    await page.getByLabel('Bucket').selectOption('drafts');
    await row(page, 'files', 'draft.txt').waitFor();
    request.result.close();
    expect(complaints).toEqual([]);
  });

  test('regions show what is pending and why, coordinators who runs them', async () => {
    class Counter extends Coordinator {
      increment(): number {
        const n = Number(this.localStorage.getItem('n') ?? 0) + 1;
        this.localStorage.setItem('n', String(n));
        this.state.setAlarm(Date.now() + 3_600_000);
        return n;
      }

      override alarm(): void {}
    }
    const token = path.join(path.dirname(temporary()), 'token');
    fs.writeFileSync(token, TOKEN, { mode: 0o600 });
    const away = 'http://127.0.0.1:9';
    const { page, host, picture } = await looking(async (host) => void host.origin(ORIGIN).localStorage.setItem('k', 'v'), {
      host: { sync: { hub: embeddedHub({ url: away, token: 't' }), region: 'eu-west' } },
      flags: ['--hub', away, '--hub-token-file', token],
    });
    const coordinators = new Coordinators(host, { Counter });
    onTestFinished(() => coordinators.close());
    await coordinators.get(ORIGIN, Counter, 'visits').increment();
    await choose(page, 'Sync');
    const areas = page.getByRole('region', { name: 'Areas' });
    await areas.getByRole('row').filter({ hasText: /localStorage.*eu-west.*away/ }).waitFor();
    host.origin(ORIGIN).localStorage.setItem('k2', 'v');
    await areas.getByRole('row').filter({ hasText: /2 \(/ }).waitFor();
    await picture('sync');
    await page.getByRole('tab', { name: 'Coordinators' }).click();
    await row(page, 'coordinators', 'visits').filter({ hasText: `process ${process.pid}` }).filter({ hasText: 'in 59 min' }).waitFor();
    // The hub may keep others, and is away.
    await page.getByRole('alert').filter({ hasText: 'Those that the hub keeps are not shown: ' }).waitFor();
    await picture('coordinators');
  });

  test('both versions of a file in conflict are at hand: one in its place, the other from the hub', async () => {
    const hub = await startedHub();
    const root = temporary();
    const follow = (at: string, region: string): StorageHost => {
      const host = new StorageHost({ root: at, sync: { hub: embeddedHub({ url: hub.url, token: TOKEN }), region } });
      onTestFinished(() => host.close());
      return host;
    };
    const alone = new StorageHost({ root });
    await write(alone, ['report.txt'], 'written before there was a hub');
    await alone.close();
    const elsewhere = follow(temporary(), 'eu-west');
    await write(elsewhere, ['report.txt'], 'written elsewhere');
    await elsewhere.origin(ORIGIN).sync?.flush();
    const { sync } = follow(root, 'us-east').origin(ORIGIN);
    await sync?.flush();
    await sync?.caughtUp();
    const [found] = (await sync?.conflicts()) ?? [];
    expect([found?.winner, found?.lost.region].sort()).toEqual(['eu-west', 'us-east']);
    const versions: Record<string, string> = { 'eu-west': 'written elsewhere', 'us-east': 'written before there was a hub' };

    const token = path.join(path.dirname(root), 'token');
    fs.writeFileSync(token, TOKEN, { mode: 0o600 });
    const { page, picture, complaints } = await open(await startInspector(root, '--hub', hub.url, '--hub-token-file', token));
    await choose(page, 'Sync');
    const conflict = page.getByRole('region', { name: 'Conflicts' }).getByRole('row').filter({ hasText: '/report.txt' }).filter({ hasText: `the one of ${found?.winner}` }).filter({ hasText: `the one of ${found?.lost.region}` });
    await conflict.waitFor();
    await picture('conflict');
    const [download] = await Promise.all([page.waitForEvent('download'), conflict.getByRole('link', { name: 'Save the lost one' }).click()]);
    expect(fs.readFileSync(await download.path(), 'utf8')).toBe(versions[found?.lost.region ?? '']);
    await conflict.getByRole('button', { name: 'the one of' }).click();
    await row(page, 'files', 'report.txt').click();
    await page.getByRole('region', { name: 'Content' }).getByText(versions[found?.winner ?? ''] ?? '').waitFor();
    expect(complaints).toEqual([]);
  });

  test('what tenants have written stays text, wherever it is shown', async () => {
    const hostile = '<img src=x onerror="window.taken=1"><script>window.taken=1</script>';
    const { page, complaints, places, picture } = await looking(async (host) => {
      const client = host.origin(ORIGIN);
      for (const text of [hostile, '"onmouseover="window.taken=1', 'javascript:window.taken=1', '\u202egnp.exe', '__proto__', '{{constructor}}', '\ud800']) client.localStorage.setItem(text, text);
      await write(host, [hostile.replace(/\//g, '|')], hostile);
      await write(host, ['page.html'], `<!doctype html>${hostile}`);
      await write(host, ['image.svg'], `<svg xmlns="http://www.w3.org/2000/svg" onload="window.taken=1"><script>window.taken=1</script></svg>`);
      const cache = await client.caches.open(hostile);
      await cache.put(`${ORIGIN}/?${encodeURIComponent(hostile)}`, new Response(hostile, { headers: { 'content-type': 'text/html' } }));
    });
    await choose(page, 'Local storage');
    await row(page, 'items', '__proto__').waitFor();
    await row(page, 'items', '\\u202egnp.exe').waitFor();
    await picture('hostile');
    await page.getByRole('tab', { name: 'Files' }).click();
    for (const name of ['page.html', 'image.svg', '<img']) {
      await row(page, 'files', name).click();
      await page.getByRole('region', { name: 'Content' }).getByText('window.taken').waitFor();
    }
    await page.getByRole('tab', { name: 'Caches' }).click();
    await row(page, 'entries', '%3Cscript').click();
    await page.getByRole('region', { name: 'Content' }).getByText('window.taken').waitFor();
    expect(await page.evaluate('window.taken')).toBe(undefined);
    expect(await page.evaluate('document.querySelectorAll("#page script, #page img:not([src=\'icon.svg\'])").length')).toBe(0);
    expect(complaints).toEqual([]);
    expect(places.size).toBe(1);
  });

  test('thousands of origins are found and chosen by keys', async () => {
    const { page, picture } = await looking((host) => manyOrigins(host, 1000), { isVast: true });
    const grid = page.getByRole('grid', { name: 'origins' });
    await page.getByText('1,001 origins').waitFor();
    expect(await grid.getByRole('row').count()).toBeLessThan(60);
    await page.getByRole('searchbox', { name: 'Search origins' }).fill('tenant-789.');
    await page.getByText('1 of 1,001 origins').waitFor();
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.press('ArrowDown');
    await page.getByRole('heading', { name: 'https://tenant-789.example' }).waitFor();
    await page.getByRole('tab', { name: 'Overview' }).focus();
    await page.keyboard.press('ArrowRight');
    await row(page, 'items', 'settings').waitFor();
    await page.getByRole('searchbox', { name: 'Search origins' }).fill('');
    await page.getByText(/^1,001 origins · [\d.]+ KiB$/).waitFor();
    await picture('origins');
    await page.goBack();
    await page.getByText('Over time').waitFor();
  });

  test('read-only has nothing that changes anything; it is narrow and dark where the reader is', async () => {
    const { page, picture, complaints } = await looking(
      async (host) => {
        host.origin(ORIGIN).localStorage.setItem('k', 'v');
        await write(host, ['notes.txt'], 'text');
      },
      { flags: ['--read-only'], page: { viewport: { width: 400, height: 760 }, colorScheme: 'dark' } },
    );
    await page.getByText('read-only', { exact: true }).waitFor();
    await picture('narrow');
    await choose(page);
    await page.getByText('Over time').waitFor();
    await picture('narrow-overview');
    expect(await page.getByRole('navigation', { name: 'Origins' }).isVisible()).toBe(false);
    for (const tab of ['Overview', 'Local storage', 'Files', 'IndexedDB', 'Caches', 'Locks']) {
      await page.getByRole('tab', { name: tab }).click();
      expect(await page.getByRole('button', { name: /Delete|Remove|Add|Upload|New|Rename/ }).count()).toBe(0);
    }
    await page.getByRole('tab', { name: 'Local storage' }).click();
    await row(page, 'items', 'k').dblclick();
    expect(await page.getByRole('textbox', { name: 'Value' }).count()).toBe(0);
    await page.getByRole('tab', { name: 'Files' }).click();
    await row(page, 'files', 'notes.txt').click();
    await page.getByRole('complementary', { name: 'Preview' }).getByText('text', { exact: true }).last().waitFor();
    await picture('narrow-file');
    await page.getByRole('button', { name: '‹ Origins' }).click();
    await page.getByRole('navigation', { name: 'Origins' }).waitFor();
    expect(complaints).toEqual([]);
  });
});

test.skipIf(executablePath !== undefined)('the inspector in a browser: skipped, for there is no Chromium here (CHROMIUM names one)', ({ skip }) => skip('there is no Chromium'));
