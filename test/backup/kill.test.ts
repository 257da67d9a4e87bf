import fs from 'node:fs';
import path from 'node:path';
import { expect, test, vi } from 'vitest';
import { checkBackups } from '../../src/disk/backup/check.ts';
import { prune } from '../../src/disk/backup/prune.ts';
import { Repository } from '../../src/disk/backup/repository.ts';
import { encodeOrigin } from '../../src/disk/names/origin.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import type * as Identity from '../../src/runtime/identity.ts';
import { type Call, handleCalls, isChange, pathOf } from '../crash/support/fault-layer.ts';
import { encrypted } from '../support/sealed.ts';
import { contentsOf, origin, places, read, write } from './support.ts';

/*
 * A process that is killed changes nothing any more, and is seen to have ended. That is done to each step here, before
 * each of its system calls that change something: that call, and all that follow it, fail, those that would clear up too.
 */
const place = places();

/** What a step takes itself for, by which others ask whether it lives. */
const step = vi.hoisted(() => ({ thread: 2 ** 30, isRunning: false }));

vi.mock('../../src/runtime/identity.ts', async (load) => {
  const identity = await load<typeof Identity>();
  const threadIdentity: typeof identity.threadIdentity = () => ({ ...identity.threadIdentity(), ...(step.isRunning && { tid: step.thread }) });
  const threadLife: typeof identity.threadLife = (who) => (who.tid < 2 ** 30 ? identity.threadLife(who) : step.isRunning && who.tid === step.thread ? 'alive' : 'dead');
  return { ...identity, threadIdentity, threadLife };
});

/**
 * A step is killed at the first of all calls that do the same thing at a place of the same kind, and at the last call; at
 * every call where somebody asks (`npm run stress -- --backups`).
 */
const isAtEveryCall = process.env['HOLDFAST_BACKUP_KILLS'] === 'all';

interface Step {
  /** Makes root and repository anew. */
  prepare(): Promise<void>;
  run(): Promise<unknown>;
  /** What must hold after a kill, and after whatever comes next. */
  check(): Promise<void>;
}

async function killEverywhere({ prepare, run, check }: Step): Promise<number> {
  const { home } = place();
  await prepare();
  const changes: string[] = [];
  handleCalls(home, { before: (call) => void (isChange(call) && changes.push(kindOf(call))) });
  try {
    await run();
  } finally {
    handleCalls('', null);
  }
  let kills = 0;
  for (const at of isAtEveryCall ? changes.keys() : oneOfEach(changes)) {
    await clear();
    await prepare();
    let made = 0;
    handleCalls(home, { before: (call) => (isChange(call) && (made += 1) > at ? { code: 'EIO', late: false } : undefined) });
    step.isRunning = true;
    const outcome = await run().then(
      () => 'done',
      () => 'killed',
    );
    step.isRunning = false;
    step.thread += 1;
    handleCalls('', null);
    if (outcome === 'killed') kills += 1;
    // What a lock becomes after a while, which nobody waits for here.
    for (const lock of ['backups/lock', 'root/maintenance.lock']) fs.rmSync(path.join(home, lock), { recursive: true, force: true });
    await check();
  }
  return kills;
}

/** What a call does, and where: one chunk is like another, and so is all that is built beside. */
function kindOf({ name, parameters: [target, other] }: Call): string {
  const path = typeof target === 'number' ? (pathOf(target) ?? '') : String(target);
  const places = /^(promises\.)?(rename|link)/.test(name) ? [path, String(other)] : [path];
  return [name.replace('promises.', '').replace('Sync', ''), ...places.map(placeLike)].join(' ');
}

function placeLike(path: string): string {
  const relative = path.replace(place().home, '');
  return relative.replace(/(\/(new|chunks)\/).*?(\.[a-z]+)?$/, '$1#$3').replaceAll(/[0-9a-f]{32}|[0-9a-f-]{36}|[0-9]+/g, '#');
}

function oneOfEach(kinds: readonly string[]): number[] {
  return [...kinds.keys()].filter((at) => kinds.indexOf(kinds[at] ?? '') === at || at === kinds.length - 1);
}

async function clear(): Promise<void> {
  for (const name of fs.readdirSync(place().home)) fs.rmSync(path.join(place().home, name), { recursive: true, force: true });
  await Promise.resolve();
}

