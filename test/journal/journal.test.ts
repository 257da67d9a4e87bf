import fs from 'node:fs';
import { join } from 'node:path';
import { describe as suite, expect, test } from 'vitest';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import type { JournalRecord } from '../../src/disk/journal/machine.ts';
import { client, codeOf, created, numbers } from './support/client.ts';
import { Journal } from './support/journal.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { temporaryDirectory } from './support/place.ts';
import { intercepting, systemError, type Interceptor } from './support/system-calls.ts';

suite('a journal', () => {
  test('that does not exist opens as false, reads as nothing, and is not created by it', () => {
    const directory = join(temporaryDirectory(), 'none');
    const { journal, ledger, write } = client(directory, 7);
    expect(journal.open()).toBe(false);
    journal.catchUp();
    expect(ledger.entries).toEqual([]);
    expect(codeOf(() => write('x'))).toBe('disk-failed');
    expect(fs.existsSync(directory)).toBe(false);
    Journal.create(directory);
    expect(journal.open()).toBe(true);
  });

  test('starts every machine with the snapshot that it was created with', () => {
    const directory = join(temporaryDirectory(), 'journal');
    Journal.create(directory, [{ kind: 1, payload: bytes('the beginning') }]);
    const { journal, ledger } = client(directory, 7);
    journal.open();
    expect(ledger.entries).toEqual(['the beginning']);
  });

  test('returns what the machine made of a record, and shows it to every other client in the same order', () => {
    const directory = created();
    const a = client(directory, 1);
    const b = client(directory, 2);
    expect([a.write('one'), b.write('two'), a.write('three')]).toEqual([0, 1, 2]);
    b.journal.catchUp();
    expect(b.ledger.entries).toEqual(a.ledger.entries);
    expect(b.ledger.entries).toHaveLength(3);
    expect(b.journal.count).toBe(3);
  });

  test('takes records of every size, the empty one and several megabytes, back to back', () => {
    const directory = created();
    const a = client(directory, 1, { compactAt: 2 ** 40 });
    const b = client(directory, 2);
    b.journal.open();
    for (const size of [0, 1, 16, 65_000, 65_488, 65_489, 65_536, 200_000, 3_000_000, 5]) a.write('x'.repeat(size));
    b.journal.catchUp();
    expect(b.ledger.entries).toEqual(a.ledger.entries);
    const late = client(directory, 3);
    late.journal.catchUp();
    expect(late.ledger.entries).toEqual(a.ledger.entries);
    expect(late.journal.damage).toBe(0);
  });

  test('is read a part at a time by whoever asks for some', () => {
    const directory = created();
    const a = client(directory, 1, { compactAt: 2 ** 40 });
    const b = client(directory, 2);
    for (let record = 0; record < 3000; record++) a.write('x'.repeat(100));
    const seen: number[] = [];
    let isMore = true;
    while (isMore) {
      isMore = b.journal.catchUpSome();
      seen.push(b.ledger.entries.length);
    }
    expect(seen.length).toBeGreaterThan(4);
    expect(Math.max(...seen.map((count, part) => count - (seen[part - 1] ?? 0)))).toBeLessThan(1000);
    expect(b.ledger.entries).toEqual(a.ledger.entries);
    // It goes on in the generations that follow.
    a.journal.compact();
    a.write('after');
    while (b.journal.catchUpSome());
    expect(b.ledger.entries).toEqual(a.ledger.entries);
    expect(b.ledger.restorations).toEqual([false]);
  });

  test('costs one system call to find no news, and two to append', () => {
    const directory = created();
    const a = client(directory, 1);
    a.write('one');
    const calls: string[] = [];
    const interceptor: Interceptor = (call, parameters, proceed) => {
      calls.push(call);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      a.journal.catchUp();
      expect(calls.splice(0)).toEqual(['readSync']);
      a.write('two');
      expect(calls).toEqual(['writeSync', 'readSync']);
    });
  });

  test('refuses records that no journal can hold, before anything is written', () => {
    const { journal } = client(created(), 1);
    for (const [kind, session, sequence] of [[0, 1, 1], [200, 1, 1], [1, 0, 1], [1, 2 ** 53, 1], [1, 1, 0], [1, 1, 2 ** 32], [1.5, 1, 1]] as const) {
      expect(() => journal.append(kind, session, sequence, bytes(''))).toThrow(RangeError);
    }
    expect(codeOf(() => journal.append(1, 1, 1, new Uint8Array(2 ** 28 + 1)))).toBe('record-too-large');
    journal.catchUp();
    expect(journal.count).toBe(0);
  });

  test('stops for good at a record that its machine does not know', () => {
    const directory = created();
    const older = new (class extends Ledger {
      override apply(record: JournalRecord): number {
        if (record.kind > 1) throw new HoldfastError('unknown-record', 'from the future');
        return super.apply(record);
      }
    })();
    const a = client(directory, 1);
    const b = client(directory, 2, {}, older);
    a.write('one');
    a.journal.append(2, 9, 1, bytes('new kind'));
    a.write('three');
    for (let attempt = 0; attempt < 3; attempt++) expect(codeOf(() => b.journal.catchUp())).toBe('unknown-record');
    expect(codeOf(() => b.write('four'))).toBe('unknown-record');
    expect(older.entries).toHaveLength(1);
  });

  test('refuses a machine that uses a journal while it is being fed', () => {
    const directory = created();
    const other = client(directory, 2);
    other.write('x');
    const nested = new (class extends Ledger {
      override apply(): number {
        other.journal.catchUp();
        return 0;
      }
    })();
    expect(() => client(directory, 1, {}, nested).journal.catchUp()).toThrow('may not use a journal');
    other.journal.catchUp();
  });

  test('that was closed says so; one that was suspended goes on where it was', () => {
    const directory = created();
    const a = client(directory, 1);
    const b = client(directory, 2);
    a.write('one');
    a.journal.suspend();
    b.write('two');
    expect(a.write('three')).toBe(2);
    expect(a.ledger.restorations).toEqual([false]);
    a.journal.close();
    expect(codeOf(() => a.journal.catchUp())).toBe('closed');
    expect(codeOf(() => a.write('four'))).toBe('closed');
    expect(codeOf(() => a.journal.open())).toBe('closed');
  });

  test('can be read, not written, where the disk allows no more, and written when it does again', () => {
    const directory = created();
    client(directory, 1).write('one');
    const reader = client(directory, 2);
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (call === 'openSync' && (Number(parameters[1]) & fs.constants.O_RDWR) !== 0) throw systemError('EROFS', call);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      reader.journal.catchUp();
      expect(reader.ledger.entries).toHaveLength(1);
      expect(codeOf(() => reader.write('two'))).toBe('root-read-only');
    });
    expect(reader.write('two')).toBe(1);
  });

  test('runs appends and compactions inside the section that it was given', () => {
    let depth = 0;
    const directory = created();
    const writes: number[] = [];
    const a = client(directory, 1, {
      exclusively: (section) => {
        depth++;
        try {
          return section();
        } finally {
          depth--;
        }
      },
    });
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (call === 'writeSync') writes.push(depth);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      a.write('one');
      a.journal.compact();
    });
    expect(writes.length).toBeGreaterThan(2);
    expect(new Set(writes)).toEqual(new Set([1]));
  });
});

