import type { BucketPlace } from '../../disk/place.ts';
import { decodeStub, encodeStub } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/** What stubs hold: where the content of a file is. */
export interface Stubs {
  encode(manifest: Manifest): Uint8Array;
  /** Null for one that makes no sense. */
  decode(bytes: Uint8Array): Manifest | null;
}

/** As they are in a bucket, encrypted or not. Then they throw HoldfastErrors as `PlaceKeys.keys` does. */
export function stubsOf({ encryption }: Pick<BucketPlace, 'encryption'>): Stubs {
  if (encryption === undefined) return { encode: encodeStub, decode: decodeStub };
  return {
    encode: (manifest) => encryption.keys.sealStub(encodeStub(manifest)),
    decode: (bytes) => {
      const plain = encryption.keys.openStub(bytes, encryption.allowsPlain);
      return plain === null ? null : decodeStub(plain);
    },
  };
}
