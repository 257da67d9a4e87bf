import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Operation } from './operation.ts';

/**
 * Why the order refused an operation: it did not fit the quota, another value was expected, or its bytes make no
 * sense. `unknown`: it cannot be told any more whether it took effect.
 */
export type Refusal = 'quota' | 'expected' | 'damaged' | 'unknown';

/** In the order of their numbers in what is written. */
export const REFUSALS: readonly Refusal[] = ['quota', 'expected', 'damaged', 'unknown'];

/** What the order of a hub is applied to: the confirmed state, the same in every region at the same position. */
export interface Model {
  /**
   * Applies an operation at its place in the order. Null: it was accepted. Depends on nothing but the operations before
   * it; a refused one changes nothing. Never throws: bytes that make no sense are refused as `damaged`.
   */
  confirm(operation: Operation): Refusal | null;
  /** Whether this code knows the kind of an operation; one that it does not know must wait for newer code. */
  knows(kind: number): boolean;
  /** Whether whoever makes an operation of this kind waits to be told what becomes of it. */
  isAwaited(kind: number): boolean;
  /** Empties the confirmed state. */
  clear(): void;
  /** Writes the confirmed state; equal states in equal bytes. */
  write(writer: ByteWriter): void;
  /** Replaces the confirmed state by what is there to the end. @throws HoldfastError hub-damaged; nothing has changed then */
  read(reader: ByteReader): void;
  /**
   * The operations, as kind and payload, that add what the confirmed state holds to another one. What is there already
   * and equal is no obstacle; what is there and differs stays, and the operation is refused as `expected`.
   */
  seeds(): Iterable<{ readonly kind: number; readonly payload: Uint8Array }>;
}
