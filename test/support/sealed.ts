import { createSecretKey } from 'node:crypto';
import { FileSealing } from '../../src/disk/encryption/files/file-sealing.ts';
import { SealedNames } from '../../src/disk/encryption/files/sealed-names.ts';
import { NAMES_ID } from '../../src/disk/encryption/key-file.ts';
import { OriginKeys } from '../../src/disk/encryption/origin-keys.ts';
import type { Sealing } from '../../src/disk/tree/sealing.ts';

/** Keys of a test's origin: all processes of a run have the same. */
export function testKeys(): OriginKeys {
  const keys = new Map([NAMES_ID, 1].map((id) => [id, createSecretKey(Buffer.alloc(32, id + 1))]));
  return new OriginKeys('https://app.example', { active: 1, flags: 0, keys, kms: new Uint8Array(0) });
}

export function testSealing(): Sealing {
  const keys = testKeys();
  const names = new SealedNames(keys.namesCipher('default'));
  return new FileSealing(keys, () => names);
}

/** Whether this run has everything encrypted. */
export const isEncrypted = process.env['HOLDFAST_TEST_KEY'] === '1';

let sealing: Sealing | undefined;

/** For the options of a tree: with HOLDFAST_TEST_KEY=1 every tree of a test is encrypted. */
export function sealed(): { readonly sealing?: Sealing } {
  return isEncrypted ? { sealing: (sealing ??= testSealing()) } : {};
}

/** For the options of a host: with HOLDFAST_TEST_KEY=1 every origin of a test is encrypted. */
export const encrypted: { readonly encryption?: { readonly key: Uint8Array } } = isEncrypted ? { encryption: { key: Buffer.alloc(32, 7) } } : {};
