import { getUint32, putUint32 } from '../journal/bytes.ts';
import { crc32 } from '../journal/checksum.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { ByteWriter } from '../replica/byte-writer.ts';
import type { HeaderList } from './entry.ts';
import { damaged, readFlags, readHeaders, readText, writeHeaders } from './records.ts';

/*
 * The file of a response: what it is, then its body to the end. docs/FORMAT.md, "Caches", is the same in words.
 *
 *   magic and version (4 bytes), length of the head (4), its checksum (4), the head, the body
 */

/** Their places are what is written: never changed. https://fetch.spec.whatwg.org/#concept-response-type */
export const responseTypes = ['default', 'basic', 'cors', 'error', 'opaque', 'opaqueredirect'] as const;
export type ResponseType = (typeof responseTypes)[number];

/** A response without its body. https://fetch.spec.whatwg.org/#concept-response */
export interface ResponseHead {
  readonly type: ResponseType;
  /** Empty where it has none. */
  readonly url: string;
  readonly redirected: boolean;
  /** 0 for a network error, and for what is opaque. */
  readonly status: number;
  readonly statusText: string;
  readonly headers: HeaderList;
  /** False: its body is null. */
  readonly hasBody: boolean;
}

const MAGIC = 0x01726668; // 'hfr', version 1
export const PREFIX_BYTES = 12;

const HAS_BODY = 1;
const REDIRECTED = 2;

/** What a file of a response begins with. */
export function encodeHead({ type, url, redirected, status, statusText, headers, hasBody }: ResponseHead): Uint8Array {
  const to = new ByteWriter().raw(new Uint8Array(PREFIX_BYTES));
  to.byte((hasBody ? HAS_BODY : 0) | (redirected ? REDIRECTED : 0)).byte(responseTypes.indexOf(type));
  const bytes = writeHeaders(to.integer(status).text(statusText).text(url), headers).finish();
  putUint32(bytes, 0, MAGIC);
  putUint32(bytes, 4, bytes.length - PREFIX_BYTES);
  putUint32(bytes, 8, crc32(bytes, PREFIX_BYTES, bytes.length));
  return bytes;
}

/** Where the body begins, by the first {@link PREFIX_BYTES}; null where they are of no response. */
export function bodyStart(bytes: Uint8Array): number | null {
  if (bytes.length < PREFIX_BYTES || getUint32(bytes, 0) !== MAGIC) return null;
  return PREFIX_BYTES + getUint32(bytes, 4);
}

/** The head, of which `bytes` has all; null where it makes no sense. */
export function readHead(bytes: Uint8Array): ResponseHead | null {
  const end = bodyStart(bytes);
  if (end === null || end > bytes.length || crc32(bytes, PREFIX_BYTES, end) !== getUint32(bytes, 8)) return null;
  try {
    return parse(bytes.subarray(PREFIX_BYTES, end));
  } catch {
    return null;
  }
}

function parse(payload: Uint8Array): ResponseHead {
  const from = new PayloadReader(damaged);
  from.begin(payload);
  const flags = readFlags(from, HAS_BODY | REDIRECTED);
  const type = responseTypes[from.byte()];
  if (type === undefined) throw damaged('a response is of no type');
  const status = from.integer();
  if (status !== 0 && (status < 200 || status > 599)) throw damaged('a response has no status');
  const head = {
    type,
    status,
    statusText: readText(from),
    url: readText(from),
    headers: readHeaders(from),
    redirected: (flags & REDIRECTED) !== 0,
    hasBody: (flags & HAS_BODY) !== 0,
  };
  from.end();
  return head;
}
