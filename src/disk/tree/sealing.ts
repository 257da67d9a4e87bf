import type { NameScript } from '../names/script.ts';
import type { Content } from './content.ts';

/** Who uses an open file: somebody who reads beside others, reads beside readers, is alone with it, or writes beside others. */
export type Use = 'beside-writers' | 'beside-readers' | 'alone' | 'shared';

/** What a file is written for: to be written to in place later, or to be read as a whole. */
export type Form = 'in-place' | 'whole';

/** How the contents and the names of a tree's files are on the disk, where they are encrypted. */
export interface Sealing {
  /** How names are encrypted; undefined where they are visible. */
  readonly names: NameScript | undefined;
  /**
   * How a file is encrypted that is none of the tree's: what is written so opens at this place only.
   *
   * @param place - what the file is called in its bucket, such as `swap/…`, by all who read it, whatever name it has then
   */
  bound(place: string): Sealing;
  /** Bytes that a file takes which is written as a whole, by those of its content. */
  stored(size: number): number;
  /** The content of an open file. What it is for has to hold as long as it is open. */
  open(descriptor: number, path: string, use: Use): Content;
  /** The content of an open file that nobody else sees before it is finished: an empty one, or a copy of another. */
  draft(descriptor: number, path: string, form: Form): Content;
  /** Whether an open file has the form for being written to in place. @throws EDAMAGED, HoldfastError key-missing */
  isInPlace(descriptor: number, path: string): boolean;
  /** Whether a copy of an open file may be written on with the key that it has. @throws as `isInPlace` */
  isCurrent(descriptor: number, path: string): boolean;
}
