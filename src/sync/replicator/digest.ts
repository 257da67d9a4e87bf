import crypto from 'node:crypto';

/** In one call, where the runtime has that: most of what is digested is short. */
const hash = (crypto as Partial<Pick<typeof crypto, 'hash'>>).hash;

/** The 32 bytes of the SHA-256. */
export function sha256(bytes: Uint8Array): Uint8Array {
  return hash === undefined ? crypto.createHash('sha256').update(bytes).digest() : hash('sha256', bytes, 'buffer');
}

/** A log of which blobs have other names than by the digest of their bytes. */
export interface NamesBlobs {
  /** The 32 bytes that are the name of a blob. */
  blobDigest(bytes: Uint8Array, isKnown?: (name: string) => boolean): Uint8Array;
}

/** A log that goes on from another one. */
export interface GoesOn {
  /** Whether that was of this epoch: the kept snapshot stands for all of it. */
  follows(epoch: string): Promise<boolean>;
}

/** Whether a log goes on from the one of an epoch. */
export async function goesOnFrom(log: object, epoch: string): Promise<boolean> {
  return (await (log as Partial<GoesOn>).follows?.(epoch)) === true;
}

/** What a log calls a blob, which everybody who follows it finds by its bytes. */
export function blobDigest(log: object, bytes: Uint8Array, isKnown?: (name: string) => boolean): Uint8Array {
  return (log as Partial<NamesBlobs>).blobDigest?.(bytes, isKnown) ?? sha256(bytes);
}

export function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

export function isSameDigest(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}
