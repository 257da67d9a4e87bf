import { createCipheriv, randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { AesSiv, SIV_BYTES } from '../../src/disk/encryption/aes-siv.ts';
import { Cmac, paddedLength } from '../../src/disk/encryption/cmac.ts';
import { knownAnswers, requireKnownAnswers } from '../../src/disk/encryption/self-test.ts';

describe('the known answer of', () => {
  for (const { name, expected, compute } of knownAnswers) {
    test(name, () => {
      expect(Buffer.from(compute()).toString('hex')).toBe(expected);
    });
  }
});

test('the self-test passes on this runtime', () => {
  expect(requireKnownAnswers).not.toThrow();
});

const EDGES = [0, 1, 15, 16, 17, 31, 32, 33, 100, 255, 256, 4079, 4095, 4096, 4097, 65_519, 65_520, 65_536, 65_537, 200_001];

/** CMAC as its standard tells it, from a new cipher object. */
function plainCmac(key: Buffer, message: Buffer): Buffer {
  const block = (bytes: Buffer): Buffer => createCipheriv('aes-256-ecb', key, null).setAutoPadding(false).update(bytes);
  const doubled = (bytes: Buffer): Buffer => {
    const value = BigInt(`0x${bytes.toString('hex')}`) << 1n;
    const reduced = value >> 128n === 1n ? (value ^ 0x87n) & ((1n << 128n) - 1n) : value;
    return Buffer.from(reduced.toString(16).padStart(32, '0'), 'hex');
  };
  const first = doubled(block(Buffer.alloc(16)));
  const isWhole = message.length > 0 && message.length % 16 === 0;
  const padded = isWhole ? Buffer.from(message) : Buffer.concat([message, Buffer.of(0x80), Buffer.alloc((31 - (message.length % 16)) % 16)]);
  const subkey = isWhole ? first : doubled(first);
  for (let index = 0; index < 16; index++) padded[padded.length - 16 + index] = (padded.at(index - 16) ?? 0) ^ (subkey[index] ?? 0);
  return createCipheriv('aes-256-cbc', key, Buffer.alloc(16)).setAutoPadding(false).update(padded).subarray(-16);
}

test('a code is that of its message alone, whatever the object has done before', () => {
  const key = randomBytes(32);
  const cmac = new Cmac(key);
  for (const length of [...EDGES, ...EDGES]) {
    const message = randomBytes(length);
    const room = new Uint8Array(paddedLength(length)).fill(0xee);
    room.set(message);
    expect(Buffer.from(cmac.of(room, length)).equals(plainCmac(key, message)), `${length} bytes`).toBe(true);
  }
});

test('what is sealed opens again, whatever its length, and only with its associated data', () => {
  const cipher = new AesSiv(randomBytes(64));
  for (const length of EDGES) {
    const plain = randomBytes(length);
    const associated = [randomBytes(length % 40), randomBytes(3)];
    const sealed = new Uint8Array(length + SIV_BYTES + 2);
    cipher.seal(plain, sealed, 1, associated);
    const out = new Uint8Array(length);
    expect(cipher.open(sealed.subarray(1, -1), out, associated) && plain.equals(out), `${length} bytes`).toBe(true);
    expect(cipher.open(sealed.subarray(1, -1), out, [...associated].reverse())).toBe(false);
    expect(cipher.open(sealed.subarray(1, -1), out)).toBe(false);
    expect(out.every((byte) => byte === 0)).toBe(true);
  }
});

test('the short and the long way of encrypting are one', () => {
  const key = randomBytes(64);
  const sealed = new Uint8Array(9000 + SIV_BYTES);
  new AesSiv(key).seal(randomBytes(9000), sealed, 0);
  const counter = Buffer.from(sealed.subarray(0, 16));
  counter[8] = (counter[8] ?? 0) & 0x7f;
  counter[12] = (counter[12] ?? 0) & 0x7f;
  const stream = createCipheriv('aes-256-ctr', key.subarray(32), counter).update(Buffer.alloc(9000));
  const plain = Uint8Array.from(sealed.subarray(16), (byte, index) => byte ^ (stream[index] ?? 0));
  const again = new Uint8Array(4096 + SIV_BYTES);
  new AesSiv(key).seal(plain.subarray(0, 4096), again, 0);
  const opened = new Uint8Array(4096);
  expect(new AesSiv(key).open(again, opened)).toBe(true);
  expect(Buffer.from(opened).equals(plain.subarray(0, 4096))).toBe(true);
  expect(new AesSiv(key).open(sealed, new Uint8Array(9000))).toBe(true);
});

test('every bit of what is sealed counts', () => {
  const cipher = new AesSiv(randomBytes(64));
  const sealed = new Uint8Array(40 + SIV_BYTES);
  cipher.seal(randomBytes(40), sealed, 0);
  for (let bit = 0; bit < sealed.length * 8; bit++) {
    const changed = Uint8Array.from(sealed);
    changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(cipher.open(changed, new Uint8Array(40)), `bit ${bit}`).toBe(false);
  }
});
