import { damaged } from '../../disk/replica/byte-reader.ts';
import type { ByteReader } from '../../disk/replica/byte-reader.ts';
import type { ByteWriter } from '../../disk/replica/byte-writer.ts';
import type { Locator } from '../../disk/locator.ts';

/** No system takes so long a path, so nothing can be there. */
const MOST_NAMES = 2048;
const MOST_UNITS = 2 ** 16;

const ILLEGAL = /[/\\]|\p{Cs}/u;

/** https://fs.spec.whatwg.org/#valid-file-name; names from the web have no lone surrogates. */
export function isLegalName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !ILLEGAL.test(name);
}

/** Whether an entry can be there in every region: by its name, and by its length. */
export function isLegalLocator(locator: Locator): boolean {
  if (locator.length === 0 || locator.length > MOST_NAMES) return false;
  return locator.every(isLegalName) && locator.reduce((units, name) => units + name.length, 0) <= MOST_UNITS;
}

/** No path of a system that is known is longer, in bytes; the longest that Linux takes. */
const MOST_PATH_BYTES = 4095;

/** Whether this disk can have no such place: its path would be too long below the directory of the files. */
export function isBeyondDisk(locator: Locator, base: string): boolean {
  if (locator.length < 15) return false; // 255 bytes a name
  return Buffer.byteLength(base) + locator.length + locator.reduce((bytes, name) => bytes + Buffer.byteLength(name), 0) > MOST_PATH_BYTES;
}

/** For a set or map of locators; no legal name has the separator. */
export function keyOf(locator: Locator): string {
  return locator.join('/');
}

export function locatorOf(key: string): Locator {
  return key === '' ? [] : key.split('/');
}

export function writeLocator(writer: ByteWriter, locator: Locator): void {
  writer.integer(locator.length);
  for (const name of locator) writer.bytes(Buffer.from(name));
}

/** @throws HoldfastError hub-damaged for a place that nothing may have: whoever wrote it wants to get out of the bucket */
export function readLocator(reader: ByteReader): Locator {
  const length = reader.integer();
  if (length === 0 || length > MOST_NAMES) throw damaged('a path has too few or too many names');
  // Not TextDecoder, which drops a byte order mark: it may be the first character of a name.
  const locator = Array.from({ length }, () => Buffer.from(reader.bytes()).toString('utf8'));
  if (!isLegalLocator(locator)) throw damaged('a name is not one that a file can have');
  return locator;
}
