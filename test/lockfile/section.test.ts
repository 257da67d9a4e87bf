import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import '../../src/disk/journal/lockfile-provided.ts';
import { lockfileSection } from '../../src/disk/journal/lockfile.ts';

vi.mock('../../src/runtime/timers.ts', async (original) => ({ ...(await original<object>()), uptime: () => elapsed }));

let parent: string;
let lock: string;
/** Milliseconds that all waiting has taken. */
let elapsed: number;
/** What others do meanwhile. */
let meanwhile: (elapsed: number) => void;

beforeEach(() => {
  parent = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-lockfile-'));
  fs.mkdirSync(path.join(parent, 'journal'));
  lock = path.join(parent, 'journal.lock');
  elapsed = 0;
  meanwhile = () => {};
  vi.spyOn(Atomics, 'wait').mockImplementation((...[, , , pause = 0]: unknown[]) => {
    elapsed += Number(pause);
    meanwhile(elapsed);
    return 'timed-out';
  });
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(parent, { recursive: true, force: true });
});

function run<T>(section: () => T): T {
  const { exclusively } = lockfileSection(path.join(parent, 'journal'), 'lockfile');
  if (exclusively === undefined) throw new Error('there is no section');
  return exclusively(section);
}

function codeOf(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    return (error as { code?: unknown }).code;
  }
}

/** What nobody but a new holder does: the lock is another directory than before. */
function changeHolder(): void {
  fs.rmdirSync(lock);
  fs.mkdirSync(lock);
}

it('exists only where it was asked for', () => {
  expect(lockfileSection(parent, undefined)).toEqual({});
});

describe('a section', () => {
  it('holds the lock while it runs, for its owner only, and gives its result', () => {
    expect(run(() => (fs.statSync(lock).mode & 0o777).toString(8))).toBe('700');
    expect(fs.existsSync(lock)).toBe(false);
  });

  it('passes its error on and releases the lock', () => {
    expect(() => run(() => { throw new RangeError('mine'); })).toThrow(new RangeError('mine'));
    expect(fs.readdirSync(parent)).toEqual(['journal']);
  });

  it('waits until another gives the lock back', () => {
    fs.mkdirSync(lock);
    meanwhile = (time) => {
      if (time > 500 && fs.existsSync(lock)) fs.rmdirSync(lock);
    };
    expect(run(() => elapsed)).toBeGreaterThan(500);
    expect(elapsed).toBeLessThan(1000);
  });

  it('removes a lock that was left behind, once it has seen it unchanged for ten seconds, however old it looks', () => {
    fs.mkdirSync(lock);
    fs.utimesSync(lock, 0, 0);
    expect(run(() => elapsed)).toBeGreaterThan(10_000);
    expect(elapsed).toBeLessThan(11_000);
    expect(fs.readdirSync(parent)).toEqual(['journal']);
  });

  it('never removes the lock of those who hold it in turn, and gives up with an error in the end', () => {
    fs.mkdirSync(lock);
    let changes = 0;
    meanwhile = (time) => {
      if (time < 4000 * (changes + 1)) return;
      changes++;
      changeHolder();
    };
    expect(codeOf(() => run(() => 'ran'))).toBe('disk-failed');
    expect(changes).toBeGreaterThan(5);
    expect(fs.existsSync(lock)).toBe(true);
  });

  it('leaves it to others who are removing the lock already', () => {
    fs.mkdirSync(lock);
    fs.mkdirSync(`${lock}.lock`);
    expect(codeOf(() => run(() => 'ran'))).toBe('disk-failed');
    expect(fs.existsSync(lock)).toBe(true);
  });

  it('that was taken for dead says that the outcome is unknown, and leaves its successor the lock', () => {
    expect(codeOf(() => run(changeHolder))).toBe('disk-failed');
    expect(fs.existsSync(lock)).toBe(true);
    fs.rmdirSync(lock);
    expect(codeOf(() => run(() => fs.rmdirSync(lock)))).toBe('disk-failed');
    expect(run(() => 'next')).toBe('next');
  });

  it('is an error of the disk where the lock cannot be made', () => {
    vi.spyOn(fs, 'mkdirSync').mockImplementation(() => {
      throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS' });
    });
    expect(codeOf(() => run(() => 'ran'))).toBe('root-read-only');
  });
});