async function withHost<T>(root: string, body: (host: StorageHost) => Promise<T>): Promise<T> {
  const host = new StorageHost({ root, ...encrypted });
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

/** One state of a root: a key and two files that say the same. */
async function become(state: string): Promise<void> {
  await withHost(place().root, async (host) => {
    const client = host.origin(origin);
    client.localStorage.setItem('state', state);
    await write(client, 'small', state);
    await write(client, 'large', state.repeat(50_000));
  });
}

/** Which state it is; `nothing` where there is no origin. */
async function stateOf(root: string): Promise<string> {
  return await withHost(root, async (host) => {
    const client = host.origin(origin);
    const key = client.localStorage.getItem('state');
    if (key === null) return 'nothing';
    expect([await read(client, 'small'), await read(client, 'large')]).toEqual([key, key.repeat(50_000)]);
    return key;
  });
}

const backUp = (): Promise<unknown> => withHost(place().root, (host) => host.backup(place().backups));

/** All backups of the repository are whole, and what they are. */
async function statesInRepository(): Promise<string[]> {
  const { backups, home } = place();
  expect((await checkBackups(backups, () => undefined)).damage).toEqual([]);
  const states: string[] = [];
  for (const { time } of Repository.open(backups).backups()) {
    const root = path.join(home, `restored ${states.length}`);
    fs.rmSync(root, { recursive: true, force: true });
    await StorageHost.restore({ from: backups, root, at: time, ...encrypted });
    states.push(await stateOf(root));
  }
  return states;
}

test('a backup that is killed leaves all others whole, and the root as it was', { timeout: isAtEveryCall ? 3_600_000 : 240_000 }, async () => {
  const kills = await killEverywhere({
    prepare: async () => {
      await become('one');
      await backUp();
      await become('two');
    },
    run: backUp,
    check: async () => {
      expect(await stateOf(place().root)).toBe('two');
      const states = await statesInRepository();
      expect([['one'], ['one', 'two']]).toContainEqual(states);
      await backUp();
      expect((await statesInRepository()).at(-1)).toBe('two');
    },
  });
  expect(kills).toBeGreaterThan(3);
});

test('a first backup that is killed leaves a directory in which the next one goes on', { timeout: isAtEveryCall ? 3_600_000 : 240_000 }, async () => {
  await killEverywhere({
    prepare: () => become('one'),
    run: backUp,
    check: async () => {
      await backUp();
      expect((await statesInRepository()).at(-1)).toBe('one');
    },
  });
});

test('a prune that is killed leaves what it keeps whole, and the next one takes the rest', { timeout: isAtEveryCall ? 3_600_000 : 240_000 }, async () => {
  const kills = await killEverywhere({
    prepare: async () => {
      for (const state of ['one', 'two', 'three']) {
        await become(state);
        await backUp();
      }
    },
    run: () => prune(place().backups, [{ unit: 'y', count: 1 }]),
    check: async () => {
      const states = await statesInRepository();
      expect(states.at(-1)).toBe('three');
      const { backups } = place();
      await prune(backups, [{ unit: 'y', count: 1 }]);
      expect(await statesInRepository()).toEqual(['three']);
      const chunks = [...contentsOf(path.join(backups, 'chunks')).keys()];
      await prune(backups, [{ unit: 'y', count: 1 }]);
      expect([...contentsOf(path.join(backups, 'chunks')).keys()]).toEqual(chunks);
    },
  });
  expect(kills).toBeGreaterThan(2);
});

/** Moves the origin that was to be replaced back, in a copy of the root. */
function putBack(root: string): string {
  const copy = `${root}-copy`;
  fs.cpSync(root, copy, { recursive: true });
  const [name = ''] = fs.readdirSync(path.join(copy, 'new')).filter((each) => each.endsWith('.replaced'));
  fs.renameSync(path.join(copy, 'new', name), path.join(copy, 'origins', encodeOrigin(origin)));
  return copy;
}

test('a restore that is killed leaves the state before or the restored one, or between two renames none and what was there in the workshop', { timeout: isAtEveryCall ? 3_600_000 : 240_000 }, async () => {
  const seen = new Set<string>();
  const { root, backups } = place();
  const restore = (): Promise<unknown> => StorageHost.restore({ from: backups, root, origin, replace: true, ...encrypted });
  await killEverywhere({
    prepare: async () => {
      await become('one');
      await backUp();
      await become('two');
    },
    run: restore,
    check: async () => {
      const state = await stateOf(root);
      seen.add(state);
      if (state === 'nothing') expect(await stateOf(putBack(root))).toBe('two');
      await restore();
      expect(await stateOf(root)).toBe('one');
    },
  });
  expect([...seen].filter((state) => state !== 'nothing').sort()).toEqual(['one', 'two']);
});
