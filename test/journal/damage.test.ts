import fs from 'node:fs';
import { join } from 'node:path';
import { describe as suite, expect, test } from 'vitest';
import { FRAME_OVERHEAD } from '../../src/disk/journal/frame.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { Journal } from './support/journal.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';

const COUNT = 12;

/** A journal with a snapshot and records of 0 to 33 bytes, and where the records begin and end in its file. */
function sample() {
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory, [{ kind: 1, payload: bytes('from the snapshot') }]);
  const ledger = new Ledger();
  const journal = new Journal(directory, ledger);
  journal.open();
  const edges = [journal.size];
  for (let index = 0; index < COUNT; index++) {
    journal.append(1, 1, index + 1, bytes('abc'.repeat(index)));
    edges.push(journal.size);
  }
  return { directory, path: journal.file, whole: fs.readFileSync(journal.file), edges, entries: ledger.entries };
}

function read(directory: string): { entries: string[]; damage: number } | string {
  const ledger = new Ledger();
  const journal = new Journal(directory, ledger);
  try {
    journal.catchUp();
    return { entries: ledger.entries, damage: journal.damage };
  } catch (error) {
    if (error instanceof HoldfastError) return error.code;
    throw error;
  } finally {
    journal.close();
  }
}

/** Which record a byte belongs to; -1 for the snapshot. */
function recordAt(edges: number[], offset: number): number {
  return edges.findLastIndex((edge) => edge <= offset);
}

suite('a journal that is cut at any byte', () => {
  test('loses only what is cut, invents nothing, and takes new records', () => {
    const { directory, path, whole, edges, entries } = sample();
    const [start = 0] = edges;
    for (let length = 0; length < whole.length; length++) {
      fs.writeFileSync(path, whole.subarray(0, length));
      if (length < start) {
        expect(read(directory), `cut to ${length}`).toBe('journal-damaged');
        continue;
      }
      const survivors = 1 + recordAt(edges, length);
      expect(read(directory), `cut to ${length}`).toEqual({ entries: entries.slice(0, survivors), damage: 0 });
      const journal = new Journal(directory, new Ledger());
      journal.append(1, 2, 1, bytes('new'));
      const torn = edges.includes(length) ? 0 : 1;
      const after = read(directory);
      expect(after, `cut to ${length}, then appended`).toMatchObject({ damage: torn });
      if (typeof after === 'string') throw new Error(after);
      expect(after.entries).toEqual([...entries.slice(0, survivors), expect.stringContaining('2/1')]);
      journal.close();
    }
  });

  test('looks the same to a reader that was there when the bytes came one by one', () => {
    const { directory, path, whole, edges, entries } = sample();
    const [start = 0] = edges;
    // A torn record in front, so that its verdict must change exactly when the next record is complete.
    const torn = whole.subarray(start, start + FRAME_OVERHEAD - 1);
    const file = Buffer.concat([whole.subarray(0, start), torn, whole.subarray(start)]);
    fs.writeFileSync(path, file.subarray(0, start));
    const ledger = new Ledger();
    const journal = new Journal(directory, ledger);
    journal.open();
    for (let length = start; length < file.length; length++) {
      fs.appendFileSync(path, file.subarray(length, length + 1));
      journal.catchUp();
      const complete = 1 + Math.max(0, recordAt(edges, length + 1 - torn.length));
      expect(ledger.entries).toEqual(entries.slice(0, complete));
      expect(read(directory)).toEqual({ entries: ledger.entries, damage: journal.damage });
    }
    expect(journal.damage).toBe(1);
  });
});

suite('a journal in which any byte is wrong', () => {
  test('loses only the record that the byte belongs to, or says that it is damaged', () => {
    const { directory, path, whole, edges, entries } = sample();
    const [start = 0] = edges;
    for (let offset = 0; offset < whole.length; offset++) {
      for (const change of [0x01, 0x80, 0xff]) {
        const file = Buffer.from(whole);
        file[offset] = (file[offset] ?? 0) ^ change;
        fs.writeFileSync(path, file);
        const where = `byte ${offset} changed by ${change}`;
        if (offset < start) {
          expect(read(directory), where).toBe('journal-damaged');
          continue;
        }
        const lost = recordAt(edges, offset);
        const damage = lost === COUNT - 1 ? 0 : 1;
        expect(read(directory), where).toEqual({ entries: entries.filter((_, index) => index !== lost + 1), damage });
      }
    }
  });

  test('or any two records are, loses just these two', () => {
    const { directory, path, whole, edges, entries } = sample();
    for (let first = 0; first < COUNT; first++) {
      for (let second = first + 1; second < COUNT; second++) {
        const file = Buffer.from(whole);
        for (const record of [first, second]) {
          const at = (edges[record] ?? 0) + 17;
          file[at] = (file[at] ?? 0) ^ 0xff;
        }
        fs.writeFileSync(path, file);
        const read2 = read(directory);
        if (typeof read2 === 'string') throw new Error(read2);
        expect(read2.entries).toEqual(entries.filter((_, index) => index !== first + 1 && index !== second + 1));
      }
    }
  });
});
