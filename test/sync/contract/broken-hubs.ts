import type { Hub, HubCapabilities, HubEntry, HubLog, HubSnapshot, LogHead, NewEntry } from '../../../src/sync/hub.ts';
import { type MemoryEngine, memoryHub, type MemoryLog } from '../../support/memory-hub.ts';

/** What a defect may get at. */
export interface Scene {
  readonly engine: MemoryEngine;
  /** The state behind the log, by the name that was asked for. */
  state(): MemoryLog;
  readonly log: HubLog;
  readonly name: string;
}

type Defect = Partial<{ readonly [Method in keyof HubLog]: (scene: Scene, ...args: Parameters<HubLog[Method]>) => ReturnType<HubLog[Method]> }>;

/** A hub in memory with something wrong. */
export interface BrokenHub {
  readonly name: string;
  readonly defect?: Defect;
  readonly capabilities?: Partial<HubCapabilities>;
  /** What the name of a log is mistaken for. */
  readonly fold?: (name: string) => string;
  readonly close?: (hub: Hub) => Promise<void>;
  /** Something that its crash does besides. */
  readonly crash?: (engine: MemoryEngine) => void;
}

/** A client of a broken hub. */
export function brokenHub(engine: MemoryEngine, { defect = {}, fold = (name) => name, close }: BrokenHub): Hub {
  const hub = memoryHub(engine);
  return {
    name: 'broken',
    connect: () => hub.connect(),
    log: (asked) => breakLog({ engine, name: fold(asked), log: hub.log(fold(asked)), state: () => engine.log(fold(asked)) }, defect),
    close: () => (close === undefined ? hub.close() : close(hub)),
  };
}

function breakLog(scene: Scene, defect: Defect): HubLog {
  return new Proxy(scene.log, {
    get(target, key) {
      const broken = defect[key as keyof HubLog] as ((scene: Scene, ...args: unknown[]) => unknown) | undefined;
      if (broken !== undefined) return (...args: unknown[]) => broken(scene, ...args);
      const sound: unknown = Reflect.get(target, key);
      return typeof sound === 'function' ? sound.bind(target) : sound;
    },
  });
}

let calls = 0;

/** Every so many calls, by whomever. */
const every = (count: number): boolean => ++calls % count === 0;

const snapshotAt = async ({ log }: Scene): Promise<number> => (await log.snapshot())?.position ?? 0;

async function headWith({ log }: Scene, change: (head: LogHead) => Partial<LogHead>): Promise<LogHead> {
  const head = await log.head();
  return { ...head, ...change(head) };
}

async function readWith({ log }: Scene, after: number, limit: number, change: (entries: readonly HubEntry[]) => readonly HubEntry[]): Promise<readonly HubEntry[]> {
  return change(await log.read(after, limit));
}

const stale = new WeakMap<MemoryLog, LogHead>();
const heldBack = new WeakMap<MemoryLog, NewEntry[]>();

/** As the memory hub, but without its memory of ids. */
async function appendAnyway({ engine, log, state }: Scene, entries: readonly NewEntry[]): Promise<number> {
  await log.append([]);
  const target = state();
  for (const { id, bytes } of entries) target.entries.push({ id, bytes: bytes.slice() });
  engine.notify(target);
  return target.position;
}

