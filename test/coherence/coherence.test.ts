import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Heard } from './realm-fixture.ts';
import { Realm } from './realm.ts';

const ORIGIN = 'https://app.example';
/** The condition decides; this is only how long a loaded machine may need. */
const PATIENCE = { timeout: 30_000, interval: 20 };

let directory: string;
const realms: Realm[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-coherence-'));
});

afterEach(async () => {
  await Promise.all(realms.splice(0).map((realm) => realm.kill()));
  fs.rmSync(directory, { recursive: true, force: true });
});

async function start(kind: 'process' | 'thread'): Promise<Realm> {
  const options = { root: path.join(directory, 'root'), origin: ORIGIN };
  const realm = await (kind === 'process' ? Realm.start(options) : Realm.startThread(options));
  realms.push(realm);
  return realm;
}

describe.each(['process', 'thread'] as const)('what one process wrote, another %s', (kind) => {
  it('sees as soon as setItem has returned', async () => {
    const [one, other] = await Promise.all([start('process'), start(kind)]);
    expect(await other.ask('get', 'k')).toBeNull();
    for (let round = 0; round < 100; round++) {
      await one.ask('set', 'k', `${round} there`);
      expect(await other.ask('get', 'k')).toBe(`${round} there`);
      await other.ask('set', 'k', `${round} back`);
      expect(await one.ask('get', 'k')).toBe(`${round} back`);
    }
  });

  it('sees as soon as the operation on the file or directory has ended', async () => {
    const [one, other] = await Promise.all([start('process'), start(kind)]);
    expect(await other.ask('list')).toEqual([]);
    for (let round = 0; round < 20; round++) {
      await one.ask('replace', 'f', `${round} replaced`);
      expect(await other.ask('read', 'f')).toBe(`${round} replaced`);
      await other.ask('overwrite', 'f', `${round} overwritten`);
      expect(await one.ask('read', 'f')).toBe(`${round} overwritten`);
      await one.ask('move', 'f', 'g');
      expect(await other.ask('list')).toEqual(['g']);
      await other.ask('remove', 'g');
      expect(await one.ask('list')).toEqual([]);
      await expect(one.ask('read', 'g')).rejects.toThrow('NotFoundError');
    }
  });
});

/** What a key was before each change, if the changes are all there were. */
function expectUnbroken(events: readonly Heard[]): void {
  const values = new Map<string, string | null>();
  for (const { key, oldValue, newValue } of events) {
    if (key === null) {
      values.clear();
      continue;
    }
    expect(oldValue).toBe(values.get(key) ?? null);
    values.set(key, newValue);
  }
}

it('storage events reach every other client everywhere, in one order, exactly once', async () => {
  const writes = 40;
  const hosts = await Promise.all([start('process'), start('thread'), start('process'), start('thread')]);
  const paths = hosts.flatMap((_, index) => [`/${index}/a`, `/${index}/b`, `/${index}/silent`]);
  const realmOf = (at: string): Realm => hosts[Number(at[1])] ?? expect.unreachable();
  await Promise.all(paths.map((at) => realmOf(at).ask('listen', at)));
  const writers = paths.filter((at) => !at.endsWith('silent'));
  await Promise.all(writers.map((at) => realmOf(at).ask('write', at, writes, ['x', 'y'])));
  await realmOf('/0/end').ask('write', '/0/end', 1, ['end']);

  const heard = async (at: string): Promise<Heard[]> => {
    const events = await vi.waitFor(async () => {
      const found = await realmOf(at).ask('heard', at);
      expect(found.at(-1)?.key).toBe('end');
      return found;
    }, PATIENCE);
    expect(events.every(({ isOwnArea }) => isOwnArea)).toBe(true);
    return events;
  };
  const plain = (events: readonly Heard[]): unknown[] => events.map(({ key, oldValue, newValue, url }) => [key, oldValue, newValue, url]);

  const all = await heard('/0/silent');
  expect(all).toHaveLength(writers.length * writes + 1);
  expect(new Set(all.map(({ newValue }) => newValue)).size).toBe(all.length);
  for (const { newValue, url } of all) expect(url).toBe(`${ORIGIN}${newValue?.replace(/-\d+$/, '')}`);
  expectUnbroken(all);
  for (const at of paths) {
    expect(plain(await heard(at))).toEqual(plain(all.filter(({ url }) => url !== `${ORIGIN}${at}`)));
  }
});

it('a FileSystemObserver is told what other processes and threads do', async () => {
  const [writer, ...observers] = await Promise.all([start('process'), start('process'), start('thread')]);
  if (writer === undefined) return expect.unreachable();
  await Promise.all(observers.map((observer) => observer.ask('observe')));
  await writer.ask('replace', 'f', 'one');
  await writer.ask('move', 'f', 'g');
  await writer.ask('remove', 'g');
  for (const observer of observers) {
    const told = await vi.waitFor(async () => {
      const found = await observer.ask('observed');
      expect(found.at(-1)).toEqual(['disappeared', 'g', null]);
      return found;
    }, PATIENCE);
    expect(told[0]).toEqual(['appeared', 'f', null]);
    expect(told).toContainEqual(['modified', 'f', null]);
    expect(told).toContainEqual(['moved', 'g', 'f']);
  }
});

it('an idle process with a host, listeners and observers takes no CPU to speak of, and ends by itself', async () => {
  const idle = await start('process');
  await idle.ask('set', 'k', 'v');
  await idle.ask('listen', '/');
  await idle.ask('observe');
  // Of two seconds, once all that was begun is over; a busy wait, or a poll every few milliseconds, would always take far more.
  await expect.poll(() => idle.ask('idle', 2000)).toBeLessThan(60);
  await idle.ask('letGo');
  expect(await idle.exit).toBe(0);
});
