import fs from 'node:fs';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { gridOf, HEADER_BYTES, IN_PLACE, WHOLE } from '../../../src/disk/encryption/files/grid.ts';
import type { Content } from '../../../src/disk/tree/content.ts';
import { keysOf, readAll, sample, TestFile, writeAll } from './support.ts';

/** Where a file has the id of its key; docs/FORMAT.md. */
const KEY = 8;

let file: TestFile;
beforeEach(() => void (file = new TestFile()));
afterEach(() => file.remove());

/** What the content is to be: bytes in memory. */
class Model {
  bytes = Buffer.alloc(0);

  write(bytes: Uint8Array, position: number): void {
    if (bytes.byteLength === 0) return;
    this.truncate(Math.max(this.bytes.length, position + bytes.byteLength));
    this.bytes.set(bytes, position);
  }

  truncate(size: number): void {
    this.bytes = Buffer.concat([this.bytes.subarray(0, size), Buffer.alloc(Math.max(0, size - this.bytes.length))]);
  }
}

type Step = { readonly kind: 'write' | 'truncate' | 'read' | 'reopen'; readonly at: number; readonly length: number };

/** Near the ends of blocks of either size, where mistakes are. */
const positions = fc.oneof(
  fc.nat(12_300),
  fc.constantFrom(0, 1, 3_999, 4_000, 4_001, 8_063, 8_064, 8_065, 12_128, 65_439, 65_440, 65_441, 130_944),
  fc.nat(140_000),
);

const steps = fc.array(
  fc.record({
    kind: fc.constantFrom('write', 'write', 'write', 'truncate', 'read', 'reopen'),
    at: positions,
    length: fc.oneof(fc.nat(100), fc.nat(9_000), fc.constantFrom(4_000, 4_064, 4_096, 65_440, 65_504, 65_536)),
  }),
  { minLength: 1, maxLength: 14 },
) as fc.Arbitrary<Step[]>;

function play(list: readonly Step[], open: () => Content, mayReopen: boolean): void {
  const model = new Model();
  let content = open();
  for (const [index, { kind, at, length }] of list.entries()) {
    if (kind === 'write') {
      const bytes = sample(length, index + 1);
      writeAll(content, bytes, at);
      model.write(bytes, at);
    } else if (kind === 'truncate') {
      content.truncate(at);
      model.truncate(at);
    } else if (kind === 'reopen' && mayReopen) {
      content = open();
    } else {
      const into = Buffer.alloc(length);
      const count = content.read(into, at);
      expect(into.subarray(0, count).equals(model.bytes.subarray(at, at + length))).toBe(true);
    }
    expect(content.size()).toBe(model.bytes.length);
  }
  expect(readAll(content).equals(model.bytes)).toBe(true);
  content.finish();
  expect(readAll(file.open('beside-writers')).equals(model.bytes)).toBe(true);
}

describe('any order of writes, cuts and reads leaves the bytes that a plain file would have', () => {
  test.each(['alone', 'shared'] as const)('%s, in place', (use) => {
    fc.assert(
      fc.property(steps, (list) => {
        fs.rmSync(file.path, { force: true });
        play(list, () => file.open(use), true);
      }),
      { numRuns: 40 },
    );
  });

  test.each(['in-place', 'whole'] as const)('a draft, to be %s', (form) => {
    fc.assert(
      fc.property(steps, (list) => {
        fs.rmSync(file.path, { force: true });
        play(list, () => file.draft(form), false);
      }),
      { numRuns: 40 },
    );
  });
});

describe('a file that is read in order', () => {
  const size = 40 * 4_096;
  const piece = Buffer.alloc(4_096);

  /** How many system calls it takes to read pieces from the beginning on. */
  function reads(content: Content, pieces: number): number {
    const read = vi.spyOn(fs, 'readSync');
    try {
      for (let index = 0; index < pieces; index += 1) content.read(piece, index * 4_096);
      return read.mock.calls.length;
    } finally {
      read.mockRestore();
    }
  }

  test('needs few system calls, where nobody else writes to it', () => {
    writeAll(file.open(), sample(size));
    const content = file.open();
    content.size();
    expect(reads(content, 40)).toBeLessThan(10);
  });

  test('is asked for its size once, where nobody else writes to it, whatever is written to it', () => {
    const content = file.open();
    writeAll(content, sample(size));
    const ask = vi.spyOn(fs, 'fstatSync');
    try {
      for (let index = 1; index <= 20; index += 1) {
        writeAll(content, sample(100, index), size + 100 * index);
        expect(content.size()).toBe(size + 100 * (index + 1));
      }
      expect(ask.mock.calls.length).toBeLessThan(3);
    } finally {
      ask.mockRestore();
    }
    content.truncate(500);
    expect([content.size(), file.open().size()]).toEqual([500, 500]);
  });

  test.each(['shared', 'beside-writers'] as const)('is read again where others may write to it: %s', (use) => {
    writeAll(file.open('shared'), sample(size));
    const content = file.open(use);
    expect(reads(content, 8)).toBeGreaterThanOrEqual(8);
    const other = sample(size, 2);
    writeAll(file.open('shared'), other);
    content.read(piece, 8 * 4_096);
    expect(piece.equals(other.subarray(8 * 4_096, 9 * 4_096))).toBe(true);
  });

  test.each([
    ['a write', (content: Content, model: Model) => (writeAll(content, sample(9_000, 3), 42_000), model.write(sample(9_000, 3), 42_000))],
    ['a cut', (content: Content, model: Model) => (content.truncate(45_000), model.truncate(45_000))],
    ['a cut, after which it grows', (content: Content, model: Model) => [45_000, size].forEach((length) => (content.truncate(length), model.truncate(length)))],
  ])('has nothing from before %s of its own', (_, change) => {
    const model = new Model();
    model.write(sample(size), 0);
    writeAll(file.open(), model.bytes);
    const content = file.open();
    reads(content, 10);
    change(content, model);
    for (let at = 10 * 4_096; at < size; at += 4_096) {
      const count = content.read(piece, at);
      expect(piece.subarray(0, count).equals(model.bytes.subarray(at, at + 4_096))).toBe(true);
    }
  });
});

