import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { FileChange } from '../../src/disk/locks/lock-table.ts';
import { isWithin } from '../../src/disk/locator.ts';
import type { Locator } from '../../src/disk/locator.ts';
import { createDirectoryHandle, createFileHandle, createRootHandle } from '../../src/file-system/handles.ts';
import type { FileSystem, FileSystemDirectoryHandle } from '../../src/file-system/index.ts';
import { openBucket, openDescriptors, openFileSystem, outcome, until } from './support.ts';

// Thousands of operations that overlap, on one small tree, from one realm. The journal of changes is the order that has
// to explain everything: replayed on a model it must give the tree that is on the disk, and what each operation
// answered must be true of the model at some moment between its call and its answer.

/** Paths to 'directory', or to the number of the change that gave a file its content. */
type Model = ReadonlyMap<string, 'directory' | number>;

const pathOf = (locator: Locator): string => locator.join('/');

function moveAll(before: Model, source: string, target: string): Model {
  const after = new Map<string, 'directory' | number>();
  for (const [path, entry] of before) if (!isAtOrBelow(path, source) && !isAtOrBelow(path, target)) after.set(path, entry);
  for (const [path, entry] of before) if (isAtOrBelow(path, source)) after.set(target + path.slice(source.length), entry);
  return after;
}

function isAtOrBelow(path: string, outer: string): boolean {
  return path === outer || path.startsWith(`${outer}/`);
}

function apply(before: Model, change: FileChange, index: number): Model {
  const source = pathOf(change.source);
  const after = new Map(before);
  switch (change.operation) {
    case 'create':
      return after.set(source, change.kind === 'file' ? index : 'directory');
    case 'modify':
      return after.set(source, index);
    case 'remove':
      return new Map([...before].filter(([path]) => !isAtOrBelow(path, source)));
    case 'move':
      return source === pathOf(change.target ?? []) ? before : moveAll(before, source, pathOf(change.target ?? []));
    case 'empty':
      return new Map();
    case 'hold':
      return before;
  }
}

/** A generator of numbers below `limit`, the same for the same seed. */
function random(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}

interface Span {
  readonly from: number;
  readonly to: number;
}

interface Place extends Span {
  readonly path: string;
}

/** Everything that is known of one run. */
class History {
  readonly models: Model[] = [new Map()];
  readonly changes: FileChange[] = [];
  /** When a handle may have held a lock on a file. */
  readonly locks: Place[] = [];
  readonly closes: (Place & { readonly content: string })[] = [];
  readonly problems: string[] = [];

  get now(): number {
    return this.changes.length;
  }

  record(change: FileChange): void {
    this.models.push(apply(this.models.at(-1) ?? new Map(), change, this.changes.length));
    this.changes.push(change);
  }

  /** Whether something was true at some moment of a span. */
  held(span: Span, condition: (model: Model) => boolean): boolean {
    return this.models.slice(span.from, span.to + 1).some(condition);
  }

  changed(span: Span, condition: (change: FileChange) => boolean): boolean {
    return this.changes.slice(span.from, span.to).some(condition);
  }

  require(isExplained: boolean, what: string): void {
    if (!isExplained) this.problems.push(what);
  }
}

interface Answer extends Span {
  readonly name: string;
}

const names = ['a', 'b', 'c'];
const directories: Locator[] = [[], ['d'], ['e'], ['d', 'd']];

/** The actors and the operations they do. */
class Run {
  readonly history = new History();
  readonly #system: FileSystem;
  readonly #pick: (limit: number) => number;
  #tokens = 0;

  constructor(system: FileSystem, seed: number) {
    this.#system = system;
    this.#pick = random(seed);
    system.changes.add({
      changed: (change) => this.history.record(change),
      missed: () => this.history.problems.push('missed changes'),
      ended: () => {},
    });
  }

  #one<T>(items: readonly T[]): T {
    const item = items[this.#pick(items.length)];
    if (item === undefined) throw new Error('nothing to pick from');
    return item;
  }

  #directory(locator: Locator): FileSystemDirectoryHandle {
    return createDirectoryHandle(this.#system, locator);
  }

  #somewhere(): Locator {
    return [...this.#one(directories), this.#one([...names, 'd', 'e'])];
  }

