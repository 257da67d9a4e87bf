import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import { Realm } from '../coherence/realm.ts';
import { encrypted } from '../support/sealed.ts';

const ORIGIN = 'https://app.example';
/** The condition decides; this is only how long a loaded machine may need. */
const PATIENCE = { timeout: 30_000, interval: 20 };

/** What maps, files and locks promise among hosts, whatever keeps their journals in order. */
export function contract(name: string, options: Partial<StorageHostOptions>): void {
  describe(name, () => {
    let root: string;
    const hosts: StorageHost[] = [];
    const realms: Realm[] = [];

    beforeEach(() => {
      root = path.join(fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-contract-')), 'root');
    });
    afterEach(async () => {
      await Promise.all(realms.splice(0).map((realm) => realm.kill()));
      await Promise.all(hosts.splice(0).map((host) => host.close()));
      fs.rmSync(path.dirname(root), { recursive: true, force: true });
    });

    /** One more host's client in this realm. */
    function open(): ReturnType<StorageHost['origin']> {
      const host = new StorageHost({ root, ...options, ...encrypted });
      hosts.push(host);
      return host.origin(ORIGIN);
    }

    async function start(): Promise<Realm> {
      const realm = await Realm.start({ root, origin: ORIGIN, host: options });
      realms.push(realm);
      return realm;
    }

    it('reads nothing, and creates nothing, where there is no root', () => {
      expect(open().localStorage.getItem('k')).toBeNull();
      expect(fs.existsSync(root)).toBe(false);
    });

    it('shows a value to every other host as soon as it is set, changed or removed', () => {
      const [one, other] = [open().localStorage, open().localStorage];
      for (const value of ['a', 'b', '\ud800', '']) {
        one.setItem('k', value);
        expect(other.getItem('k')).toBe(value);
      }
      other.removeItem('k');
      expect(one.getItem('k')).toBeNull();
      other.setItem('x', '1');
      one.clear();
      expect(other.length).toBe(0);
    });

    it('shows a value to another process, and the other way round', async () => {
      const here = open().localStorage;
      const there = await start();
      here.setItem('k', 'here');
      expect(await there.ask('get', 'k')).toBe('here');
      await there.ask('set', 'k', 'there');
      expect(here.getItem('k')).toBe('there');
    });

    it('keeps all of what several processes write at once, through compactions', async () => {
      const writers = await Promise.all([start(), start(), start()]);
      await Promise.all(writers.map((writer, index) => writer.ask('fill', `${index}`, 80, 12_000)));
      const { localStorage } = open();
      expect(localStorage.length).toBe(3 * 4);
      for (let index = 0; index < 3; index++) {
        for (let key = 0; key < 4; key++) expect(localStorage.getItem(`${index}-${key}`)).toMatch(new RegExp(`^${76 + key} x{12000}$`));
      }
      const journal = path.join(root, 'origins');
      const generations = fs.readdirSync(journal).flatMap((origin) => fs.readdirSync(path.join(journal, origin, 'default', 'local-storage')));
      expect(Math.max(...generations.map(Number).filter(Number.isInteger))).toBeGreaterThan(0);
    });

    it('never exceeds the quota', () => {
      const { localStorage } = open();
      const most = 10 * 2 ** 20;
      localStorage.setItem('k', 'x'.repeat(most / 2 - 1));
      expect(() => localStorage.setItem('k', 'x'.repeat(most / 2))).toThrow(expect.objectContaining({ name: 'QuotaExceededError' }));
      expect(open().localStorage.getItem('k')?.length).toBe(most / 2 - 1);
    });

    it('tells each change once, in order, to the clients of other hosts and processes', async () => {
      const writer = open();
      const listener = open();
      const there = await start();
      await there.ask('listen', '/');
      const heard: (string | null)[][] = [];
      listener.addEventListener('storage', (event) => {
        const { key, oldValue, newValue } = event;
        heard.push([key, oldValue, newValue]);
      });
      writer.localStorage.setItem('k', 'a');
      writer.localStorage.setItem('k', 'a');
      writer.localStorage.setItem('k', 'b');
      writer.localStorage.removeItem('k');
      writer.localStorage.clear();
      writer.localStorage.setItem('end', '');
      const expected = [['k', null, 'a'], ['k', 'a', 'b'], ['k', 'b', null], ['end', null, '']];
      await vi.waitFor(() => expect(heard).toEqual(expected), PATIENCE);
      const heardThere = async (): Promise<unknown> =>
        (await there.ask('heard', '/')).map(({ key, oldValue, newValue }) => [key, oldValue, newValue]);
      await vi.waitFor(async () => expect(await heardThere()).toEqual(expected), PATIENCE);
    });

    it('gives an exclusive lock to one at a time, in all processes', async () => {
      const workers = await Promise.all([start(), start(), start()]);
      // Each adds one to what it has read; without the lock some of that would be lost.
      await Promise.all(workers.map((worker) => worker.ask('count', 'n', 30)));
      expect(open().localStorage.getItem('n')).toBe('90');
    });

    it('gives the lock of a process that is killed to whoever waits for it', async () => {
      const holder = await start();
      await holder.ask('hold', 'l');
      const granted = open().locks.request('l', () => 'granted');
      const { locks } = open();
      await vi.waitFor(async () => expect((await locks.query()).pending.length).toBe(1), PATIENCE);
      await holder.kill();
      expect(await granted).toBe('granted');
    });

    it('shares, refuses, steals and aborts locks', async () => {
      const { locks } = open();
      const other = open().locks;
      await locks.request('s', { mode: 'shared' }, async () => {
        expect(await other.request('s', { mode: 'shared', ifAvailable: true }, (lock) => lock?.mode)).toBe('shared');
        expect(await other.request('s', { ifAvailable: true }, (lock) => lock)).toBeNull();
        const abort = new AbortController();
        const waiting = other.request('s', { signal: abort.signal }, () => {});
        await vi.waitFor(async () => expect((await locks.query()).pending.length).toBe(1), PATIENCE);
        abort.abort();
        await expect(waiting).rejects.toMatchObject({ name: 'AbortError' });
      });
      let thief: Promise<unknown> = Promise.resolve();
      const held = locks.request('s', () => {
        thief = other.request('s', { steal: true }, () => 'stolen');
        return new Promise(() => {});
      });
      await expect(held).rejects.toMatchObject({ name: 'AbortError' });
      expect(await thief).toBe('stolen');
      expect((await locks.query()).held).toEqual([]);
    });

    it('locks files among hosts, and shows what was written', async () => {
      const mine = await open().storage.getDirectory();
      const theirs = await open().storage.getDirectory();
      const file = await mine.getFileHandle('f', { create: true });
      const handle = await file.createSyncAccessHandle();
      await expect(theirs.removeEntry('f')).rejects.toMatchObject({ name: 'NoModificationAllowedError' });
      handle.write(new TextEncoder().encode('hello'));
      handle.close();
      expect(await (await (await theirs.getFileHandle('f')).getFile()).text()).toBe('hello');
      await (await theirs.getFileHandle('f')).move('g');
      await expect(mine.getFileHandle('f')).rejects.toMatchObject({ name: 'NotFoundError' });
    });
  });
}