describe('a file that nobody else writes to', () => {
  /** How many system calls read the file meanwhile; those for random bytes have no position. */
  function reads(work: () => void): number {
    const read = vi.spyOn(fs, 'readSync');
    try {
      work();
      return (read.mock.calls as unknown[][]).filter((call) => typeof call[4] === 'number').length;
    } finally {
      read.mockRestore();
    }
  }

  test('is written on, and cut, without being read', () => {
    const content = file.open();
    writeAll(content, sample(9_000));
    const appended = Buffer.concat(Array.from({ length: 20 }, (_, index) => sample(4, index)));
    expect(reads(() => Array.from({ length: 20 }, (_, index) => writeAll(content, sample(4, index), 9_000 + 4 * index)))).toBe(0);
    expect(readAll(file.open()).equals(Buffer.concat([sample(9_000), appended]))).toBe(true);
    expect(reads(() => (content.truncate(9_004), writeAll(content, sample(50, 2), 9_004), writeAll(content, sample(50, 3), 10)))).toBeLessThan(2);
    expect(readAll(file.open()).subarray(9_000).equals(Buffer.concat([sample(4, 0), sample(50, 2)]))).toBe(true);
  });

  test('is read with one system call where what is wanted goes beyond its end', () => {
    writeAll(file.open(), sample(9_000));
    const content = file.open();
    content.size();
    expect(reads(() => content.read(Buffer.alloc(20_000), 0))).toBe(1);
  });

  test('reads as it was after a write of which nothing has come to the disk', () => {
    writeAll(file.open(), sample(20_000));
    const { raw } = file;
    raw[3 * 4_096 + 100] = (raw[3 * 4_096 + 100] ?? 0) ^ 1;
    file.raw = raw;
    const content = file.open();
    expect(() => content.write(sample(8_000, 2), 5_000)).toThrow(/EDAMAGED.*block 3\b/);
    const piece = Buffer.alloc(4_000);
    content.read(piece, 4_000);
    expect(piece.equals(sample(20_000).subarray(4_000, 8_000))).toBe(true);
  });
});

test.each([IN_PLACE, WHOLE])('sizes are arithmetic, blocks of 2^%i bytes', (log2) => {
  const grid = gridOf(log2);
  if (grid === null) throw new Error('no grid');
  fc.assert(
    fc.property(fc.oneof(fc.nat(300_000), fc.maxSafeNat().map((size) => Math.floor(size / 2))), (size) => {
      expect(grid.sizeOf(grid.stored(size))).toBe(size);
      const block = grid.blockAt(size);
      expect(grid.startOf(block)).toBeLessThanOrEqual(size);
      expect(size - grid.startOf(block)).toBeLessThan(grid.capacityOf(block));
      expect(grid.startOf(block + 1)).toBe(grid.startOf(block) + grid.capacityOf(block));
    }),
  );
  expect(grid.stored(0)).toBe(HEADER_BYTES);
  expect([0, 1, 63, 64, 65, 96].map((stored) => grid.sizeOf(stored))).toEqual([0, 0, 0, 0, 0, 0]);
});

