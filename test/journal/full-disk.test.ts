import fs from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Space } from '../../src/disk/journal/space.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { Journal } from './support/journal.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';
import { intercepting, shortWrite, systemError, type Interceptor } from './support/system-calls.ts';

const DATA = 1;
const REMOVAL = 2;

/** A disk that others fill at the moment at which they are least welcome: it has said that there is room. */
class Disk implements Space {
  isFull = false;
  reserve = 2;
  refused = false;
  left(): number {
    return Infinity;
  }
  hasRoom(): boolean {
    return !this.refused;
  }
  refusal(): HoldfastError {
    return new HoldfastError('disk-full', 'refused');
  }
  giveUp(): boolean {
    if (this.reserve === 0) return false;
    this.reserve--;
    this.isFull = false;
    return true;
  }
  replenish(): void {}

  /** Takes `size` bytes of the next write, and nothing from then on. */
  fillingAt(size: number): Interceptor {
    return (call, parameters, proceed) => {
      if (call !== 'writeSync') return proceed(...parameters);
      if (this.isFull) throw systemError('ENOSPC', call);
      if (Number(parameters[3]) <= size) return proceed(...parameters);
      this.isFull = true;
      return shortWrite(parameters, size, proceed);
    };
  }
}

function journalOn(disk: Disk): { journal: Journal<number>; ledger: Ledger; directory: string } {
  const directory = join(temporaryDirectory(), 'journal');
  Journal.create(directory);
  const ledger = new Ledger();
  const journal = new Journal(directory, ledger, { space: disk, vital: (kind) => kind === REMOVAL });
  journal.append(DATA, 1, 1, bytes('before'));
  return { journal, ledger, directory };
}

function codeOf(body: () => unknown): string {
  try {
    body();
    return 'ok';
  } catch (error) {
    return error instanceof HoldfastError ? error.code : String(error);
  }
}

const bytesIn = (directory: string): number =>
  fs.readdirSync(directory).reduce((sum, name) => sum + (name === 'cand' ? 0 : fs.statSync(join(directory, name)).size), 0);

test('what the disk took of a record in part is given back at once, though others have appended behind it', () => {
  const disk = new Disk();
  const { journal, ledger, directory } = journalOn(disk);
  const other = new Journal(directory, new Ledger(), { space: disk });
  const record = new Uint8Array(2_000_000);
  let torn = 0;
  const result = intercepting(disk.fillingAt(1_000_000), () => codeOf(() => journal.append(DATA, 1, 2, record)));
  torn = bytesIn(directory);
  expect(result).toBe('disk-full');
  expect(torn).toBeLessThan(10_000);
  expect(disk.reserve).toBeLessThan(2);
  other.append(DATA, 2, 1, bytes('after'));
  journal.append(DATA, 1, 2, record);
  expect(ledger.entries.length).toBe(3);
});

test('a removal takes the reserve, and fails only when nothing of it is left', () => {
  const disk = new Disk();
  const { journal, ledger } = journalOn(disk);
  const full: Interceptor = (call, parameters, proceed) => {
    if (call === 'writeSync' && disk.isFull) throw systemError('ENOSPC', call);
    return proceed(...parameters);
  };
  intercepting(full, () => {
    for (let sequence = 2; sequence < 4; sequence++) {
      disk.isFull = true;
      expect(codeOf(() => journal.append(DATA, 1, sequence, bytes('data')))).toBe('disk-full');
      expect(codeOf(() => journal.append(REMOVAL, 1, sequence, bytes('removal')))).toBe('ok');
    }
    disk.isFull = true;
    expect(codeOf(() => journal.append(REMOVAL, 1, 4, bytes('removal')))).toBe('disk-full');
  });
  expect(codeOf(() => journal.append(REMOVAL, 1, 4, bytes('removal')))).toBe('ok');
  expect(ledger.entries.length).toBe(4);
});

test('data that would leave no room for a compaction is refused unwritten, unless the journal can shrink', () => {
  const disk = new Disk();
  const { journal, directory } = journalOn(disk);
  const before = bytesIn(directory);
  disk.refused = true;
  expect(codeOf(() => journal.append(DATA, 1, 2, bytes('refused')))).toBe('disk-full');
  expect(bytesIn(directory)).toBe(before);
  expect(codeOf(() => journal.append(REMOVAL, 1, 2, bytes('removal')))).toBe('ok');
  disk.refused = false;
  expect(codeOf(() => journal.append(DATA, 1, 3, bytes('data')))).toBe('ok');
});
