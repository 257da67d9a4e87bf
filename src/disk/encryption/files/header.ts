import { createHmac, timingSafeEqual } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { FILE_SALT_BYTES } from '../origin-keys.ts';
import { HEADER_BYTES } from './grid.ts';

const MAGIC = Buffer.from('\u00ffHfE', 'latin1');
const VERSION = 1;

/** Where what is in a header begins. */
const AT = { version: 4, grid: 5, flags: 6, key: 8, salt: 16, size: 40, mac: 48 } as const;

const MAC_BYTES = HEADER_BYTES - AT.mac;

/** Where a block has only zeros, its content is zeros: the file has holes. */
const HOLES = 1;
/** The file was written as a whole, and is never written to again. */
const SEALED = 2;

/** What stands before the content of a file. */
export interface Header {
  /** The binary logarithm of a block's size on the disk. */
  readonly grid: number;
  /** The id of the origin's key. */
  readonly key: number;
  /** 24 bytes, out of which the file has a key of its own. */
  readonly salt: Uint8Array;
  readonly hasHoles: boolean;
  /** Bytes of the content of a file that was written as a whole; null for one that is written in place. */
  readonly sealed: number | null;
}

export function encodeHeader({ grid, key, salt, hasHoles, sealed }: Header, macKey: KeyObject): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.set(MAGIC);
  bytes.writeUInt8(VERSION, AT.version);
  bytes.writeUInt8(grid, AT.grid);
  bytes.writeUInt16LE((hasHoles ? HOLES : 0) | (sealed === null ? 0 : SEALED), AT.flags);
  bytes.writeUInt32LE(key, AT.key);
  bytes.set(salt, AT.salt);
  bytes.writeBigUInt64LE(BigInt(sealed ?? 0), AT.size);
  bytes.set(codeOf(bytes, macKey), AT.mac);
  return bytes;
}

/** Why bytes are no header: they are none at all, one of a later version, or one that says what is impossible. */
export type Unreadable = 'foreign' | 'newer' | 'damaged';

/** What a header says, before it was authenticated: the key that does it has to be found first. */
export function decodeHeader(bytes: Uint8Array): Header | Unreadable {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < HEADER_BYTES || !view.subarray(0, MAGIC.length).equals(MAGIC)) return 'foreign';
  if (view.readUInt8(AT.version) !== VERSION) return 'newer';
  const flags = view.readUInt16LE(AT.flags);
  const size = Number(view.readBigUInt64LE(AT.size));
  if (flags > (HOLES | SEALED) || !Number.isSafeInteger(size)) return 'damaged';
  return {
    grid: view.readUInt8(AT.grid),
    key: view.readUInt32LE(AT.key),
    salt: Uint8Array.from(view.subarray(AT.salt, AT.salt + FILE_SALT_BYTES)),
    hasHoles: (flags & HOLES) !== 0,
    sealed: (flags & SEALED) === 0 ? null : size,
  };
}

/** Whether a header is as it was written. */
export function isAuthentic(bytes: Uint8Array, macKey: KeyObject): boolean {
  return timingSafeEqual(bytes.subarray(AT.mac, HEADER_BYTES), codeOf(bytes, macKey));
}

function codeOf(bytes: Uint8Array, macKey: KeyObject): Uint8Array {
  return createHmac('sha256', macKey).update(bytes.subarray(0, AT.mac)).digest().subarray(0, MAC_BYTES);
}