  async #answer(promise: Promise<unknown>): Promise<Answer> {
    const from = this.history.now;
    const name = await outcome(promise);
    return { from, name, to: this.history.now };
  }

  /** Starts a random operation and checks its answer when it comes. */
  step(): Promise<void> {
    const steps = [
      () => this.#get(),
      () => this.#get(),
      () => this.#remove(),
      () => this.#move(),
      () => this.#write(),
      () => this.#write(),
      () => this.#read(),
      () => this.#synchronous(),
      () => this.#iterate(),
    ];
    return this.#one(steps)();
  }

  async #get(): Promise<void> {
    const locator = this.#somewhere();
    const [parent, path] = [locator.slice(0, -1), pathOf(locator)];
    const create = this.#pick(3) > 0;
    const isFile = names.includes(locator.at(-1) ?? '');
    const directory = this.#directory(parent);
    const name = locator.at(-1) ?? '';
    const asked = isFile ? directory.getFileHandle(name, { create }) : directory.getDirectoryHandle(name, { create });
    const answer = await this.#answer(asked);
    const isThere = (model: Model): boolean => model.has(path) && (model.get(path) !== 'directory') === isFile;
    const isMissing = (model: Model): boolean =>
      create ? parent.length > 0 && model.get(pathOf(parent)) !== 'directory' : !model.has(path);
    this.#explain(answer, `get ${path}`, {
      fulfilled: () => this.history.held(answer, isThere),
      NotFoundError: () => this.history.held(answer, isMissing),
      TypeMismatchError: () => this.history.held(answer, (model) => model.has(path) && !isThere(model)),
    });
  }

  async #remove(): Promise<void> {
    const locator = this.#somewhere();
    const path = pathOf(locator);
    const recursive = this.#pick(2) === 0;
    const answer = await this.#answer(this.#directory(locator.slice(0, -1)).removeEntry(locator.at(-1) ?? '', { recursive }));
    this.#displacements.push({ ...answer, path });
    this.#explain(answer, `remove ${path}`, {
      fulfilled: () =>
        this.history.changed(answer, (change) => change.operation === 'remove' && pathOf(change.source) === path),
      NotFoundError: () => this.history.held(answer, (model) => !model.has(path)),
      InvalidModificationError: () =>
        !recursive && this.history.held(answer, (model) => [...model.keys()].some((key) => key.startsWith(`${path}/`))),
      NoModificationAllowedError: () => this.#isLocked(answer, path),
    });
  }

  async #move(): Promise<void> {
    const source = this.#somewhere();
    const target = [...this.#one(directories), source.at(-1) === 'd' || source.at(-1) === 'e' ? this.#one(['d', 'e']) : this.#one(names)];
    const [from, to] = [pathOf(source), pathOf(target)];
    const isFile = names.includes(source.at(-1) ?? '');
    const handle = isFile ? createFileHandle(this.#system, source) : createDirectoryHandle(this.#system, source);
    const answer = await this.#answer(handle.move(this.#directory(target.slice(0, -1)), target.at(-1) ?? ''));
    const parent = pathOf(target.slice(0, -1));
    this.#displacements.push({ ...answer, path: from }, { ...answer, path: to });
    this.#explain(answer, `move ${from} to ${to}`, {
      fulfilled: () =>
        this.history.changed(answer, ({ operation, source: s, target: t }) => operation === 'move' && pathOf(s) === from && pathOf(t ?? []) === to) ||
        (from === to && this.history.held(answer, (model) => model.has(from))),
      NotFoundError: () =>
        this.history.held(answer, (model) => !model.has(from) || (parent !== '' && model.get(parent) !== 'directory')),
      InvalidModificationError: () =>
        (!isFile && isWithin(target, source)) || this.history.held(answer, (model) => model.get(to) === 'directory' || (model.has(to) && !isFile)),
      NoModificationAllowedError: () => this.#isLocked(answer, from) || this.#isLocked(answer, to),
    });
  }

  async #write(): Promise<void> {
    const locator = [...this.#one(directories), this.#one(names)];
    const path = pathOf(locator);
    const from = this.history.now;
    const token = `${(this.#tokens += 1)};`;
    // Large enough for other threads to write it, in two pieces, sometimes.
    const half = token.repeat(this.#pick(4) === 0 ? 40_000 : 100);
    const file = createFileHandle(this.#system, locator);
    const mode = this.#pick(3) === 0 ? 'exclusive' : 'siloed';
    const opening = file.createWritable({ mode, keepExistingData: this.#pick(2) === 0 });
    const answer = await this.#answer(opening);
    if (answer.name !== 'fulfilled') {
      this.#explainOpen(answer, path);
      return;
    }
    const writable = await opening;
    // Not awaited: the order of calls is enough. An abort rejects what it overtakes.
    const writes = [writable.truncate(0), writable.write(half), writable.write(half)].map(outcome);
    const isAborted = this.#pick(4) === 0;
    const ended = await outcome(isAborted ? writable.abort() : writable.close());
    this.history.require(ended === 'fulfilled', `ending a writable of ${path}: ${ended}`);
    if (!isAborted) this.history.require((await Promise.all(writes)).every((write) => write === 'fulfilled'), `a write of ${path}`);
    const to = this.history.now;
    this.history.locks.push({ path, from, to });
    if (!isAborted) this.history.closes.push({ path, content: half + half, from, to });
  }

  async #synchronous(): Promise<void> {
    const locator = [...this.#one(directories), this.#one(names)];
    const from = this.history.now;
    const mode = this.#one(['readwrite', 'read-only', 'readwrite-unsafe'] as const);
    const opening = createFileHandle(this.#system, locator).createSyncAccessHandle({ mode });
    const answer = await this.#answer(opening);
    if (answer.name === 'fulfilled') {
      const handle = await opening;
      handle.read(new Uint8Array(10));
      await new Promise((resolve) => setImmediate(resolve));
      handle.getSize();
      handle.close();
      this.history.locks.push({ path: pathOf(locator), from, to: this.history.now });
    } else {
      this.#explainOpen(answer, pathOf(locator));
    }
  }

  #explainOpen(answer: Answer, path: string): void {
    this.#explain(answer, `open ${path}`, {
      NotFoundError: () => this.history.held(answer, (model) => typeof model.get(path) !== 'number'),
      NoModificationAllowedError: () => this.#isLocked(answer, path) || this.#isDisplaced(answer, path),
    });
  }

  /** A file is read whole, as one close left it, or fails because it is changed meanwhile. */
  async #read(): Promise<void> {
    const locator = [...this.#one(directories), this.#one(names)];
    const path = pathOf(locator);
    let text = '';
    const read = async (): Promise<void> => void (text = await (await createFileHandle(this.#system, locator).getFile()).text());
    const answer = await this.#answer(read());
    const [token] = text.split(';', 1);
    this.#explain(answer, `read ${path}`, {
      fulfilled: () => text === `${token};`.repeat(text.length / (`${token}`.length + 1)) && [0, 200, 80_000].includes(text === '' ? 0 : text.split(';').length - 1),
      NotFoundError: () => this.history.held(answer, (model) => typeof model.get(path) !== 'number') || this.#isDisplaced(answer, path),
      NotReadableError: () => this.#isLocked(answer, path) || this.#isDisplaced(answer, path),
    });
  }

  async #iterate(): Promise<void> {
    const locator = this.#one(directories);
    const seen: string[] = [];
    const iterate = async (): Promise<void> => {
      for await (const name of this.#directory(locator).keys()) seen.push(name);
    };
    const answer = await this.#answer(iterate());
    const prefix = locator.length === 0 ? '' : `${pathOf(locator)}/`;
    this.#explain(answer, `iterate ${pathOf(locator)}`, {
      fulfilled: () =>
        new Set(seen).size === seen.length && seen.every((name) => this.history.held(answer, (model) => model.has(prefix + name))),
      NotFoundError: () => this.history.held(answer, (model) => model.get(pathOf(locator)) !== 'directory'),
    });
  }

  #explain(answer: Answer, what: string, reasons: Record<string, () => boolean>): void {
    const reason = reasons[answer.name];
    const judge = (): void => this.history.require(reason?.() === true, `${what}: ${answer.name} from ${answer.from} to ${answer.to}`);
    // What others did meanwhile is known when they have ended, so failures are judged later.
    if (answer.name === 'fulfilled') judge();
    else this.#later.push(judge);
  }

  readonly #later: (() => void)[] = [];

  /** Whether some handle may have held a lock at or below the path meanwhile. */
  #isLocked(answer: Answer, path: string, by: readonly Place[] = this.history.locks): boolean {
    const overlaps = (span: Span): boolean => span.from <= answer.to && answer.from <= span.to;
    return by.some((span) => overlaps(span) && (isAtOrBelow(span.path, path) || isAtOrBelow(path, span.path)));
  }

  #isDisplaced(answer: Answer, path: string): boolean {
    return this.#isLocked(answer, path, this.#displacements);
  }

  /** Moves and removals, also ones that fail, which keep files from being locked while they are under way. */
  readonly #displacements: Place[] = [];

  /** Judges what had to wait until all was known. */
  finish(): void {
    for (const judge of this.#later) judge();
  }
}

