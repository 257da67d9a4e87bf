/**
 * - `torn`: the rest of a write or compaction of a killed process. It costs nothing.
 * - `damaged`: bytes that were whole once and make no sense now.
 * - `cut-short`: a journal ends where it went on in a generation that is not there.
 * - `unreadable`: nothing can be said of it, for this process cannot read it.
 * - `newer`: written by a version that this one does not know.
 * - `quota`: more is on the disk than the account says. It is counted again by whoever uses it.
 * - `orphan`: what nobody needs any more, and nobody has deleted yet. It costs nothing but its space.
 * - `foreign`: something in the tree of files that is none of them. Nobody sees it.
 */
export type FaultKind = 'torn' | 'damaged' | 'cut-short' | 'unreadable' | 'newer' | 'quota' | 'orphan' | 'foreign';

/** Something that is not as it was written. */
export interface Fault {
  readonly kind: FaultKind;
  /** The file, or the directory where that is what is wrong. */
  readonly path: string;
  /** Where in the file, in bytes. */
  readonly offset: number;
  /** How many bytes; 0: the file as a whole. */
  readonly length: number;
  /** What is wrong and what it costs, in sentences. */
  readonly message: string;
}

/** The same with whose it is; null where it belongs to none. */
export interface Finding extends Fault {
  readonly origin: string | null;
  readonly bucket: string | null;
  readonly journal: string | null;
}

/** Whether nobody has lost anything by it. */
export function isHarmless({ kind }: Fault): boolean {
  return ['torn', 'quota', 'orphan', 'foreign'].includes(kind);
}