describe('gaps', () => {
  test('a long one becomes a hole that takes no space, and reads as zeros', () => {
    const content = file.open();
    writeAll(content, sample(10));
    writeAll(content, sample(10, 2), 2 ** 33);
    expect(content.size()).toBe(2 ** 33 + 10);
    expect(fs.statSync(file.path).blocks * 512).toBeLessThan(64 * 1024);
    const into = Buffer.alloc(9_000, 1);
    expect(content.read(into, 5)).toBe(9_000);
    expect(into.equals(Buffer.concat([sample(10).subarray(5), Buffer.alloc(8_995)]))).toBe(true);
    const end = Buffer.alloc(20);
    expect(file.open('beside-writers').read(end, 2 ** 33 - 5)).toBe(15);
    expect(end.subarray(0, 15).equals(Buffer.concat([Buffer.alloc(5), sample(10, 2)]))).toBe(true);
  });

  test('an empty file can become as large as a plain one, and small again', () => {
    const content = file.open();
    content.truncate(2 ** 40 + 77);
    expect([content.size(), fs.statSync(file.path).blocks < 32]).toEqual([2 ** 40 + 77, true]);
    content.truncate(5_000);
    expect(readAll(content).equals(Buffer.alloc(5_000))).toBe(true);
    content.truncate(0);
    expect([content.size(), fs.statSync(file.path).size]).toEqual([0, HEADER_BYTES]);
  });

  test('blocks of zeros are no hole where the file has none', () => {
    writeAll(file.open(), sample(20_000));
    const raw = file.raw;
    raw.fill(0, 4_096, 8_192);
    file.raw = raw;
    expect(() => readAll(file.open())).toThrow(/EDAMAGED.*block 1\b/);
  });
});

test('a file that is opened beside others, and empty, gets the same header from each', () => {
  const one = file.open('shared');
  const other = file.open('shared');
  one.stored(1);
  other.stored(1);
  writeAll(one, sample(100));
  writeAll(other, sample(50, 2), 4_100);
  writeAll(one, sample(3), 9_000);
  writeAll(other, sample(3), 200_000);
  expect(readAll(one).subarray(0, 100).equals(sample(100))).toBe(true);
  expect(readAll(file.open('beside-writers')).subarray(4_100, 4_150).equals(sample(50, 2))).toBe(true);
  writeAll(one, sample(3), 1e7);
  expect(readAll(other).length).toBe(1e7 + 3);
});

test('and so it does where another key becomes the active one meanwhile: that of the oldest', () => {
  writeAll(file.open('shared', keysOf('a', 2)), sample(100));
  expect(file.raw.readUInt32LE(KEY)).toBe(1);
  file.raw = Buffer.alloc(0);
  writeAll(file.open('alone', keysOf('a', 2)), sample(100));
  expect(file.raw.readUInt32LE(KEY)).toBe(2);
});

test('a file that was written as a whole is not written to in place', () => {
  const draft = file.draft('whole');
  writeAll(draft, sample(100));
  draft.finish();
  const content = file.open();
  for (const change of [() => content.write(sample(1), 0), () => content.truncate(5), () => content.truncate(500)]) expect(change).toThrow(/EROFS/);
  expect(readAll(content).equals(sample(100))).toBe(true);
});

test('a write that the disk cuts short counts as far as blocks are whole, and leaves what can be read', () => {
  const { writeSync } = fs;
  const before = sample(5_000);
  for (const taken of [1, 63, 64, 70, 4_095, 4_096, 5_000, 8_192, 8_200, 12_288, 13_000]) {
    fs.rmSync(file.path, { force: true });
    const content = file.open();
    if (taken % 2 === 0) writeAll(content, before);
    const size = content.size();
    const bytes = sample(20_000, 2);
    let calls = 0;
    // What is put right afterwards needs no new space.
    fs.writeSync = ((descriptor: number, from: Uint8Array, offset: number, length: number, position: number) => {
      calls += 1;
      if (calls === 2) throw Object.assign(new Error('ENOSPC: injected'), { code: 'ENOSPC' });
      return writeSync(descriptor, from, offset, calls === 1 ? Math.min(taken, length) : length, position);
    }) as typeof fs.writeSync;
    let written = 0;
    try {
      written = content.write(bytes, 100);
    } catch (error) {
      expect((error as { code?: string }).code).toBe('ENOSPC');
    } finally {
      fs.writeSync = writeSync;
    }
    const now = readAll(file.open());
    expect(now.length).toBe(Math.max(size, written === 0 ? size : 100 + written));
    expect(written).toBeLessThanOrEqual(taken + 4_096);
    expect(now.subarray(100, 100 + written).equals(bytes.subarray(0, written))).toBe(true);
    expect(now.subarray(Math.min(now.length, 100 + written + 4_096)).equals(before.subarray(100 + written + 4_096, now.length))).toBe(true);
    expect(readAll(content).equals(now)).toBe(true);
  }
});

test('many small writes of a draft are encrypted once', () => {
  const draft = file.draft('whole');
  const before = fs.statSync(file.path).size;
  for (let at = 0; at < 60_000; at += 100) draft.write(sample(100, at + 1), at);
  expect(fs.statSync(file.path).size).toBe(before);
  draft.finish();
  expect(file.open().size()).toBe(60_000);
});

test("another origin's key, and a key that is not there, read nothing", () => {
  writeAll(file.open(), sample(100));
  expect(() => file.open('alone', keysOf('b')).size()).toThrow(/EDAMAGED.*its header/);
});
