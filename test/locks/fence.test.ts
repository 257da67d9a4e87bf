import fs from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LockTable } from '../../src/disk/locks/table.ts';
import { temporaryBucket } from './bucket.ts';

// Fences after a lease has ended, at every system call: whoever makes one may be killed or overtaken in between.

const calls = [
  'renameSync', 'copyFileSync', 'mkdirSync', 'openSync', 'fsyncSync', 'readdirSync', 'statSync', 'lstatSync', 'writeSync', 'rmSync',
] as const;

class Killed extends Error {}

/** Runs `body`, and `before` each system call that a fence makes meanwhile, with the number of the call. */
async function watching<T>(before: (call: number, name: string) => void, body: () => Promise<T>): Promise<T> {
  const originals = calls.map((name) => [name, fs[name]] as const);
  let count = 0;
  let inside = false;
  const watch = (name: string): void => {
    if (inside || new Error().stack?.includes('locks/fence.ts') !== true) return;
    inside = true;
    try {
      before(count++, name);
    } finally {
      inside = false;
    }
  };
  for (const [name, original] of originals) {
    const watched = (...args: unknown[]): unknown => {
      watch(name);
      return Reflect.apply(original, fs, args);
    };
    Object.assign(fs, { [name]: watched });
  }
  try {
    return await body();
  } finally {
    Object.assign(fs, Object.fromEntries(originals));
  }
}

Error.stackTraceLimit = 50;

let bucket: ReturnType<typeof temporaryBucket>;
let tables: LockTable[];

beforeEach(() => {
  bucket = temporaryBucket();
  bucket.ensure();
  tables = [];
});

afterEach(async () => {
  await Promise.all(tables.map((table) => table.close()));
  bucket.remove();
});

function open(leaseMs: number): LockTable {
  const table = new LockTable(bucket, { leaseMs, probe: () => 'unknown' });
  tables.push(table);
  return table;
}

const entry = (...names: string[]): string => path.join(bucket.path, ...names);
const directories = (): string[] => fs.readdirSync(bucket.path).filter((name) => name.startsWith('files.'));

/** A realm that holds two files and has open descriptors of both, and whose lease nobody touches. */
async function holder(): Promise<{ table: LockTable; descriptors: number[] }> {
  fs.mkdirSync(entry('files.0', 'd'));
  for (const name of ['f', 'd/g']) fs.writeFileSync(entry('files.0', name), 'old');
  const table = open(1e9);
  await table.lockFile(['f'], 'exclusive');
  await table.lockFile(['d', 'g'], 'readwrite-unsafe');
  return { table, descriptors: ['f', 'd/g'].map((name) => fs.openSync(entry('files.0', name), 'r+')) };
}

async function untilGranted(attempt: () => Promise<unknown>): Promise<void> {
  while ((await attempt()) === null) await new Promise((resolve) => setTimeout(resolve, 2));
}

/** One attempt at a lock whose holder has to be fenced, by someone else. */
async function attempt(fencer: LockTable): Promise<void> {
  await untilGranted(() => fencer.lockFile(['f'], 'exclusive'));
}

/** Whatever old descriptors do now, the files are what the new holder made of them. */
function expectFenced(descriptors: readonly number[]): void {
  for (const descriptor of descriptors) {
    fs.writeSync(descriptor, 'bad', 0);
    fs.closeSync(descriptor);
  }
  const [files = '', ...others] = directories();
  expect(others).toEqual([]);
  expect(fs.readFileSync(entry(files, 'f'), 'utf8')).toBe('new');
  expect(fs.readFileSync(entry(files, 'd', 'g'), 'utf8')).toBe('old');
}

async function another(): Promise<void> {
  await Promise.all(tables.splice(0).map((table) => table.close()));
  bucket.remove();
  bucket = temporaryBucket();
  bucket.ensure();
}

