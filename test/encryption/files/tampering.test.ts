import { createDecipheriv, createHmac, hkdfSync } from 'node:crypto';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FileCipher } from '../../../src/disk/encryption/files/file-cipher.ts';
import { keysOf, readAll, sample, TestFile, writeAll } from './support.ts';

let file: TestFile;
beforeEach(() => void (file = new TestFile()));
afterEach(() => file.remove());

/** Writes a file in place or as a whole. */
function write(bytes: Uint8Array, form: 'in-place' | 'whole', into = file): void {
  const content = form === 'in-place' ? into.open() : into.draft('whole');
  writeAll(content, bytes);
  content.finish();
}

/** How it reads now: its bytes, or the code of the error. */
function outcome(): Buffer | string {
  try {
    return readAll(file.open());
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** Whether bytes of the disk are a file that can be read, without a disk. */
function opens(raw: Buffer): boolean {
  const cipher = FileCipher.of(raw, keysOf());
  if (typeof cipher === 'string') return false;
  const { grid } = cipher;
  const blocks = Math.ceil(raw.length / grid.bytes);
  return [...Array(blocks).keys()].every((block) => cipher.open(block, raw.subarray(block * grid.bytes + grid.headOf(block), (block + 1) * grid.bytes)) !== null);
}

/** What FORMAT.md says, in a second reader: the content of a file without holes whose blocks are all as long as they can be. */
function decode(raw: Buffer): Buffer {
  expect(raw.subarray(0, 4).toString('hex')).toBe('ff486645');
  expect(raw.readUInt8(4)).toBe(1);
  const log2 = raw.readUInt8(5);
  const salt = raw.subarray(16, 40);
  const info = Buffer.concat(['holdfast', 'file blocks', String(log2)].flatMap((part) => [Buffer.from([part.length, 0, 0, 0]), Buffer.from(part)]));
  const keys = Buffer.from(hkdfSync('sha256', keysOf().fileKey(raw.readUInt32LE(8), salt), '', info, 64));
  const mac = createHmac('sha256', keys.subarray(32)).update(raw.subarray(0, 48)).digest().subarray(0, 16);
  expect(raw.subarray(48, 64).equals(mac)).toBe(true);
  const contents: Buffer[] = [];
  for (let block = 0; block * 2 ** log2 < raw.length; block += 1) {
    const sealed = raw.subarray(block * 2 ** log2 + (block === 0 ? 64 : 0), (block + 1) * 2 ** log2);
    const decipher = createDecipheriv('aes-256-gcm', keys.subarray(0, 32), sealed.subarray(0, 16), { authTagLength: 16 });
    const place = Buffer.alloc(8);
    place.writeBigUInt64LE(BigInt(block));
    decipher.setAAD(place).setAuthTag(sealed.subarray(-16));
    contents.push(decipher.update(sealed.subarray(16, -16)), decipher.final());
  }
  return Buffer.concat(contents);
}

describe.each(['in-place', 'whole'] as const)('a file that is written %s', (form) => {
  test('is what FORMAT.md says', () => {
    write(sample(150_000), form);
    const { raw } = file;
    expect(decode(raw).equals(sample(150_000))).toBe(true);
    expect(raw.length).toBe(150_000 + 64 + 32 * (form === 'whole' ? 3 : 37));
    expect(Number(raw.readBigUInt64LE(40))).toBe(form === 'whole' ? 150_000 : 0);
  });

  test('is not read once any byte of it is another', () => {
    write(sample(form === 'whole' ? 300 : 4_200), form);
    const { raw } = file;
    expect(opens(raw)).toBe(true);
    const accepted: number[] = [];
    for (let at = 0; at < raw.length; at += 1) {
      const changed = Buffer.from(raw);
      changed[at] = (changed[at] ?? 0) ^ (1 << (at % 8));
      if (opens(changed)) accepted.push(at);
    }
    // None: what stands there for later is authenticated too.
    expect(accepted).toEqual([]);
  });

  test('is not read with blocks swapped, replayed, or from another file', () => {
    const size = form === 'whole' ? 2 ** 16 : 2 ** 12;
    write(sample(3 * size, 1), form);
    const { raw } = file;
    const other = new TestFile();
    write(sample(3 * size, 2), form, other);
    const block = (from: Buffer, index: number): Buffer => from.subarray(index * size, (index + 1) * size);
    const rest = raw.subarray(3 * size);
    const variants = [
      [block(raw, 0), block(raw, 2), block(raw, 1), rest],
      [block(raw, 0), block(raw, 1), block(raw, 1), rest],
      [block(raw, 0), block(other.raw, 1), block(raw, 2), rest],
      [block(other.raw, 0), block(raw, 1), block(raw, 2), rest],
      [other.raw.subarray(0, 64), block(raw, 0).subarray(64), block(raw, 1), block(raw, 2), rest],
      [block(raw, 0), Buffer.alloc(size), block(raw, 2), rest],
    ];
    other.remove();
    for (const variant of variants) {
      file.raw = Buffer.concat(variant);
      expect(outcome()).toBe('EDAMAGED');
    }
    file.raw = raw;
    expect((outcome() as Buffer).equals(sample(3 * size))).toBe(true);
  });

  test('cut or made longer anywhere, gives nothing that it had not', () => {
    write(sample(13_000), form);
    const { raw } = file;
    for (const length of [...Array(90).keys(), 4_095, 4_096, 4_097, 4_130, 8_192, raw.length - 1, raw.length + 1, raw.length + 40, raw.length + 5_000]) {
      file.raw = Buffer.concat([raw, Buffer.alloc(5_000, 7)]).subarray(0, length);
      const read = outcome();
      // What is written in place can be cut where a block ends: nobody could tell it from a file that is shorter.
      if (typeof read === 'string') expect(read).toBe('EDAMAGED');
      else expect([form === 'in-place' || read.length === 0, read.equals(sample(13_000).subarray(0, read.length))]).toEqual([true, true]);
    }
  });
});

test('a file of plain bytes is none of ours, and one of a later version is left alone', () => {
  file.raw = Buffer.from('plain text, longer than a header would be: nothing of it is given as if it were encrypted');
  expect(() => file.open().size()).toThrow(/EDAMAGED.*not encrypted/);
  fs.rmSync(file.path);
  write(sample(100), 'in-place');
  const { raw } = file;
  raw[4] = 2;
  file.raw = raw;
  expect(() => file.open().size()).toThrow(/later version/);
  expect(() => file.open().write(sample(1), 0)).toThrow(/later version/);
  expect(file.raw.equals(raw)).toBe(true);
});

describe('whoever is killed while a file is cut', () => {
  /** The states of the disk between the system calls of `change`. */
  function states(change: () => void): Buffer[] {
    const seen: Buffer[] = [];
    const { writeSync, ftruncateSync } = fs;
    const seeing = <Call extends (...args: never[]) => unknown>(call: Call): Call =>
      ((...args: Parameters<Call>) => {
        seen.push(file.raw);
        return call(...args);
      }) as Call;
    Object.assign(fs, { writeSync: seeing(writeSync), ftruncateSync: seeing(ftruncateSync) });
    try {
      change();
    } finally {
      Object.assign(fs, { writeSync, ftruncateSync });
    }
    return seen;
  }

  test.each([
    [20_000, 9_000],
    [20_000, 19_999],
    [20_000, 19_800],
    [9_000, 8_900],
    [9_000, 8_745],
    [5_000, 4_500],
    [3_000, 1],
    [20_000, 8_064],
    [20_000, 0],
  ])('from %i to %i bytes leaves the old bytes, or what stays with zeros behind it', (before, after) => {
    write(sample(before), 'in-place');
    const content = file.open();
    const between = states(() => content.truncate(after));
    expect(readAll(file.open()).equals(sample(before).subarray(0, after))).toBe(true);
    for (const raw of between) {
      file.raw = raw;
      const read = readAll(file.open());
      expect(read.length).toBeLessThanOrEqual(before);
      if (raw !== between[0]) expect(read.length).toBeLessThan(after + 4_064);
      expect(read.subarray(0, after).equals(sample(before).subarray(0, after))).toBe(true);
      const rest = read.subarray(after);
      expect(rest.equals(sample(before).subarray(after, read.length)) || rest.every((byte) => byte === 0)).toBe(true);
    }
  });
});