const appending: readonly BrokenHub[] = [
  { name: 'loses the last entry of every fifth batch', defect: { append: ({ log }, entries) => log.append(every(5) && entries.length > 1 ? entries.slice(0, -1) : entries) } },
  { name: 'turns the order of a batch around', defect: { append: ({ log }, entries) => log.append([...entries].reverse()) } },
  {
    name: 'appends a batch one by one, with others in between',
    defect: {
      append: async ({ log }, entries) => {
        let position = await log.append([]);
        for (const each of entries) {
          await new Promise((resolve) => setImmediate(resolve));
          position = await log.append([each]);
        }
        return position;
      },
    },
  },
  {
    name: 'keeps what came before an entry that is too large',
    defect: {
      append: async ({ engine, log }, entries) => {
        for (const each of entries) if (each.bytes.length <= engine.capabilities.maxEntryBytes) await log.append([each]);
        return log.append(entries);
      },
    },
  },
  { name: 'takes an entry that is larger than it says', capabilities: { maxEntryBytes: 2 ** 19 }, defect: { append: appendAnyway } },
  {
    name: 'acknowledges an append that it makes only with the next one',
    defect: {
      append: async ({ log, state }, entries) => {
        const before = heldBack.get(state()) ?? [];
        heldBack.set(state(), [...entries]);
        return (await log.append(before)) + entries.length;
      },
    },
  },
  {
    name: 'puts a new entry before the last one now and then',
    defect: {
      append: async ({ log, state }, entries) => {
        const position = await log.append(entries);
        const all = state().entries;
        if (every(7) && all.length > 1) all.splice(-2, 0, ...all.splice(-1));
        return position;
      },
    },
  },
  { name: 'returns the position before the append', defect: { append: async ({ log }, entries) => (await log.append([])) + 0 * (await log.append(entries)) } },
  { name: 'keeps the array that it was given', defect: { append: async ({ log, state }, entries) => {
    const position = await log.append(entries);
    state().entries.splice(-entries.length, entries.length, ...entries);
    return position;
  } } },
  { name: 'ends entries at a zero byte', defect: { append: ({ log }, entries) => log.append(entries.map((each) => ({ ...each, bytes: each.bytes.slice(0, each.bytes.indexOf(0) >>> 0) }))) } },
  { name: 'forgets ids at once though it says that it knows them always', defect: { append: appendAnyway } },
  { name: 'forgets ids at once though it says that it knows them for a time', capabilities: { dedupe: 'for-a-time' }, defect: { append: appendAnyway } },
  {
    name: 'knows the last hundred ids only',
    defect: {
      append: async (scene, entries) => {
        const recent = new Set(scene.state().entries.slice(-100).map(({ id }) => id));
        return appendAnyway(scene, entries.filter(({ id }) => !recent.has(id)));
      },
    },
  },
  { name: 'drops a batch of which it has an entry', defect: { append: ({ log, state }, entries) => log.append(state().entries.some(({ id }) => id === entries[0]?.id) ? [] : entries) } },
  { name: 'knows ids without their case', defect: { append: ({ log }, entries) => log.append(entries.map((each) => ({ ...each, id: each.id.toLowerCase() }))) } },
  { name: 'takes entries with the same bytes for one', defect: { append: ({ log }, entries) => log.append(entries.map(({ bytes }) => ({ id: Buffer.from(bytes).toString('hex'), bytes }))) } },
];

const reading: readonly BrokenHub[] = [
  { name: 'gives one entry more than was asked for', defect: { read: ({ log }, after, limit) => log.read(after, limit + 1) } },
  { name: 'starts at the position instead of after it', defect: { read: ({ log }, after, limit) => log.read(Math.max(after - 1, 0), limit) } },
  { name: 'leaves out an entry', defect: { read: (scene, after, limit) => readWith(scene, after, limit, (entries) => entries.filter(({ position }) => position % 11 !== 10)) } },
  { name: 'gives an empty answer now and then', defect: { read: (scene, after, limit) => readWith(scene, after, limit, (entries) => (every(3) ? [] : entries)) } },
  { name: 'gives entries from newest to oldest', defect: { read: (scene, after, limit) => readWith(scene, after, limit, (entries) => [...entries].reverse()) } },
  { name: 'counts positions from 0 on', defect: { read: (scene, after, limit) => readWith(scene, after, limit, (entries) => entries.map((each) => ({ ...each, position: each.position - 1 }))) } },
  { name: 'gives its own bytes away', defect: { read: async ({ log, state }, after, limit) => (await log.read(after, limit)).map(({ position }) => ({ position, bytes: state().entries[position - state().first]?.bytes ?? new Uint8Array() })) } },
  { name: 'wraps around beyond the head', defect: { read: async ({ log }, after, limit) => log.read(after > (await log.head()).position ? 0 : after, limit) } },
  {
    name: 'skips what was trimmed without a word',
    defect: { read: async ({ log }, after, limit) => log.read(Math.max(after, (await log.head()).first - 1), limit) },
  },
  {
    name: 'has a head that is one append old',
    defect: {
      head: async ({ log, state }) => {
        const now = await log.head();
        const before = stale.get(state()) ?? now;
        stale.set(state(), now);
        return before;
      },
    },
  },
  { name: 'says that an empty log begins before its first position', defect: { head: (scene) => headWith(scene, ({ position }) => (position === 0 ? { first: 0 } : {})) } },
  { name: 'has a new epoch for every client', defect: { head: (scene) => headWith(scene, () => ({ epoch: crypto.randomUUID() })) } },
  { name: 'has one epoch for all logs', defect: { head: (scene) => headWith(scene, () => ({ epoch: 'the only one' })) } },
  { name: 'says that it has entries which are trimmed', defect: { head: (scene) => headWith(scene, () => ({ first: 1 })) } },
  { name: 'counts from its first entry again when all were trimmed', defect: { head: (scene) => headWith(scene, ({ position, first }) => (first > position ? { position: 0, first: 1 } : {})) } },
];

