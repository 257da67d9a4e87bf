/**
 * Scripts and symbols in which a name stays readable on a volume that folds. The list is frozen: were it derived from
 * the engine's Unicode tables alone, a newer engine would spell the name of an existing file differently. Every code
 * point in it was assigned before Unicode 15.
 */
const READABLE =
  /^[ -}\u00a1-\u0377\u0400-\u052f\u05d0-\u05ea\u0621-\u064a\u0660-\u0669\u0905-\u0939\u0e01-\u0e30\u2010-\u2027\u2030-\u203a\u20a0-\u20b5\u2190-\u21ff\u2500-\u27bf\u3041-\u3096\u30a1-\u30fc\u4e00-\u9fef\uac00-\ud7a3\u{1f300}-\u{1f64f}\u{1f680}-\u{1f6c5}]$/u;

const MARK = /^\p{M}$/u;

/**
 * Whether a character comes through every case folding and normalization of a volume as itself, wherever in a name it
 * stands. Marks do not, for they melt into the character before them.
 */
export function staysItselfWhenFolded(character: string): boolean {
  return (
    READABLE.test(character) &&
    character.toLowerCase() === character &&
    character.toUpperCase().toLowerCase() === character &&
    character.normalize('NFKC') === character &&
    !MARK.test(character)
  );
}
