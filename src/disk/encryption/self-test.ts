import { Buffer } from 'node:buffer';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { AesSiv, SIV_BYTES } from './aes-siv.ts';
import { Cmac, paddedLength } from './cmac.ts';
import { hkdf, secretOf } from './derive.ts';
import { gcmOpen, gcmSeal } from './gcm.ts';

/** A primitive that is put together here, or that runtimes were seen to do in a way of their own, and what it must give. */
interface KnownAnswer {
  readonly name: string;
  readonly expected: string;
  readonly compute: () => Uint8Array;
}

function hex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits, 'hex'));
}

function cmac(key: string, message: string): Uint8Array {
  const bytes = hex(message);
  const padded = new Uint8Array(paddedLength(bytes.length));
  padded.set(bytes);
  const code = new Cmac(hex(key));
  // The second one meets a cipher object that has been used.
  code.of(Uint8Array.from(padded), bytes.length);
  return code.of(padded, bytes.length);
}

function siv(key: string, plain: string, ...associated: string[]): Uint8Array {
  const cipher = new AesSiv(hex(key));
  const bytes = hex(plain);
  const sealed = new Uint8Array(bytes.length + SIV_BYTES);
  const data = associated.map(hex);
  cipher.seal(bytes, sealed, 0, data);
  const opened = new Uint8Array(bytes.length);
  const isRight = cipher.open(sealed, opened, data) && opened.every((byte, index) => byte === bytes[index]);
  sealed[0] = (sealed[0] ?? 0) ^ 1;
  const isForged = cipher.open(sealed, opened, data);
  sealed[0] ^= 1;
  return isRight && !isForged ? sealed : new Uint8Array(0);
}

function gcm(iv: string): Uint8Array {
  const key = secretOf(hex('feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308'));
  const plain = hex('d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39');
  const associated = hex('feedfacedeadbeeffeedfacedeadbeefabaddad2');
  const sealed = gcmSeal(key, hex(iv), plain, associated);
  const opened = gcmOpen(key, hex(iv), sealed, associated);
  const isForged = gcmOpen(key, hex(iv), sealed, plain) !== null;
  return !isForged && opened?.equals(plain) === true ? sealed : new Uint8Array(0);
}

const MESSAGE = '6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710';

/** The vectors of the standards; of GCM with 16 bytes of IV there is none, and this is what OpenSSL and BoringSSL give. */
export const knownAnswers: readonly KnownAnswer[] = [
  ...[[0, 'bb1d6929e95937287fa37d129b756746'], [16, '070a16b46b4d4144f79bdd9dd04a287c'], [40, 'dfa66747de9ae63030ca32611497c827'], [64, '51f0bebf7e3b9d92fc49741779363cfe']].map(
    ([length, expected]) => ({
      name: `RFC 4493, ${length} bytes`,
      expected: String(expected),
      compute: () => cmac('2b7e151628aed2a6abf7158809cf4f3c', MESSAGE.slice(0, 2 * Number(length))),
    }),
  ),
  {
    name: 'SP 800-38B, AES-256, 40 bytes',
    expected: 'aaf3d8f1de5640c232f5b169b9c911e6',
    compute: () => cmac('603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4', MESSAGE.slice(0, 80)),
  },
  {
    name: 'RFC 5297, A.1',
    expected: '85632d07c6e8f37f950acd320a2ecc9340c02b9690c4dc04daef7f6afe5c',
    compute: () => siv('fffefdfcfbfaf9f8f7f6f5f4f3f2f1f0f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff', '112233445566778899aabbccddee', '101112131415161718191a1b1c1d1e1f2021222324252627'),
  },
  {
    name: 'RFC 5297, A.2',
    expected: '7bdb6e3b432667eb06f4d14bff2fbd0fcb900f2fddbe404326601965c889bf17dba77ceb094fa663b7a3f748ba8af829ea64ad544a272e9c485b62a3fd5c0d',
    compute: () =>
      siv(
        '7f7e7d7c7b7a79787776757473727170404142434445464748494a4b4c4d4e4f',
        '7468697320697320736f6d6520706c61696e7465787420746f20656e6372797074207573696e67205349562d414553',
        '00112233445566778899aabbccddeeffdeaddadadeaddadaffeeddccbbaa99887766554433221100',
        '102030405060708090a0',
        '09f911029d74e35bd84156c5635688c0',
      ),
  },
  {
    name: 'RFC 5869, A.1',
    expected: '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    compute: () => hkdf(secretOf(new Uint8Array(22).fill(0x0b)), hex('000102030405060708090a0b0c'), hex('f0f1f2f3f4f5f6f7f8f9'), 42),
  },
  {
    name: 'AES-256-GCM, case 16 of its specification',
    expected:
      '522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f66276fc6ece0f4e1768cddf8853bb2d551b',
    compute: () => gcm('cafebabefacedbaddecaf888'),
  },
  {
    name: 'AES-256-GCM, an IV of 16 bytes',
    expected:
      '8822b8089087352078d82c6b7c087da14de769dcfc5ef7633fde00283ce20821da3be5588db8d8e32ceac47127062f0bea55aabb68c791d6c8317332b98255a13696d6fc049564388a714b6a',
    compute: () => gcm('9313225df88406e555909c5aff5269aa'),
  },
];

let isTested = false;

/**
 * To be called before the first key is used: what this runtime computes must be what every other does.
 *
 * @throws HoldfastError `encryption-unsupported`
 */
export function requireKnownAnswers(): void {
  if (isTested) return;
  for (const { name, expected, compute } of knownAnswers) {
    if (answer(compute) === expected) continue;
    throw new HoldfastError('encryption-unsupported', `This runtime's node:crypto does not compute what it should (${name}); nothing is encrypted or decrypted by it.`);
  }
  isTested = true;
}

function answer(compute: () => Uint8Array): string {
  try {
    return Buffer.from(compute()).toString('hex');
  } catch {
    return '';
  }
}
