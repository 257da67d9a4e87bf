import { expect, test } from 'vitest';
import { MAX_PAYLOAD } from '../../src/disk/journal/frame.ts';
import type { Machine } from '../../src/disk/journal/machine.ts';
import { Journal } from './support/journal.ts';
import { temporaryDirectory } from './support/place.ts';

/** Counts records. Its snapshot has one that no reader could take for a record. */
class Bloated implements Machine<number> {
  count = 0;
  apply(): number {
    return (this.count += 1);
  }
  reset(): void {
    this.count = 0;
  }
  restore(): void {}
  restored(): void {}
  snapshot(): Iterable<{ kind: number; payload: Uint8Array }> {
    return [{ kind: 1, payload: new Uint8Array(MAX_PAYLOAD + 1) }];
  }
}

test('a snapshot that could not be read again fails the compaction, and leaves the journal as it was', () => {
  const directory = temporaryDirectory();
  Journal.create(directory);
  const journal = new Journal(directory, new Bloated());
  journal.append(1, 7, 1, new Uint8Array(10));
  expect(() => journal.compact()).toThrow(expect.objectContaining({ code: 'record-too-large' }) as Error);
  expect(journal.append(1, 7, 2, new Uint8Array(10))).toBe(2);
  journal.close();

  const machine = new Bloated();
  const later = new Journal(directory, machine);
  later.catchUp();
  expect([later.generation, machine.count]).toEqual([0, 2]);
  later.close();
});
