import type { HoldfastErrorCode } from '../../../runtime/holdfast-error.ts';
import { FrameReader, FrameWriter, Malformed } from './frames.ts';

/** Every path of the protocol begins with it; what follows is the name of an operation. */
export const PATH_PREFIX = '/holdfast-hub/';

export const CONTENT_TYPE = 'application/vnd.holdfast-hub';

/** What every message begins with, whatever its version; the version follows in one byte. */
const MARK = Uint8Array.from('HFH', (character) => character.charCodeAt(0));

export const PROTOCOL_VERSION = 1;

const HEADER_BYTES = MARK.length + 1;

/** How an answer begins; docs/HUB-PROTOCOL.md says when each is given. */
export const STATUS = {
  ok: 0,
  trimmed: 1,
  tooLarge: 2,
  unauthorized: 3,
  incompatible: 4,
  damaged: 5,
  malformed: 6,
  failed: 7,
  blobMissing: 8,
  full: 9,
} as const;

export type Status = (typeof STATUS)[keyof typeof STATUS];
export type RefusalStatus = Exclude<Status, 0>;

/** What a client's caller is told. */
export const codes: Readonly<Record<RefusalStatus, HoldfastErrorCode>> = {
  [STATUS.trimmed]: 'hub-trimmed',
  [STATUS.tooLarge]: 'hub-too-large',
  [STATUS.unauthorized]: 'hub-unauthorized',
  [STATUS.incompatible]: 'hub-incompatible',
  [STATUS.damaged]: 'hub-damaged',
  [STATUS.malformed]: 'hub-incompatible',
  // Its disk is full, or it is about to stop: later it may work again, so this is for the caller as if it were away.
  [STATUS.failed]: 'hub-unreachable',
  [STATUS.blobMissing]: 'hub-blob-missing',
  [STATUS.full]: 'hub-full',
};

/** The HTTP status that goes with each, for proxies and their logs. */
export const HTTP_STATUS: Readonly<Record<Status, number>> = {
  [STATUS.ok]: 200,
  [STATUS.trimmed]: 410,
  [STATUS.tooLarge]: 413,
  [STATUS.unauthorized]: 401,
  [STATUS.incompatible]: 426,
  [STATUS.damaged]: 422,
  [STATUS.malformed]: 400,
  [STATUS.failed]: 503,
  [STATUS.blobMissing]: 409,
  [STATUS.full]: 507,
};

/** A message of another version, or of another protocol. */
export class OtherProtocol extends Error {}

export function beginMessage(): FrameWriter {
  return new FrameWriter().raw(MARK).u8(PROTOCOL_VERSION);
}

/**
 * Reads the header that every message has.
 *
 * @throws OtherProtocol
 */
export function openMessage(bytes: Uint8Array): FrameReader {
  if (bytes.length < HEADER_BYTES || MARK.some((byte, index) => bytes[index] !== byte)) throw new OtherProtocol('it is no message of this protocol');
  const version = bytes[MARK.length];
  if (version !== PROTOCOL_VERSION) throw new OtherProtocol(`it has version ${version} of the protocol, and this Holdfast knows version ${PROTOCOL_VERSION}`);
  return new FrameReader(bytes.subarray(HEADER_BYTES));
}

export function refusal(status: RefusalStatus, message: string): Uint8Array {
  return beginMessage().u8(status).text(message).finish();
}

/** What an answer says instead of what was asked for. */
export interface Refusal {
  readonly code: HoldfastErrorCode;
  readonly message: string;
}

/** Reads how an answer begins: null for one that has what was asked for. */
export function readRefusal(frame: FrameReader): Refusal | null {
  const status = frame.u8();
  if (status === STATUS.ok) return null;
  if (!isRefusal(status)) throw new Malformed(`it has status ${status}`);
  const message = frame.text();
  frame.end();
  return { code: codes[status], message };
}

export function isRefusal(status: number): status is RefusalStatus {
  return status in codes;
}