describe('a fence', () => {
  it('gives every file that was held for writing a new inode', async () => {
    const { descriptors } = await holder();
    await attempt(open(20));
    for (const descriptor of descriptors) fs.writeSync(descriptor, 'bad', 0);
    for (const descriptor of descriptors) fs.closeSync(descriptor);
    expect(directories()).toEqual(['files.1']);
    expect(fs.readFileSync(entry('files.1', 'f'), 'utf8')).toBe('old');
    expect(fs.readFileSync(entry('files.1', 'd', 'g'), 'utf8')).toBe('old');
    expect(fs.readdirSync(entry('swap'))).toEqual([]);
  });

  it('moves the swap files of the session away', async () => {
    const { table } = await holder();
    fs.mkdirSync(entry('swap', table.folder));
    await attempt(open(20));
    expect(fs.existsSync(entry('swap', table.folder))).toBe(false);
  });

  it('leaves a file alone that others write to, until they have ended', async () => {
    await holder();
    const other = open(1e9);
    const shared = await other.lockFile(['d', 'g'], 'readwrite-unsafe');
    const inode = fs.statSync(entry('files.0', 'd', 'g')).ino;
    const fencer = open(20);
    await attempt(fencer);
    expect(fs.statSync(entry('files.1', 'd', 'g')).ino).toBe(inode);
    expect(await fencer.lockFile(['d', 'g'], 'exclusive')).toBeNull();
    expect(shared?.lost).toBe(false);
    shared?.release();
    expect(await fencer.lockFile(['d', 'g'], 'exclusive')).not.toBeNull();
    expect(fs.statSync(entry('files.2', 'd', 'g')).ino).not.toBe(inode);
  });

  it('is made by a reader that meets one unfinished', async () => {
    await holder();
    const kill = (): void => {
      if (!directories().includes('files.0')) throw new Killed();
    };
    await expect(watching(kill, () => attempt(open(20)))).rejects.toThrow(Killed);
    expect(open(1e9).epoch()).toBe(1);
    expect(directories()).toEqual(['files.1']);
  });

  it('can be finished by others when whoever makes it is killed before any of its system calls', async () => {
    let killed = true;
    for (let victim = 0; killed; victim++) {
      const { descriptors } = await holder();
      killed = false;
      const kill = (call: number): void => {
        if (call < victim) return;
        killed = true;
        throw new Killed();
      };
      const fencer = open(10);
      await watching(kill, () => attempt(fencer)).catch((error: unknown) => expect(error).toBeInstanceOf(Killed));
      await fencer.close();
      const finisher = open(10);
      await attempt(finisher);
      fs.writeFileSync(entry(`files.${finisher.epoch()}`, 'f'), 'new');
      expectFenced(descriptors);
      await another();
      if (!killed) expect(victim).toBeGreaterThan(20);
    }
  });

  it('changes nothing any more when whoever makes it is overtaken before any of its system calls', async () => {
    let overtaken = true;
    for (let victim = 0; overtaken; victim++) {
      const { descriptors } = await holder();
      overtaken = false;
      let granted = false;
      const finisher = open(10);
      const overtake = (call: number, name: string): void => {
        if (call !== victim) return;
        overtaken = true;
        // An append is one step; in this realm alone, what it is about to write is in a buffer that all journals share.
        if (name === 'writeSync') return;
        // Runs to its end at once: the session has expired already.
        void finisher.lockFile(['f'], 'exclusive');
        fs.writeFileSync(entry(`files.${finisher.epoch()}`, 'f'), 'new');
        granted = true;
      };
      const fencer = open(10);
      await watching(overtake, () => attemptUntil(fencer, () => overtaken));
      if (granted) expectFenced(descriptors);
      else for (const descriptor of descriptors) fs.closeSync(descriptor);
      await another();
      if (!overtaken) expect(victim).toBeGreaterThan(20);
    }
  });
});

/** Tries until it is granted, or until somebody else was. */
async function attemptUntil(fencer: LockTable, isOver: () => boolean): Promise<void> {
  while (!isOver() && (await fencer.lockFile(['f'], 'exclusive')) === null) await new Promise((resolve) => setTimeout(resolve, 2));
}
