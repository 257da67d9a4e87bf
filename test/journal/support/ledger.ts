import zlib from 'node:zlib';
import type { JournalRecord, Machine, SnapshotRecord } from '../../../src/disk/journal/machine.ts';

const ENTRY = 1;

/**
 * A state machine that forgets nothing: its state is the whole history. So two of them are equal only if they were fed
 * the same records in the same order, and a test can ask for every single one. The outcome is the record's place.
 */
export class Ledger implements Machine<number> {
  entries: string[] = [];
  /** How often a snapshot replaced the state, and what {@link restored} was told. */
  readonly restorations: boolean[] = [];

  apply(record: JournalRecord): number {
    return this.entries.push(describe(record)) - 1;
  }

  reset(): void {
    this.entries = [];
  }

  restore(_kind: number, payload: Uint8Array): void {
    this.entries.push(new TextDecoder().decode(payload));
  }

  restored(behind: boolean): void {
    this.restorations.push(behind);
  }

  *snapshot(): Iterable<SnapshotRecord> {
    for (const entry of this.entries) yield { kind: ENTRY, payload: new TextEncoder().encode(entry) };
  }
}

/** One line that tells a record from every other: its identity, its size, and a digest of every byte. */
export function describe({ kind, session, sequence, payload }: JournalRecord): string {
  return `${session}/${sequence} kind ${kind}, ${payload.length} bytes, ${zlib.crc32(payload).toString(16)}`;
}

export function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
