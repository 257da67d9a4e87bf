import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { onWarning, type StorageWarning } from '../../src/runtime/warning.ts';
import { Journal } from './support/journal.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';

/** The warnings of two readers of a journal of three records, whose second one was changed. */
function warningsAfter(change: (second: Uint8Array) => Uint8Array): { warnings: StorageWarning[]; records: number } {
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory);
  const writer = new Journal(directory, new Ledger());
  const sizes = [1, 2, 3].map((sequence) => {
    writer.append(1, 1, sequence, bytes(`record ${sequence}`.repeat(20)));
    return writer.size;
  });
  const [from = 0, to = 0] = sizes;
  const whole = fs.readFileSync(writer.file);
  fs.writeFileSync(writer.file, Buffer.concat([whole.subarray(0, from), change(whole.subarray(from, to)), whole.subarray(to)]));
  const warnings: StorageWarning[] = [];
  const stop = onWarning((warning) => warnings.push(warning));
  const ledgers = [new Ledger(), new Ledger()];
  for (const ledger of ledgers) new Journal(directory, ledger).catchUp();
  stop();
  return { warnings, records: ledgers[1]?.entries.length ?? 0 };
}

test.each([3, 18, 30, 42, 60, 100])('a record with another byte at %i is told, once', (at) => {
  const { warnings, records } = warningsAfter((second) => second.map((byte, index) => (index === at ? byte ^ 1 : byte)));
  expect(records).toBe(2);
  expect(warnings.map(({ code }) => code)).toEqual(['record-damaged']);
});

test.each([1, 15, 16, 30, 43, 44, 45, 100])('a record of which a killed process wrote %i bytes is no damage', (length) => {
  const { warnings, records } = warningsAfter((second) => second.subarray(0, length));
  expect({ warnings, records }).toEqual({ warnings: [], records: 2 });
});
