import { archiveError } from './archive-error.ts';

/*
 * The blocks that tar files are made of: POSIX.1-2017, pax Interchange Format, of which only plain files and directories
 * are used. https://pubs.opengroup.org/onlinepubs/9699919799/utilities/pax.html#tag_20_92_13
 */

export const BLOCK_BYTES = 512;

/** What a reader takes of the records before one entry, in bytes: a name of 16 MiB, escaped, and some more. */
export const LONGEST_RECORDS = 2 ** 27;

/** Beyond it a size does not fit into eleven octal digits. */
const LARGEST_OCTAL = 8 ** 11;

export type PaxRecords = Readonly<Record<string, string>>;

/** What stands before the content of an entry. */
export interface TarHeader {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  /** Bytes of its content in the archive. */
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
  readonly records: PaxRecords;
}

const types = { file: '0', directory: '5', records: 'x' } as const;

/** The blocks of a header; where path or size do not fit, or there are records, with an extended header before it. */
export function encodeHeader({ path, kind, size, modified, records }: TarHeader): Uint8Array {
  const name = kind === 'directory' ? `${path}/` : path;
  const all = { ...(isPlain(name) ? {} : { path: name }), ...(size < LARGEST_OCTAL ? {} : { size: String(size) }), ...records };
  const own = block({ name: plain(name), type: types[kind], size: size < LARGEST_OCTAL ? size : 0, modified });
  if (Object.keys(all).length === 0) return own;
  const body = encodeRecords(all);
  const before = block({ name: `PaxHeaders/${plain(name).slice(-80)}`, type: types.records, size: body.length, modified });
  return Buffer.concat([before, body, padding(body.length), own]);
}

/** What follows content of that size, so that the next block begins where one may. */
export function padding(size: number): Uint8Array {
  return new Uint8Array((BLOCK_BYTES - (size % BLOCK_BYTES)) % BLOCK_BYTES);
}

const NAME_BYTES = 100;

function isPlain(name: string): boolean {
  return name.length <= NAME_BYTES && !/[^\x20-\x7e]/.test(name);
}

/** What readers see that know nothing of records. */
function plain(name: string): string {
  return name.replace(/[^\x20-\x7e]/g, '_').slice(0, NAME_BYTES);
}

interface Fields {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly modified: number;
}

function block({ name, type, size, modified }: Fields): Buffer {
  const bytes = Buffer.alloc(BLOCK_BYTES);
  bytes.write(name, 0, 'latin1');
  putOctal(bytes, 100, 8, type === types.directory ? 0o700 : 0o600);
  putOctal(bytes, 108, 8, 0);
  putOctal(bytes, 116, 8, 0);
  putOctal(bytes, 124, 12, size);
  putOctal(bytes, 136, 12, Math.max(0, Math.floor(modified / 1000)));
  bytes.write(type, 156, 'latin1');
  bytes.write('ustar\0' + '00', 257, 'latin1');
  bytes.write(checksumOf(bytes).toString(8).padStart(6, '0') + '\0 ', 148, 'latin1');
  return bytes;
}

function putOctal(bytes: Buffer, at: number, length: number, value: number): void {
  bytes.write(value.toString(8).padStart(length - 1, '0'), at, 'latin1');
}

const CHECKSUM = 148;
const CHECKSUM_BYTES = 8;

/** The sum of all bytes, those of the sum itself taken for spaces. */
function checksumOf(bytes: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < BLOCK_BYTES; at += 1) sum += at >= CHECKSUM && at < CHECKSUM + CHECKSUM_BYTES ? 0x20 : (bytes[at] ?? 0);
  return sum;
}

/** Lines of length, key and value; the length is that of the whole line in bytes. */
function encodeRecords(records: PaxRecords): Buffer {
  return Buffer.concat(Object.entries(records).map(([key, value]) => encodeRecord(Buffer.from(` ${key}=${value}\n`))));
}

function encodeRecord(rest: Buffer): Buffer {
  let length = rest.length + 1;
  while (String(length).length + rest.length > length) length += 1;
  return Buffer.concat([Buffer.from(String(length)), rest]);
}

/** @throws HoldfastError `archive-damaged` */
export function decodeRecords(bytes: Uint8Array): Record<string, string> {
  const records: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(0x20, at);
    const digits = Buffer.from(bytes.subarray(at, Math.max(at, Math.min(space, at + 10)))).toString('latin1');
    const end = /^[1-9][0-9]*$/.test(digits) ? at + Number(digits) : 0;
    const line = end <= bytes.length && bytes[end - 1] === 0x0a ? Buffer.from(bytes.subarray(space + 1, end - 1)).toString('utf8') : '';
    const equals = line.indexOf('=');
    if (equals < 1 || end <= space) throw archiveError('an extended header of it makes no sense');
    records[line.slice(0, equals)] = line.slice(equals + 1);
    at = end;
  }
  return records;
}

/** One block, taken apart. */
export interface HeaderBlock {
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'records';
  readonly size: number;
}

/** Null: the block of zeros that ends an archive. @throws HoldfastError `archive-damaged` */
export function decodeBlock(bytes: Uint8Array): HeaderBlock | null {
  if (bytes.every((byte) => byte === 0)) return null;
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = (at: number, length: number): string => buffer.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  if (text(257, 6) !== 'ustar') throw archiveError('it is no tar file of the kind that exports are');
  if (octal(text(148, 8)) !== checksumOf(bytes)) throw archiveError('a checksum in it is wrong');
  const path = text(0, NAME_BYTES);
  const type = text(156, 1);
  const prefix = text(345, 155);
  const kind = Object.entries(types).find(([, each]) => each === type)?.[0] as HeaderBlock['kind'] | undefined;
  if (kind === undefined) throw archiveError(`its entry '${path}' is neither a plain file nor a directory`);
  const size = octal(text(124, 12));
  if (size === null || (kind === 'directory' && size > 0)) throw archiveError(`the size of its entry '${path}' makes no sense`);
  return { path: prefix === '' ? path : `${prefix}/${path}`, kind, size };
}

function octal(text: string): number | null {
  return /^ *[0-7]+ *$/.test(text) ? Number.parseInt(text.trim(), 8) : null;
}
