import type { HoldfastError } from '../../runtime/holdfast-error.ts';

/** What journals are told of the disk that they are on, and what is kept back there for records that must find room. */
export interface Space {
  /** Whether that many bytes can be appended and leave `spare` more, and what is needed to remove data. */
  hasRoom(bytes: number, spare: number): boolean;
  /**
   * Bytes that what adds data may take now, none or less when only the reserve is left; none for files where the disk
   * has few places for them. Infinite where nobody may ask, or the disk does not know. Never throws.
   */
  left(forFiles: boolean): number;
  /** The error, `disk-full`, of a record that adds data where there is no room. */
  refusal(): HoldfastError;
  /** Frees a part of what is kept back; false if nothing of it is left. */
  giveUp(): boolean;
  /** Keeps back again what was given up, as far as there is room. Never throws. */
  replenish(): void;
}