/** The tree as it is on the disk. */
async function treeOf(directory: FileSystemDirectoryHandle, prefix = ''): Promise<Map<string, string | null>> {
  const tree = new Map<string, string | null>();
  for await (const [name, handle] of directory.entries()) {
    tree.set(prefix + name, handle.kind === 'file' ? await (await handle.getFile()).text() : null);
    if (handle.kind === 'directory') for (const [path, content] of await treeOf(handle, `${prefix}${name}/`)) tree.set(path, content);
  }
  return tree;
}

function requireContents(history: History, tree: ReadonlyMap<string, string | null>): void {
  const model = history.models.at(-1) ?? new Map<string, never>();
  expect([...tree.keys()].sort()).toEqual([...model.keys()].sort());
  for (const [path, index] of model) {
    if (index === 'directory') continue;
    const change = history.changes[index];
    const possible = history.closes
      .filter((close) => change !== undefined && close.path === pathOf(change.source) && close.from <= index && index < close.to)
      .map((close) => close.content);
    if (change?.operation === 'create') possible.push('');
    expect(possible).toContain(tree.get(path));
  }
}

async function play(seed: number, steps: number, width: number): Promise<void> {
  const bucket = openBucket();
  const system = openFileSystem(bucket);
  const root = createRootHandle(system);
  await root.getDirectoryHandle('warm', { create: true });
  await root.removeEntry('warm');
  const descriptors = openDescriptors();
  const run = new Run(system, seed);
  const underWay = new Set<Promise<void>>();
  for (let count = 0; count < steps; count += 1) {
    const step: Promise<void> = run.step().finally(() => underWay.delete(step));
    underWay.add(step);
    if (underWay.size >= width) await Promise.race(underWay);
  }
  await Promise.all(underWay);
  run.finish();
  expect(run.history.problems).toEqual([]);
  requireContents(run.history, await treeOf(root));
  await until(() => openDescriptors() <= descriptors);
  expect(fs.readdirSync(`${bucket.place.path}/swap`, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual([]);
}

describe('operations that overlap end in a state that some order of them explains', () => {
  const seeds = Array.from({ length: Number(process.env['SEEDS'] ?? 6) }, (_, index) => index + Number(process.env['SEED'] ?? 1));

  test.each(seeds)('seed %i: a few at a time', (seed) => play(seed, 1000, 8));

  test.each(seeds)('seed %i: hundreds at a time', (seed) => play(seed * 7919, 1500, 300));

  test('thousands at once', () => play(4242, 3000, 3000));
});

test('thousands of files made, filled and read at once, nothing awaited in between', async () => {
  const root = createRootHandle(openFileSystem());
  const before = openDescriptors();
  const files = Array.from({ length: 2000 }, (_, index) => root.getFileHandle(`f${index}`, { create: true }));
  await Promise.all(
    files.map(async (made, index) => {
      const writable = await (await made).createWritable();
      void writable.write(`${index}`);
      await writable.close();
    }),
  );
  const texts = await Promise.all(files.map(async (made) => (await (await made).getFile()).text()));
  expect(texts).toEqual(files.map((_, index) => `${index}`));
  await until(() => openDescriptors() <= before);
});
