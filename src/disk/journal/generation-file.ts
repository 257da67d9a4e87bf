import fs from 'node:fs';
import { join } from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { isLink } from '../directories.ts';
import { getUint32, putUint32 } from './bytes.ts';
import { crc32 } from './checksum.ts';
import { diskError, systemCode } from './disk-error.ts';
import { PLAIN, type JournalCipher, type JournalEncryption } from './journal-cipher.ts';
import { isMagic, Magic, MAGIC_BYTES } from './magic.ts';

/* The layout is in docs/FORMAT.md, "Generation". */
const IDENTIFIER = Uint8Array.from('HFJOURNL', (character) => character.charCodeAt(0));
/** Those that are encrypted have it; plain ones 1. */
const FORMAT_VERSION = 2;
const VERSION = 8;
const KEY_ID = 12;
const MAGIC = 16;
const CHECKSUM = 32;
export const FILE_HEADER_BYTES = 36;

/** An open generation of a journal. */
export interface GenerationFile {
  readonly number: number;
  readonly path: string;
  readonly descriptor: number;
  readonly magic: Magic;
  /** Of the key that it is encrypted with, or {@link PLAIN}. */
  readonly keyId: number;
  /** Null: it is not encrypted. */
  readonly cipher: JournalCipher | null;
  /** Which file it is. */
  readonly dev: number;
  readonly ino: number;
  /** Why the file could be opened for reading only; undefined if it can be written. */
  readonly readOnly: unknown;
}

export function generationPath(directory: string, number: number): string {
  return join(directory, String(number));
}

export function candidateDirectory(directory: string): string {
  return join(directory, 'cand');
}

/** The candidate that may become generation `number`; its magic makes the name unique. */
export function candidatePath(directory: string, number: number, magic: Magic): string {
  return join(candidateDirectory(directory), `${number}.${magic.name}`);
}

export function encodeFileHeader(magic: Magic, keyId = PLAIN): Uint8Array {
  const header = new Uint8Array(FILE_HEADER_BYTES);
  header.set(IDENTIFIER);
  putUint32(header, VERSION, keyId === PLAIN ? 1 : FORMAT_VERSION);
  putUint32(header, KEY_ID, keyId);
  header.set(magic.bytes, MAGIC);
  putUint32(header, CHECKSUM, crc32(header, 0, CHECKSUM));
  return header;
}

function decodeFileHeader(header: Uint8Array, length: number, path: string): Pick<GenerationFile, 'magic' | 'keyId'> {
  const damaged = (why: string) => new HoldfastError('journal-damaged', `The journal ${path} is damaged: ${why}.`);
  if (length < FILE_HEADER_BYTES) throw damaged(`it ends after ${length} bytes, inside its header`);
  if (IDENTIFIER.some((byte, index) => header[index] !== byte)) throw damaged('it does not start as a journal does');
  if (getUint32(header, CHECKSUM) !== crc32(header, 0, CHECKSUM)) throw damaged('the checksum of its header is wrong');
  const version = getUint32(header, VERSION);
  if (version > FORMAT_VERSION) {
    throw new HoldfastError('root-newer', `The journal ${path} has format ${version}; this version reads up to ${FORMAT_VERSION}.`);
  }
  const magic = header.slice(MAGIC, MAGIC + MAGIC_BYTES);
  if (!isMagic(magic)) throw damaged('its magic cannot serve as one');
  return { magic: new Magic(magic), keyId: getUint32(header, KEY_ID) };
}

/**
 * Opens a generation, for reading only where the disk allows no more; null if there is no file of that name.
 * Never creates one: a name that was deleted must not come back empty. Never follows a link out of the bucket.
 *
 * @param path - where to find it, if not under its own name.
 * @param access - `read`: for reading only, in any case.
 * @throws HoldfastError `journal-damaged`, `root-newer`, `disk-failed`; `key-missing` for an encrypted one without
 * `encryption`, and what that throws
 */
