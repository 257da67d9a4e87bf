import type { NameScript } from '../names/script.ts';
import type { Content } from './content.ts';

/** Who uses an open file: somebody who reads beside others, reads beside readers, is alone with it, or writes beside others. */
export type Use = 'beside-writers' | 'beside-readers' | 'alone' | 'shared';

/** What a file is written for: to be written to in place later, or to be read as a whole. */
export type Form = 'in-place' | 'whole';

/** How the contents and the names of a tree's files are on the disk, where they are encrypted. */
export interface Sealing {
  /** How names are written, by how they are where they are visible. */
  names(visible: NameScript): NameScript;
  /**
   * How a file is encrypted that is none of the tree's: what is written so opens at this place only.
   *
   * @param place - what the file is called in its bucket, such as `swap/…`, by all who read it, whatever name it has then
   */
  bound(place: string): Sealing;
  /** Bytes that a file takes which is written as a whole, by those of its content. */
  stored(size: number): number;
  /** Whether an open file is from before the origin was encrypted, and may be read as it is. */
  isPlain(descriptor: number): boolean;
  /** The content of an open file. What it is for has to hold as long as it is open. */
  open(descriptor: number, path: string, use: Use): Content;
  /** The content of an open file that nobody else sees before it is finished: an empty one, or a copy of another. */
  draft(descriptor: number, path: string, form: Form): Content;
  /** Whether an open file has the form for being written to in place. @throws EDAMAGED, HoldfastError key-missing */
  isInPlace(descriptor: number, path: string): boolean;
  /** Whether a copy of an open file may be written on with the key that it has. @throws as `isInPlace` */
  isCurrent(descriptor: number, path: string): boolean;
}

/** How the files of one database are on the disk, where they are encrypted. Each knows which one it is: none takes another's place. */
export interface DatabaseSealing {
  /** What its directory is called: nothing of its name shows. */
  readonly component: string;
  /** What SQLite writes for each page to its file. */
  pages(descriptor: number, path: string): PagedFile;
  /** What SQLite writes to the journal of a transaction. */
  journal(descriptor: number, path: string): PagedFile;
  /** What says which database it is. */
  readonly description: WrittenOnce;
  /** Whether an open file of it has the active key: what says which it is, the database, or a file beside it. */
  isCurrent(which: 'description' | 'database' | number, descriptor: number, path: string): boolean;
  /** A file beside it, by its number. */
  blob(id: number): WrittenOnce;
}

/** A file that is written once, as a whole, and read as often as one likes. */
export interface WrittenOnce {
  read(descriptor: number, path: string): Content;
  /** `finish` ends it. */
  write(descriptor: number, path: string): Content;
}

/** A file as SQLite uses it: read and written anywhere. Errors are the operating system's, and EDAMAGED. */
export interface PagedFile {
  /** Fills `target` from `at` on, as far as the file goes. @returns how many bytes */
  read(target: Uint8Array, at: number): number;
  write(source: Uint8Array, at: number): void;
  /** Makes it shorter. */
  truncate(size: number): void;
  size(): number;
  /** Writes what is not in the file yet. */
  flush(): void;
}
