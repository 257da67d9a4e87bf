import fs from 'node:fs';
import path from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { Journal } from '../../../src/disk/journal/journal.ts';
import type { NewEntry } from '../../../src/sync/hub.ts';
import { HubStore } from '../../../src/sync/hubs/embedded/server/hub-store.ts';
import { encodeEntries, encodeState, ENTRIES, STATE } from '../../../src/sync/hubs/embedded/server/log-records.ts';
import { connected, entry, startedHub, temporaryRoot } from './in-process.ts';

/** A store of this process; another one at the same root takes over from it. */
function storeAt(root: string, settleAt = 2 ** 30): HubStore {
  fs.mkdirSync(root, { recursive: true });
  const store = new HubStore(root, () => undefined, { settleAt });
  store.prepare();
  onTestFinished(() => store.close());
  return store;
}

const numbered = (id: number, bytes = 10): NewEntry => ({ id: `n${id}`, bytes: new Uint8Array(bytes).fill(id) });

const idsIn = (store: HubStore, name: string): number[] => store.find(name)?.read(0, 1000).map(({ bytes }) => bytes[0] ?? 0) ?? [];

const settleAll = (store: HubStore): void => {
  for (const name of store.commits.names()) store.find(name)?.settle();
  store.commits.compact();
};

test('what is appended to any number of logs in one turn is one write and one sync', async () => {
  const store = storeAt(temporaryRoot());
  const logs = Array.from({ length: 40 }, (_, index) => store.log(`log ${index}`));
  const spies = (['writeSync', 'fdatasyncSync'] as const).map((name) => vi.spyOn(fs, name));
  onTestFinished(() => spies.forEach((spy) => spy.mockRestore()));
  const positions = await Promise.all(logs.flatMap((log) => [log.append([numbered(1)]), log.append([numbered(2)])]));
  expect(positions).toEqual(new Array(80).fill(2));
  expect(spies.map(({ mock }) => mock.calls.length)).toEqual([1, 1]);
});

test('a hub of many logs has none of their journals open', async () => {
  const store = storeAt(temporaryRoot());
  const logs = Array.from({ length: 40 }, (_, index) => store.log(`log ${index}`));
  await Promise.all(logs.map((log) => log.append([numbered(1)])));
  settleAll(store);
  expect(logs.every(({ isLoaded }) => isLoaded)).toBe(true);
  if (!fs.existsSync('/proc/self/fd')) return;
  const root = path.dirname(store.places.commits);
  const open = fs.readdirSync('/proc/self/fd').map(targetOf).filter((target) => target.startsWith(root));
  expect(open).toHaveLength(1);
});

function targetOf(descriptor: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ''; // That of the listing itself, for one.
  }
}

test('what was committed is there after a kill, before and after it was settled, and between the two', async () => {
  const root = temporaryRoot();
  let store = storeAt(root);
  await store.log('log').append([numbered(1), numbered(2)]);
  store = storeAt(root);
  expect(idsIn(store, 'log')).toEqual([1, 2]);
  await store.log('log').append([numbered(3)]);
  store.find('log')?.settle();
  store = storeAt(root);
  expect(idsIn(store, 'log')).toEqual([1, 2, 3]);
  settleAll(store);
  await store.log('log').append([numbered(4)]);
  store = storeAt(root);
  expect(idsIn(store, 'log')).toEqual([1, 2, 3, 4]);
  expect(store.log('log').head()).toMatchObject({ position: 4, first: 1 });
});

test('a power failure may take what was not synced of a log, and loses nothing', async () => {
  const root = temporaryRoot();
  const store = storeAt(root);
  const log = store.log('log');
  await log.append([numbered(1)]);
  settleAll(store);
  await log.append([numbered(2), numbered(3)]);
  const file = path.join(store.places.of('log'), 'journal', '0');
  const synced = fs.statSync(file).size;
  log.settle();
  expect(fs.statSync(file).size).toBeGreaterThan(synced);
  // Of what was being written then, a part came to the disk, and not its beginning.
  fs.writeFileSync(file, Buffer.concat([fs.readFileSync(file).subarray(0, synced), Buffer.alloc(20), fs.readFileSync(file).subarray(synced + 20)]));
  const next = storeAt(root);
  expect(idsIn(next, 'log')).toEqual([1, 2, 3]);
  settleAll(next);
  expect(idsIn(storeAt(root), 'log')).toEqual([1, 2, 3]);
});