export function openGeneration(
  directory: string,
  number: number,
  encryption?: JournalEncryption,
  path = generationPath(directory, number),
  access: Access = 'append',
): GenerationFile | null {
  try {
    const opened = openPlainFile(path, access);
    const { descriptor } = opened;
    try {
      const header = new Uint8Array(FILE_HEADER_BYTES);
      const length = fs.readSync(descriptor, header, 0, FILE_HEADER_BYTES, 0);
      const { magic, keyId } = decodeFileHeader(header, length, path);
      return { number, path, magic, keyId, cipher: cipherOf(keyId, magic, path, encryption), ...opened };
    } catch (error) {
      closeQuietly(descriptor);
      throw error;
    }
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw diskError(error, 'read the journal', path);
  }
}

type Access = 'append' | 'read';

function cipherOf(keyId: number, magic: Magic, path: string, encryption: JournalEncryption | undefined): JournalCipher | null {
  if (encryption !== undefined) return encryption.cipherFor(keyId, magic, path);
  if (keyId !== PLAIN) throw new HoldfastError('key-missing', `${path} is encrypted.`);
  return null;
}

/** Windows has neither flag. */
const { O_NOFOLLOW = 0, O_NONBLOCK = 0 } = fs.constants as Partial<typeof fs.constants>;

/** A replacement may come between two looks at a path; that often in a row it is no coincidence. */
const LOOKS = 16;

/**
 * Not every runtime heeds O_NOFOLLOW, so what is open must be the plain file that was seen before; and O_NONBLOCK keeps
 * a pipe from blocking the thread for ever.
 */
function openPlainFile(path: string, access: Access): Pick<GenerationFile, 'descriptor' | 'readOnly' | 'dev' | 'ino'> {
  for (let look = 0; look < LOOKS; look += 1) {
    const expected = fs.lstatSync(path);
    if (!expected.isFile()) break;
    const opened = openDescriptor(path, access);
    if (isThatFile(opened.descriptor, expected)) return { ...opened, dev: expected.dev, ino: expected.ino };
    closeQuietly(opened.descriptor);
  }
  throw new HoldfastError('journal-damaged', `The journal ${path} is not a plain file.`);
}

function isThatFile(descriptor: number, expected: fs.Stats): boolean {
  try {
    const { dev, ino } = fs.fstatSync(descriptor);
    return ino === expected.ino && dev === expected.dev;
  } catch (error) {
    closeQuietly(descriptor);
    throw error;
  }
}

function openDescriptor(path: string, access: Access): { descriptor: number; readOnly: unknown } {
  const { O_RDWR, O_RDONLY, O_APPEND } = fs.constants;
  const open = (flags: number): number => withDescriptor(() => fs.openSync(path, flags | O_NOFOLLOW | O_NONBLOCK));
  if (access === 'read') return { descriptor: open(O_RDONLY), readOnly: access };
  try {
    return { descriptor: open(O_RDWR | O_APPEND), readOnly: undefined };
  } catch (error) {
    if (!['EROFS', 'EACCES', 'EPERM'].includes(systemCode(error))) throw error;
    return { descriptor: open(O_RDONLY), readOnly: error };
  }
}

export function closeQuietly(descriptor: number): void {
  try {
    fs.closeSync(descriptor);
  } catch {
    // Nothing was promised about this descriptor any more.
  }
}

/**
 * The numbers of the generations that a directory shows, ascending; null if there is no directory. Nothing is opened or
 * made in a journal before this has seen that it is in no other place than it says.
 */
export function listGenerations(directory: string): number[] | null {
  try {
    for (const place of [directory, candidateDirectory(directory)]) {
      if (isLink(place)) throw new HoldfastError('journal-damaged', `The journal ${directory} is not used: ${place} is a symbolic link.`);
    }
    return withDescriptor(() => fs.readdirSync(directory))
      .filter((name) => /^(0|[1-9][0-9]*)$/.test(name))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw diskError(error, 'read the journal in', directory);
  }
}

