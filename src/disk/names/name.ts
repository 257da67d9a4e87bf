import { escapeName, unescapeName } from './escape.ts';

/** What ext4, xfs, btrfs, APFS and NTFS all hold; in bytes of UTF-8, the strictest of their units. */
export const COMPONENT_BYTES = 255;

/** Bytes of a long name's spelling that stay readable in its component. */
export const READABLE_BYTES = 180;

/** A '%' that starts no escape: no spelling contains it. */
export const LONG_MARK = '%~';

export const LONG_COMPONENT = /^.+%~([0-9a-f]{64})$/s;

/** One path component of a name. */
export interface EncodedName {
  /** At most 255 bytes; never empty, '.' or '..', without separators. */
  readonly component: string;
  /** For a name too long for one component: its full spelling, which the component holds only a hash of. */
  readonly long: LongSpelling | null;
}

/** The full spelling of a long name and the file that keeps it, beside the entry. */
export interface LongSpelling {
  readonly file: string;
  readonly spelling: string;
}

/**
 * Encodes one name of an entry as one path component, injectively: two names never get one component, also under the
 * folding of a volume with `foldsNames`. A readable name stays as it is.
 */
export function encodeName(name: string, foldsNames: boolean): EncodedName {
  const spelling = escapeName(name, foldsNames);
  if (fits(spelling)) return { component: spelling, long: null };
  const hash = sha256(spelling);
  return { component: readablePart(spelling) + LONG_MARK + hash, long: { file: LONG_MARK + hash, spelling } };
}

/** What a component found on disk stands for. */
export type DecodedName =
  | { readonly name: string }
  /** A long name: the file beside it has the spelling, for {@link decodeSpelling}. */
  | { readonly spellingFile: string }
  /** No name of ours: a foreign file, or the file that keeps the spelling of a long name. */
  | null;

export function decodeName(component: string, foldsNames: boolean): DecodedName {
  if (component.includes(LONG_MARK)) {
    const hash = LONG_COMPONENT.exec(component)?.[1];
    return hash === undefined ? null : { spellingFile: LONG_MARK + hash };
  }
  const name = unescapeName(component, foldsNames);
  return name === null || !fits(component) ? null : { name };
}

/** The long name that `spelling` spells, if `component` is its component; null when the file is torn or forged. */
export function decodeSpelling(component: string, spelling: string, foldsNames: boolean): string | null {
  const name = unescapeName(spelling, foldsNames);
  return name !== null && encodeName(name, foldsNames).component === component ? name : null;
}

function fits(spelling: string): boolean {
  return spelling.length * 3 <= COMPONENT_BYTES || Buffer.byteLength(spelling) <= COMPONENT_BYTES;
}

/** The start of a spelling, cut between characters and between escapes. */
function readablePart(spelling: string): string {
  let end = 0;
  let bytes = 0;
  for (const [piece] of spelling.matchAll(/%(?:\{[0-9a-f]+\}|..)|./gsu)) {
    bytes += Buffer.byteLength(piece);
    if (bytes > READABLE_BYTES) break;
    end += piece.length;
  }
  return spelling.slice(0, end);
}

/** Loaded at the first long name only: the module is costly to import. */
function sha256(text: string): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(text).digest('hex');
}
