import fs from 'node:fs';
import { join } from 'node:path';
import zlib from 'node:zlib';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { Dedupe, REMEMBERED_SESSIONS } from '../../src/disk/journal/dedupe.ts';
import { decodeFrame, encodeFrame, Frame, FRAME_OVERHEAD, HEADER_BYTES } from '../../src/disk/journal/frame.ts';
import { isMagic, Magic } from '../../src/disk/journal/magic.ts';
import { Journal } from './support/journal.ts';
import { describe, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';

const magic = new Magic(Uint8Array.from([1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 2]));

test('the checksum is the CRC-32 of zlib, in one piece or in several', () => {
  const property = fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(200), (bytes, cut) => {
    const at = Math.min(cut, bytes.length);
    const whole = zlib.crc32(bytes);
    expect(crc32(bytes, 0, bytes.length)).toBe(whole);
    expect(crc32(bytes, at, bytes.length, crc32(bytes, 0, at))).toBe(whole);
  });
  fc.assert(property);
  expect(crc32(new TextEncoder().encode('123456789'), 0, 9)).toBe(0xcbf43926);
});

test('a magic has no prefix that is also its suffix, and no zero', () => {
  expect(isMagic(Uint8Array.from([1, 2, 3]))).toBe(true);
  expect(isMagic(Uint8Array.from([1, 2, 1]))).toBe(false);
  expect(isMagic(Uint8Array.from([1, 2, 1, 2]))).toBe(false);
  expect(isMagic(Uint8Array.from([1, 0, 3]))).toBe(false);
  for (let round = 0; round < 100; round++) expect(isMagic(Magic.random().bytes)).toBe(true);
});

test('a frame that is cut short is never completed by the ones after it', () => {
  const frame = new Frame();
  let completed = 0;
  // Without its terminator, one frame in 256 would be completed when it lacks one byte.
  for (let round = 0; round < 3000; round++) {
    const random = Magic.random();
    const whole = new Uint8Array(FRAME_OVERHEAD + 8);
    encodeFrame(whole, 0, random, { kind: 1, session: 7, sequence: round + 1, payload: new Uint8Array(8).fill(round) });
    for (const missing of [1, 2, 4, 5, 6, 15, 16, 17, 40]) {
      const torn = whole.subarray(0, whole.length - missing);
      const bytes = Buffer.concat([torn, whole.subarray(0, 3), whole, whole]);
      // Whatever of the later ones is there already.
      for (let seen = torn.length; seen < bytes.length; seen += 23) {
        if (decodeFrame(bytes, 0, seen, random, frame) === 'whole') completed++;
      }
    }
  }
  expect(completed).toBe(0);
});

test('the search finds the first occurrence, and none that is cut off', () => {
  const few = fc.uint8Array({ min: 1, max: 2, maxLength: 120 });
  const property = fc.property(few, few, fc.boolean(), (before, after, present) => {
    const bytes = Buffer.concat([before, present ? magic.bytes : new Uint8Array(0), after]);
    for (let from = 0; from < 20; from++) expect(magic.find(bytes, from, bytes.length)).toBe(bytes.indexOf(magic.bytes, from));
    const first = bytes.indexOf(magic.bytes);
    if (first !== -1) expect(magic.find(bytes, 0, first + 15)).toBe(-1);
  });
  fc.assert(property);
});

test('a frame holds the magic at its start only, whatever its payload, and gives the payload back', () => {
  // Pieces of the magic, so that it arises inside the payload and across the seams to the header and the checksum.
  const pieces = fc.array(fc.constantFrom(magic.bytes, magic.bytes.subarray(0, 7), magic.bytes.subarray(7), Uint8Array.of(1)), { maxLength: 8 });
  const property = fc.property(pieces, fc.integer({ min: 1, max: 2 ** 32 - 1 }), (parts, sequence) => {
    const payload = Buffer.concat(parts);
    const out = new Uint8Array(FRAME_OVERHEAD + payload.length);
    const record = { kind: 3, session: 2 ** 53 - 1, sequence, payload };
    expect(encodeFrame(out, 0, magic, record)).toBe(out.length);
    expect(magic.find(out, 0, out.length)).toBe(0);
    expect(magic.find(out, 1, out.length)).toBe(-1);
    const frame = new Frame();
    expect(decodeFrame(out, 0, out.length, magic, frame)).toBe('whole');
    expect(describe(frame)).toBe(describe(record));
    expect(Buffer.compare(frame.payload, payload)).toBe(0);
  });
  fc.assert(property, { numRuns: 500 });
});

test('a value that holds whole records, of this very journal, forges none', () => {
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory);
  const [ledger, other] = [new Ledger(), new Ledger()];
  const journal = new Journal(directory, ledger);
  journal.append(1, 1, 1, new TextEncoder().encode('the model of a forgery'));
  const header = fs.readFileSync(journal.file).subarray(0, 36);
  const real = new Magic(Uint8Array.from(header.subarray(16, 32)));
  const forged = new Uint8Array(FRAME_OVERHEAD + 5);
  encodeFrame(forged, 0, real, { kind: 1, session: 66, sequence: 6, payload: new TextEncoder().encode('gotme') });
  for (let shift = 0; shift < 8; shift++) {
    const value = Buffer.concat([Buffer.alloc(shift), forged, forged.subarray(0, 20), forged, real.bytes]);
    journal.append(1, 1, 2 + shift, value);
  }
  // Even if the record that carries it is torn off in its header or anywhere else, nothing of it becomes a record.
  const path = journal.file;
  const whole = fs.readFileSync(path);
  for (let cut = whole.length - forged.length * 3; cut < whole.length; cut++) {
    fs.writeFileSync(path, Buffer.concat([whole.subarray(0, cut), new Uint8Array(HEADER_BYTES).fill(0xff)]));
    const entries = new Ledger();
    new Journal(directory, entries).catchUp();
    expect(entries.entries).toEqual(ledger.entries.slice(0, -1));
  }
  fs.writeFileSync(path, whole);
  new Journal(directory, other).catchUp();
  expect(other.entries).toEqual(ledger.entries);
  expect(other.entries).toHaveLength(9);
  expect(other.entries.join()).not.toContain('66/6');
});

test('the sessions that are remembered are the most recent ones in the order of the journal', () => {
  const dedupe = new Dedupe();
  for (let session = 1; session <= REMEMBERED_SESSIONS; session++) expect(dedupe.accept(session, 5)).toBe(true);
  expect(dedupe.accept(1, 5)).toBe(false);
  expect(dedupe.accept(1, 6)).toBe(true);
  expect(dedupe.accept(5000, 1)).toBe(true);
  // Session 2 was the one not heard of for longest.
  expect(dedupe.has(2, 5)).toBe(false);
  for (const [session, sequence] of [[1, 6], [3, 5], [REMEMBERED_SESSIONS, 5], [5000, 1]] as const) {
    expect(dedupe.has(session, sequence)).toBe(true);
    expect(dedupe.has(session, sequence + 1)).toBe(false);
  }
  const copy = Dedupe.decode(dedupe.encode());
  expect(copy.encode()).toEqual(dedupe.encode());
  for (const each of [dedupe, copy]) each.accept(5001, 1);
  expect(copy.encode()).toEqual(dedupe.encode());
  expect(copy.has(3, 5)).toBe(false);
});
