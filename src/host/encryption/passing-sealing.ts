import { FileSealing } from '../../disk/encryption/files/file-sealing.ts';
import { OriginKeys } from '../../disk/encryption/origin-keys.ts';
import type { Sealing } from '../../disk/tree/sealing.ts';

/** Encrypts files that are on the disk for a while, with a key that nobody else has, and that ends with this object. */
export function passingSealing(): Sealing {
  return new FileSealing(OriginKeys.create('', { visibleNames: true, isMigrating: false, kms: new Uint8Array(0) }));
}