test('trimming settles first, and holds', async () => {
  const root = temporaryRoot();
  const store = storeAt(root);
  const log = store.log('log');
  await log.append([1, 2, 3, 4].map((id) => numbered(id)));
  await log.putSnapshot({ position: 4, bytes: new Uint8Array(1) });
  log.trim(3);
  await log.append([numbered(5)]);
  const next = storeAt(root);
  expect(next.log('log').head()).toMatchObject({ position: 5, first: 4 });
  expect(next.log('log').read(3, 9).map(({ bytes }) => bytes[0])).toEqual([4, 5]);
});

test('beyond a limit commits are settled by and by, and their journal stays short', async () => {
  const root = temporaryRoot();
  const store = storeAt(root, 2 ** 16);
  const logs = Array.from({ length: 20 }, (_, index) => store.log(`log ${index}`));
  for (let round = 1; round <= 20; round++) await Promise.all(logs.map((log) => log.append([numbered(round, 1000)])));
  await vi.waitFor(() => expect(store.commits.size).toBeLessThan(2 ** 18), 30_000);
  const next = storeAt(root);
  for (let index = 0; index < 20; index++) expect(idsIn(next, `log ${index}`)).toEqual(Array.from({ length: 20 }, (_, round) => round + 1));
});

test('a server that another has taken over from commits nothing, and shows nothing, any more', async () => {
  const root = temporaryRoot();
  const [first, second] = [storeAt(root), storeAt(root)];
  await second.log('log').append([numbered(1)]);
  await expect(first.log('log').append([numbered(2)])).rejects.toMatchObject({ code: 'hub-unreachable' });
  expect(() => first.log('log').head()).toThrow(/taken over/);
  expect(() => first.find('log')?.read(0, 1)).toThrow(/taken over/);
  expect(idsIn(second, 'log')).toEqual([1]);
  expect(idsIn(storeAt(root), 'log')).toEqual([1]);
});

test('a log that was brought back to an older state goes on from there', async () => {
  const root = temporaryRoot();
  const store = storeAt(root);
  const log = store.log('log');
  await log.append([numbered(1)]);
  settleAll(store);
  const older = `${root}-older`;
  fs.cpSync(store.places.of('log'), older, { recursive: true });
  await log.append([numbered(2), numbered(3)]);
  settleAll(store);
  await log.append([numbered(4)]);
  store.close();
  fs.rmSync(store.places.of('log'), { recursive: true });
  fs.renameSync(older, store.places.of('log'));
  const next = storeAt(root);
  // What is committed begins with the fourth.
  expect(idsIn(next, 'log')).toEqual([1]);
  await next.log('log').append([numbered(5)]);
  expect(idsIn(storeAt(root), 'log')).toEqual([1, 5]);
});

test('a log that was made anew has nothing of the one before', async () => {
  const root = temporaryRoot();
  const store = storeAt(root);
  await store.log('log').append([numbered(1)]);
  store.close();
  fs.rmSync(store.places.of('log'), { recursive: true });
  const next = storeAt(root);
  expect(next.log('log').head().position).toBe(0);
  await next.log('log').append([numbered(2)]);
  expect(idsIn(storeAt(root), 'log')).toEqual([2]);
});

