import fs from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeFrame, FRAME_OVERHEAD } from '../../src/disk/journal/frame.ts';
import { encodeFileHeader } from '../../src/disk/journal/generation-file.ts';
import { Dedupe } from '../../src/disk/journal/dedupe.ts';
import { encodeEnd, encodeSeal } from '../../src/disk/journal/journal-records.ts';
import { Magic } from '../../src/disk/journal/magic.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { cipherOf, Journal, keyId } from './support/journal.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';

const magic = Magic.random();

function frame(kind: number, session: number, sequence: number, payload: Uint8Array): Uint8Array {
  const plain = { kind, session, sequence, payload };
  const record = cipherOf(keyId, magic, '')?.seal(plain) ?? plain;
  const out = new Uint8Array(FRAME_OVERHEAD + record.payload.length);
  encodeFrame(out, 0, magic, record);
  return out;
}

/** A header that is valid in itself and promises `length` bytes. */
function promise(length: number): Uint8Array {
  const out = frame(1, 9, 9, new Uint8Array(0)).slice(0, 44);
  const view = new DataView(out.buffer);
  view.setUint32(16, length, true);
  view.setUint32(40, crc32(out, 16, 40), true);
  return out;
}

function end(generation = 0): Uint8Array {
  return frame(201, 0, 0, encodeEnd({ generation, records: 0, covers: 0, count: 0, dedupe: new Dedupe() }));
}

const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const piece = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.constant(magic.bytes),
  fc.constant(end()),
  u32.map(promise),
  fc.tuple(fc.nat(255), fc.maxSafeNat(), u32, fc.uint8Array({ maxLength: 60 })).map((parts) => frame(...parts)),
  fc.tuple(fc.nat(2000), fc.maxSafeNat()).map(([after, resume]) => frame(200, 0, 0, encodeSeal({ after, resume, successor: magic }))),
);
const cut = fc.tuple(piece, fc.nat(100)).map(([whole, length]) => whole.subarray(0, length));
const content = fc.array(fc.oneof(piece, cut), { maxLength: 12 }).map((pieces) => Buffer.concat(pieces));

/** Uses a journal whose generation 0 holds `file`; anything but success or a HoldfastError fails the test. */
function use(directory: string, file: Uint8Array): void {
  fs.writeFileSync(join(directory, '0'), file);
  const journal = new Journal(directory, new Ledger());
  for (const action of [() => journal.catchUp(), () => journal.append(1, 5, 1, bytes('new')), () => journal.compact()]) {
    try {
      action();
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
    }
  }
  journal.close();
  for (const name of fs.readdirSync(directory)) if (name !== 'cand') fs.unlinkSync(join(directory, name));
}

function emptyPlace(): string {
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory);
  return directory;
}

test('bytes of any kind in place of a journal are read, or refused by a HoldfastError', () => {
  const directory = emptyPlace();
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (file) => use(directory, file)), { numRuns: 300 });
  fc.assert(fc.property(content, (file) => use(directory, Buffer.concat([encodeFileHeader(magic, keyId), file]))), { numRuns: 500 });
});

test('bytes of any kind behind a good snapshot are read, or refused by a HoldfastError', () => {
  const directory = emptyPlace();
  const start = Buffer.concat([encodeFileHeader(magic, keyId), end()]);
  fc.assert(fc.property(content, (file) => use(directory, Buffer.concat([start, file]))), { numRuns: 1500 });
});

test('a length that promises more than there is costs no memory', () => {
  const directory = emptyPlace();
  const start = Buffer.concat([encodeFileHeader(magic, keyId), end()]);
  const before = process.memoryUsage().arrayBuffers;
  let highest = 0;
  for (const length of [2 ** 32 - 1, 2 ** 31, 2 ** 28 + 1, 2 ** 28, 2 ** 28 - 1]) {
    fs.writeFileSync(join(directory, '0'), Buffer.concat([start, promise(length), new Uint8Array(1000)]));
    const journal = new Journal(directory, new Ledger());
    journal.catchUp();
    journal.catchUp();
    highest = Math.max(highest, process.memoryUsage().arrayBuffers);
    expect(journal.append(1, 5, 1, bytes('new'))).toBe(0);
    expect(journal.damage).toBe(1);
  }
  expect(highest - before).toBeLessThan(16 * 2 ** 20);
});

test('a file full of promises is read in a time that grows with its size, not with its square', () => {
  const directory = emptyPlace();
  const start = Buffer.concat([encodeFileHeader(magic, keyId), end()]);
  const many = 40_000;
  // Each claims all the rest of the file, and is complete, so that a careless reader checks it to its end.
  const promises = Array.from({ length: many }, (_, index) => promise(Math.max(0, (many - index) * 44 - FRAME_OVERHEAD)));
  fs.writeFileSync(join(directory, '0'), Buffer.concat([start, ...promises, frame(1, 7, 1, bytes('the only record'))]));
  const journal = new Journal(directory, new Ledger());
  const began = process.cpuUsage();
  journal.catchUp();
  const { user } = process.cpuUsage(began);
  expect([journal.count, journal.damage]).toEqual([1, 1]);
  // Checking every claim would read 35 GB, most of a minute; a single pass takes some milliseconds.
  expect(user / 1e6).toBeLessThan(5);
});
