import type { FileFacts } from './file-facts.ts';
import type { ListedFile, ListedPlace } from './listing.ts';

/** A file as a backup is to have it, with what is known of where its content is. */
export type TakenFile = { readonly path: string } & (
  | { readonly kept: ListedFile }
  | {
      readonly kept: null;
      readonly facts: FileFacts;
      readonly isStub: boolean;
      readonly isFresh: boolean;
      /** A file that nobody changes, or the content itself. */
      readonly content: string | Buffer;
    }
);

/** An origin at one moment; paths are relative to its directory. */
export interface Taken {
  moment: number;
  places: ListedPlace[];
  directories: string[];
  files: TakenFile[];
  /** What says of a database in which state it is, by the path of its directory. */
  marks: Map<string, string>;
  /** Paths of files that are as of a moment of their own, and of what could not be had, with the reason. */
  apart: string[];
  leftOut: Map<string, string>;
}

export function nothingTaken(): Taken {
  return { moment: 0, places: [], directories: [], files: [], marks: new Map(), apart: [], leftOut: new Map() };
}