suite('a journal directory', () => {
  test('that shows no generation is an error, never an empty journal', () => {
    const directory = created();
    fs.unlinkSync(join(directory, '0'));
    const { journal } = client(directory, 1);
    expect(codeOf(() => journal.open())).toBe('journal-damaged');
    expect(numbers(directory)).toEqual([]);
  });

  test('whose newest generation was cut inside its header or its snapshot is an error, never an empty journal', () => {
    const directory = created();
    const a = client(directory, 1);
    for (let index = 0; index < 5; index++) a.write(`entry ${index}`);
    a.journal.compact();
    const whole = fs.readFileSync(a.journal.file);
    for (let length = 0; length < whole.length; length++) {
      fs.writeFileSync(a.journal.file, whole.subarray(0, length));
      const { journal, ledger } = client(directory, 2);
      expect(codeOf(() => journal.open()), `cut to ${length} bytes`).toBe('journal-damaged');
      expect(ledger.restorations).toEqual([]);
    }
  });

  test('of a newer format is refused', () => {
    const directory = created();
    const path = join(directory, '0');
    const file = fs.readFileSync(path);
    file.writeUInt32LE(3, 8);
    fs.writeFileSync(path, file);
    expect(codeOf(() => client(directory, 1).journal.open())).toBe('journal-damaged');
    file.writeUInt32LE(crc32(file, 0, 32), 32);
    fs.writeFileSync(path, file);
    expect(codeOf(() => client(directory, 1).journal.open())).toBe('root-newer');
  });
});

suite('strict durability', () => {
  test('syncs the candidate before the SEAL, the directory before a deletion, and every append', () => {
    const directory = created();
    const a = client(directory, 1, { durability: 'strict' });
    a.write('zero');
    const steps: string[] = [];
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (call !== 'readSync' && call !== 'closeSync') steps.push(call);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      a.write('one');
      expect(steps.splice(0)).toEqual(['writeSync', 'fdatasyncSync']);
      a.journal.compact();
    });
    const seal = steps.lastIndexOf('writeSync');
    const link = steps.indexOf('linkSync');
    expect(steps.slice(0, seal)).toEqual(['openSync', 'writeSync', 'fsyncSync', 'openSync', 'fsyncSync']);
    expect(link).toBeGreaterThan(seal);
    expect(steps.indexOf('fsyncSync', link)).toBeLessThan(steps.indexOf('unlinkSync'));
  });

  test('reports a failed sync as an unknown outcome, and trusts no later append', () => {
    const directory = created();
    const a = client(directory, 1, { durability: 'strict' });
    a.write('zero');
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (call === 'fdatasyncSync') throw systemError('EIO', call);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      expect(() => a.write('one')).toThrow(/unknown/);
    });
    expect(codeOf(() => a.write('two'))).toBe('disk-failed');
    a.journal.catchUp();
    expect(a.ledger.entries).toHaveLength(2);
  });
});
