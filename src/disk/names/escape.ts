import { staysItselfWhenFolded } from './folding.ts';

/**
 * How a name is spelled on disk. Invariants:
 * - two names never have one spelling, also when the volume folds case and normalization (`foldsNames`);
 * - `unescapeName(escapeName(name))` is `name`, and any other spelling decodes to null;
 * - a spelling has no separator, is never empty, '.' or '..', and holds on Linux, macOS and Windows alike, so that a
 *   root can be copied from one to the other;
 * - every '%' in a spelling starts an escape: `%hh` for a code point below 256, `%{h…}` for the others. What needs a
 *   mark of its own (the suffix of long names) uses a '%' that starts none;
 * - no spelling starts with `.new-`: what is being built carries that prefix until it is renamed into its place.
 */
const UNSAFE = /[\0-\x1f"%*/:<>?|\\\x7f-\x9f\p{Cs}\u2028-\u202e\u2066-\u2069\ufeff]/u;
const UNSAFE_EACH = new RegExp(UNSAFE, 'gu');

/** ASCII that a volume folds or, for '~' on NTFS, may answer to with another file (short names); and all else. */
const MAY_FOLD = /[A-Z~\x80-\u{10ffff}]/u;
const MAY_FOLD_EACH = new RegExp(MAY_FOLD, 'gu');

/** Windows drops what these end with. */
const ENDS_UNSAFE = /[. ]$/;

/** Windows takes these for devices, whatever follows the first dot; `.new-` is the prefix of what is being built. */
const STARTS_UNSAFE = /^(?:(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9\xb9\xb2\xb3]) *(?:\.|$)|\.new-)/i;

const ESCAPE = /%(?:([0-9a-f]{2})|\{([0-9a-f]{3,6})\})/g;

function escapeCharacter(character: string): string {
  const code = (character.codePointAt(0) ?? 0).toString(16);
  return code.length <= 2 ? `%${code.padStart(2, '0')}` : `%{${code}}`;
}

/** The spelling of a name, however long. Any string has one; names that the standards forbid get harmless ones. */
export function escapeName(name: string, foldsNames: boolean): string {
  if (name === '') return '%{}';
  let spelling = UNSAFE.test(name) ? name.replace(UNSAFE_EACH, escapeCharacter) : name;
  if (foldsNames && MAY_FOLD.test(spelling)) {
    spelling = spelling.replace(MAY_FOLD_EACH, (character) =>
      staysItselfWhenFolded(character) ? character : escapeCharacter(character),
    );
  }
  if (STARTS_UNSAFE.test(spelling)) spelling = escapeCharacter(spelling.charAt(0)) + spelling.slice(1);
  if (ENDS_UNSAFE.test(spelling)) spelling = spelling.slice(0, -1) + escapeCharacter(spelling.slice(-1));
  return spelling;
}

/** The name that has this spelling; null when no name has it, so that a foreign file is nobody's entry. */
export function unescapeName(spelling: string, foldsNames: boolean): string | null {
  // A volume may store another normalization than it was given; marks are escaped, so composing gives it back.
  const composed = foldsNames ? spelling.normalize('NFC') : spelling;
  const name = composed.includes('%') ? composed.replace(ESCAPE, unescapeMatch) : composed;
  return escapeName(name, foldsNames) === composed && name !== '' ? name : null;
}

function unescapeMatch(_match: string, short: string | undefined, long: string | undefined): string {
  const code = Number.parseInt(short ?? long ?? '', 16);
  return code <= 0x10ffff ? String.fromCodePoint(code) : '';
}
