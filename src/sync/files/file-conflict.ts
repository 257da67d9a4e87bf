import type { Blob } from 'node:buffer';
import type { Locator } from '../../disk/locator.ts';

/** A version of a file that another one, whose writer had not seen it, has taken the place of. */
export interface FileConflict {
  /** Counts the conflicts of an origin, from 1; the same in every region. */
  readonly serial: number;
  readonly locator: Locator;
  /** The region whose version has the place; null when a directory has it. */
  readonly winner: string | null;
  readonly lost: {
    /** Where it was written. */
    readonly region: string;
    /** Bytes. */
    readonly size: number;
    /** Milliseconds since 1970. */
    readonly lastModified: number;
    /**
     * Its content, from the hub.
     *
     * @throws HoldfastError `hub-damaged` when a chunk is missing or damaged, and as hubs do
     */
    bytes(): Promise<Blob>;
  };
}