test('the root of a hub from before commits is read, and kept from older versions from then on', async () => {
  const root = temporaryRoot();
  for (const name of ['logs', 'new']) fs.mkdirSync(path.join(root, name), { recursive: true });
  fs.writeFileSync(path.join(root, 'holdfast-hub.json'), '{"format":1}\n');
  const directory = path.join(root, 'logs/log/journal');
  fs.mkdirSync(directory, { recursive: true });
  Journal.create(directory, [{ kind: STATE, payload: encodeState({ name: 'log', epoch: 'the-epoch', first: 1 }) }]);
  const writer = { name: () => '', reset: () => undefined, restore: () => undefined, restored: () => undefined, snapshot: () => [], apply: () => undefined };
  const journal = new Journal<undefined>(directory, writer, { durability: 'strict' });
  const before = [entry('a'), entry('b')];
  journal.append(ENTRIES, 7, 1, encodeEntries(before));
  journal.close();
  const { url, close } = await startedHub({ root });
  const log = (await connected(url)).log('log');
  expect(await log.head()).toEqual({ epoch: 'the-epoch', position: 2, first: 1 });
  expect(await log.append([...before, entry('c')])).toBe(3);
  await close();
  expect(JSON.parse(fs.readFileSync(path.join(root, 'holdfast-hub.json'), 'utf8'))).toEqual({ format: 2 });
  const again = (await connected((await startedHub({ root })).url)).log('log');
  expect((await again.read(0, 9)).map(({ bytes }) => Buffer.from(bytes).toString())).toEqual(['a', 'b', 'c']);
});

/** From the n-th change of the disk on nothing reaches it any more, as if this process had been killed there. */
function killedAt(count: number): { readonly reached: () => boolean; restore(): void } {
  let left = count;
  const spies = (['writeSync', 'fdatasyncSync', 'fsyncSync', 'renameSync', 'linkSync', 'unlinkSync', 'mkdirSync'] as const).map((name) => {
    const original = fs[name] as (...values: unknown[]) => unknown;
    return vi.spyOn(fs, name).mockImplementation(((...values: unknown[]) => {
      if ((left -= 1) < 0) throw Object.assign(new Error('killed'), { code: 'EIO' });
      return original(...values);
    }) as never);
  });
  return { reached: () => left < 0, restore: () => spies.forEach((spy) => spy.mockRestore()) };
}

test('a hub that is killed at any change has all that it acknowledged, in its order', async () => {
  let kills = 0;
  for (let at = 0; ; at++) {
    const root = temporaryRoot();
    const store = storeAt(root);
    const logs = ['a', 'b'].map((name) => store.log(name));
    for (const log of logs) await log.append([numbered(1)]);
    settleAll(store);
    const acknowledged = new Map(logs.map(({ name }) => [name, 1]));
    const kill = killedAt(at);
    const append = async (id: number): Promise<void> => {
      await Promise.all(logs.map(async (log) => log.append([numbered(id)]).then(() => acknowledged.set(log.name, id), () => undefined)));
    };
    try {
      await append(2);
      await append(3);
      settleAll(store);
      await append(4);
    } catch {
      // Killed.
    }
    kill.restore();
    const next = storeAt(root);
    for (const { name } of logs) {
      const found = idsIn(next, name);
      expect(found.slice(0, acknowledged.get(name)), `killed at change ${at}`).toEqual([1, 2, 3, 4].slice(0, acknowledged.get(name)));
      expect(found, `killed at change ${at}`).toEqual([...found].sort());
      await next.log(name).append([numbered(9)]);
      expect(idsIn(next, name)).toEqual([...found, 9]);
    }
    if (!kill.reached()) break;
    kills += 1;
  }
  expect(kills).toBeGreaterThan(10);
});

test('what is wrong with one log of a request concerns that one alone', async () => {
  const { url } = await startedHub();
  const hub = await connected(url);
  // More than the requests that are under way at once: the others go together.
  const names = Array.from({ length: 30 }, (_, index) => `log ${index}`);
  const outcomes = await Promise.all(
    names.map((name, index) => hub.log(name).append([entry(name)], index === 25 ? ['0'.repeat(64)] : []).catch((error: { code: string }) => error.code)),
  );
  expect(outcomes).toEqual(names.map((_, index) => (index === 25 ? 'hub-blob-missing' : 1)));
});