const trimming: readonly BrokenHub[] = [
  { name: 'trims beyond the snapshot', defect: { trim: async ({ log, state }, upTo) => {
    const { snapshot } = state();
    state().snapshot = { position: upTo, bytes: new Uint8Array() };
    await log.trim(upTo);
    state().snapshot = snapshot;
  } } },
  { name: 'trims one entry too many', defect: { trim: ({ log }, upTo) => log.trim(upTo + 1) } },
  { name: 'trims one entry too few', defect: { trim: ({ log }, upTo) => log.trim(upTo - 1) } },
  { name: 'does not trim', defect: { trim: async () => undefined } },
  { name: 'refuses to trim without a snapshot', defect: { trim: async (scene, upTo) => {
    if ((await snapshotAt(scene)) === 0) throw new Error('no snapshot');
    await scene.log.trim(upTo);
  } } },
  { name: 'shifts the positions of what is left when it trims', defect: { trim: async ({ log, state }, upTo) => {
    await log.trim(upTo);
    state().first = 1;
  } } },
  { name: 'keeps the snapshot that came last', defect: { putSnapshot: async ({ state }, snapshot) => void (state().snapshot = snapshot) } },
  { name: 'keeps the first snapshot', defect: { putSnapshot: ({ log, state }, snapshot) => (state().snapshot === null ? log.putSnapshot(snapshot) : Promise.resolve()) } },
  { name: 'takes a snapshot beyond its head', defect: { putSnapshot: async ({ state }, snapshot) => {
    if (snapshot.position > (state().snapshot?.position ?? 0)) state().snapshot = snapshot;
  } } },
  { name: 'says nothing of a snapshot beyond its head', defect: { putSnapshot: ({ log }, snapshot) => log.putSnapshot(snapshot).catch(() => undefined) } },
  { name: 'cuts a snapshot off after 4 MiB', defect: { putSnapshot: ({ log }, { position, bytes }) => log.putSnapshot({ position, bytes: bytes.subarray(0, 2 ** 22) }) } },
  { name: 'takes an empty snapshot for none', defect: { snapshot: async ({ log }): Promise<HubSnapshot | null> => {
    const kept = await log.snapshot();
    return kept?.bytes.length === 0 ? null : kept;
  } } },
  { name: 'gives the snapshot of the head', defect: { snapshot: async ({ log }) => {
    const kept = await log.snapshot();
    return kept && { ...kept, position: (await log.head()).position };
  } } },
];

