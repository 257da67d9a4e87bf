import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import { encrypted } from '../support/sealed.ts';
import { namesIn, namesOf, origin, places, read, write } from './support.ts';

const place = places();

test('a root comes back with localStorage, files, directories, caches and what is persisted', async () => {
  const { root, backups, home, host } = place();
  const client = host().origin(origin);
  client.localStorage.setItem('name', 'value \ud800');
  await write(client, 'a.txt', 'one');
  await write(client, 'large', 'x'.repeat(3_000_000));
  await write(client, `${'long'.repeat(70)}.txt`, 'of a long name');
  const directory = await (await client.storage.getDirectory()).getDirectoryHandle('empty', { create: true });
  await directory.getDirectoryHandle('in it', { create: true });
  await client.storage.persist();
  const cache = await client.caches.open('pages');
  await cache.put('https://app.example/one', new Response('cached', { headers: { 'x-a': 'b' } }));
  const other = host().origin('https://other.example:8443');
  other.localStorage.setItem('who', 'other');

  const made = await host().backup(backups);
  expect(made).toMatchObject({ origins: 2, problems: [] });

  const to = path.join(home, 'restored');
  const restored = await StorageHost.restore({ from: backups, root: to, ...encrypted });
  expect(restored).toMatchObject({ origins: [origin, 'https://other.example:8443'], lost: [] });
  const again = host(to).origin(origin);
  expect({ ...again.localStorage }).toEqual({ name: 'value \ud800' });
  expect(await namesOf(again)).toEqual(['a.txt', 'empty', 'large', `${'long'.repeat(70)}.txt`].sort());
  expect(await read(again, 'a.txt')).toBe('one');
  expect(await read(again, 'large')).toBe('x'.repeat(3_000_000));
  expect(await read(again, `${'long'.repeat(70)}.txt`)).toBe('of a long name');
  const empty = await (await again.storage.getDirectory()).getDirectoryHandle('empty');
  expect(await namesIn(empty)).toEqual(['in it']);
  expect(await again.storage.persisted()).toBe(true);
  const response = await (await again.caches.open('pages')).match('https://app.example/one');
  expect(await response?.text()).toBe('cached');
  expect(response?.headers.get('x-a')).toBe('b');
  expect(host(to).origin('https://other.example:8443').localStorage.getItem('who')).toBe('other');
  expect(fs.readFileSync(path.join(to, 'holdfast.json'), 'utf8')).toBe(fs.readFileSync(path.join(root, 'holdfast.json'), 'utf8'));
  // It is used as any other, and its account counts what came back.
  await write(again, 'new', 'later');
  expect(await read(again, 'new')).toBe('later');
  expect((await again.storage.estimate()).usage).toBeGreaterThan(3_000_000);
});