const blobs: readonly BrokenHub[] = [
  { name: 'writes over a blob', defect: { putBlob: async ({ state }, name, bytes) => void state().blobs.set(name, bytes) } },
  { name: 'has an empty blob for one that is not there', defect: { getBlob: async ({ log }, name) => (await log.getBlob(name)) ?? new Uint8Array() } },
  { name: 'takes an empty blob for none', defect: { getBlob: async ({ log }, name) => {
    const bytes = await log.getBlob(name);
    return bytes?.length === 0 ? null : bytes;
  } } },
  { name: 'says that it has every blob', defect: { hasBlobs: async (_, names) => new Set(names) } },
  { name: 'says that it has all blobs when it has one of them', defect: { hasBlobs: async ({ log }, names) => new Set((await log.hasBlobs(names)).size > 0 ? names : []) } },
  { name: 'stores a blob after it has said so', defect: { putBlob: async ({ log }, name, bytes) => void setTimeout(() => void log.putBlob(name, bytes).catch(() => undefined), 5) } },
  { name: 'cuts blobs off', defect: { putBlob: ({ log }, name, bytes) => log.putBlob(name, bytes.subarray(0, 2 ** 19)) } },
  { name: 'takes any blob', defect: { putBlob: async ({ log, state }, name, bytes) => {
    await log.hasBlobs([]);
    if (!state().blobs.has(name)) state().blobs.set(name, bytes.slice());
  } } },
  { name: 'keeps the blobs of all logs together', defect: {
    putBlob: ({ engine }, name, bytes) => Promise.resolve(engine.log('').putBlob(name, bytes)),
    getBlob: async ({ engine }, name) => engine.log('').blobs.get(name) ?? null,
    hasBlobs: async ({ engine }, names) => new Set(names.filter((name) => engine.log('').blobs.has(name))),
  } },
];

const collecting: readonly BrokenHub[] = [
  { name: 'never collects', defect: { collectBlobs: async () => 0 } },
  { name: 'collects what is named', defect: { collectBlobs: ({ log }, collection) => log.collectBlobs({ ...collection, isNamed: () => false }) } },
  { name: 'collects what was used just now', defect: { collectBlobs: ({ log }, collection) => log.collectBlobs({ ...collection, unusedFor: 0 }) } },
  { name: 'collects for whoever knows another log', defect: { collectBlobs: async ({ log }, collection) => log.collectBlobs({ ...collection, epoch: (await log.head()).epoch }) } },
  {
    name: 'collects for whoever knows more than there is',
    defect: { collectBlobs: async ({ log }, { position, ...rest }) => log.collectBlobs({ ...rest, position: Math.min(position, (await log.head()).position) }) },
  },
  { name: 'collects for whoever does not know the entries that are there still', defect: { collectBlobs: async ({ log }, collection) => log.collectBlobs({ ...collection, first: Math.min(collection.first, (await log.head()).first) }) } },
  { name: 'collects for whoever knows a later snapshot', defect: { collectBlobs: ({ log }, collection) => log.collectBlobs({ ...collection, first: 1 }) } },
  { name: 'forgets which blobs appends have named', defect: { collectBlobs: async ({ log, state }, collection) => (state().named.clear(), log.collectBlobs(collection)) } },
  { name: 'forgets now and then which blobs appends have named', defect: { append: async ({ log, state }, entries, blobs) => {
    const position = await log.append(entries, blobs);
    if (every(4)) for (const name of blobs ?? []) state().named.delete(name);
    return position;
  } } },
  { name: 'takes entries whose blobs are not there', defect: { append: ({ log }, entries) => log.append(entries) } },
  { name: 'refuses entries whose blobs are not there, after it has taken them', defect: { append: async ({ log }, entries, blobs) => {
    await log.append(entries);
    return await log.append([], blobs);
  } } },
  { name: 'collects a hundred blobs at most', defect: { collectBlobs: ({ log }, { isNamed, ...rest }) => {
    let found = 0;
    return log.collectBlobs({ ...rest, isNamed: (name) => isNamed(name) || ++found > 100 });
  } } },
  { name: 'collects the blobs of all logs', defect: { collectBlobs: async ({ engine, log }, { isNamed, ...rest }) => {
    for (const each of engine.logs.values()) each.collectBlobs({ ...rest, epoch: each.epoch, position: each.position, isNamed });
    return log.collectBlobs({ ...rest, isNamed });
  } } },
  { name: 'says that it has collected nothing', defect: { collectBlobs: async ({ log }, collection) => 0 * (await log.collectBlobs(collection)) } },
  { name: 'takes no blob again that it has collected', defect: { putBlob: async ({ log, state }, name, bytes) => {
    if (state().used.has(name)) await log.hasBlobs([name]);
    else await log.putBlob(name, bytes);
  } } },
];

const unnamed: readonly BrokenHub[] = [
  { name: 'takes more blobs that nothing names than it may', defect: { putBlob: async ({ log, state }, name, bytes) => {
    state().unnamedBytes = Infinity;
    await log.putBlob(name, bytes);
  } } },
  { name: 'keeps a blob for which it says to be full', defect: { putBlob: async ({ log, state }, name, bytes) => {
    await log.putBlob(name, bytes).catch((error: unknown) => {
      state().blobs.set(name, bytes);
      throw error;
    });
  } } },
  { name: 'takes no more blobs, though entries name those that are there', defect: { append: async ({ log, state }, entries, blobs) => {
    const position = await log.append(entries, blobs);
    if (state().unnamedBytes < Infinity) state().named.clear();
    return position;
  } } },
];

const names: readonly BrokenHub[] = [
  { name: 'folds the case of names', fold: (name) => name.toLowerCase() },
  { name: 'normalizes names', fold: (name) => name.normalize('NFC') },
  { name: 'stores names as UTF-8', fold: (name) => Buffer.from(name).toString() },
  { name: 'trims the spaces of names', fold: (name) => name.trim() },
  { name: 'takes names for paths', fold: (name) => name.replace(/\/(\.\.)?(?=\/|$)/g, '') },
  { name: 'cuts names off after 255 units', fold: (name) => name.slice(0, 255) },
  { name: 'ends names at a zero', fold: (name) => name.split('\0')[0] ?? '' },
  { name: 'puts dots in the place of spaces', fold: (name) => name.replaceAll(' ', '.') },
];

const living: readonly BrokenHub[] = [
  { name: 'never notifies', defect: { subscribe: () => () => undefined } },
  { name: 'notifies once', defect: { subscribe: ({ log }, onNews) => {
    const end = log.subscribe(() => (end(), onNews()));
    return end;
  } } },
  { name: 'goes on calling who has unsubscribed', defect: { subscribe: ({ log }, onNews) => (log.subscribe(onNews), () => undefined) } },
  { name: 'ends all subscriptions with one', defect: { subscribe: ({ log, state }, onNews) => (log.subscribe(onNews), () => state().subscribers.clear()) } },
  { name: 'works on after close', close: async () => undefined },
  { name: 'closes twice with an error', close: async (hub) => {
    const closed = await hub.connect().then(() => false, () => true);
    if (closed) throw new Error('it is closed');
    await hub.close();
  } },
  { name: 'has room for blobs of less than a mebibyte', capabilities: { maxBlobBytes: 2 ** 20 - 1 } },
];

const crashing: readonly BrokenHub[] = [
  { name: 'loses the last entry in a crash', crash: ({ logs }) => logs.forEach((log) => log.entries.pop()) },
  { name: 'has another epoch after a crash', crash: ({ logs }) => logs.forEach((log) => Object.assign(log, { epoch: crypto.randomUUID() })) },
  { name: 'loses its snapshots in a crash', crash: ({ logs }) => logs.forEach((log) => (log.snapshot = null)) },
  { name: 'loses its blobs in a crash', crash: ({ logs }) => logs.forEach((log) => log.blobs.clear()) },
  { name: 'has half of its last blob after a crash', crash: ({ logs }) => logs.forEach(({ blobs: kept }) => {
    const [name, bytes] = [...kept].at(-1) ?? [];
    if (name !== undefined && bytes !== undefined) kept.set(name, bytes.subarray(0, bytes.length / 2));
  }) },
  { name: 'forgets in a crash where it was when all was trimmed', crash: ({ logs }) => logs.forEach((log) => log.entries.length === 0 && (log.first = 1)) },
  { name: 'forgets ids in a crash', crash: ({ logs }) => logs.forEach((log) => (log.entries = log.entries.map(({ bytes }) => ({ id: crypto.randomUUID(), bytes })))) },
  { name: 'forgets its subscribers in a crash', crash: ({ logs }) => logs.forEach((log) => log.subscribers.clear()) },
  { name: 'repeats the last entry after a crash', crash: ({ logs }) => logs.forEach((log) => log.entries.push(...log.entries.slice(-1))) },
];

export const brokenHubs: readonly BrokenHub[] = [...appending, ...reading, ...trimming, ...blobs, ...collecting, ...unnamed, ...names, ...living, ...crashing];
