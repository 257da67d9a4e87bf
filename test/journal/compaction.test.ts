import fs from 'node:fs';
import { join } from 'node:path';
import { describe as suite, expect, test } from 'vitest';
import { isEncrypted } from '../support/sealed.ts';
import { client, created, numbers, type Client } from './support/client.ts';
import { bytes, Ledger } from './support/ledger.ts';
import { intercepting, isSeal, systemError, type Interceptor } from './support/system-calls.ts';

/** Lets `other` move the journal on by so many generations. */
function compactTimes(other: Client, times: number): void {
  for (let round = 0; round < times; round++) {
    other.write(`round ${round}`);
    expect(other.journal.compact()).toBe(true);
  }
}

suite('compaction', () => {
  test('keeps the state, ends the old generation, and leaves neither it nor a candidate behind', () => {
    const directory = created();
    const a = client(directory, 1);
    const b = client(directory, 2);
    for (const text of ['one', 'two', 'three']) a.write(text);
    b.journal.catchUp();
    expect(a.journal.compact()).toBe(true);
    expect([a.journal.generation, numbers(directory)]).toEqual([1, ['1']]);
    expect(fs.readdirSync(join(directory, 'cand'))).toEqual([]);
    expect(b.write('four')).toBe(3);
    expect(b.journal.generation).toBe(1);
    const late = client(directory, 3);
    late.journal.catchUp();
    expect(late.ledger.entries).toEqual(b.ledger.entries);
    expect(late.journal.count).toBe(4);
  });

  test('happens by itself when the journal has outgrown its limit and its snapshot', () => {
    const directory = created();
    const small = new (class extends Ledger {
      override *snapshot() {
        yield { kind: 1, payload: bytes('all of it') };
      }
    })();
    const a = client(directory, 1, { compactAt: 4096 }, small);
    for (let index = 0; index < 1000; index++) a.write('x'.repeat(52));
    expect(a.journal.generation).toBeGreaterThanOrEqual(20);
    // Each record is 29 bytes longer with a key.
    expect(a.journal.generation).toBeLessThanOrEqual(isEncrypted ? 40 : 30);
    expect(a.journal.size).toBeLessThanOrEqual(4096 + 100);
  });

  test('is not repeated while the snapshot is most of the journal', () => {
    const directory = created();
    const a = client(directory, 1, { compactAt: 100 });
    for (let index = 0; index < 3000; index++) a.write('x'.repeat(50));
    // The ledger's snapshot is its whole history, so each generation must be several times the one before.
    expect(a.journal.generation).toBeLessThan(16);
  });

  test('carries a record that came between the snapshot and the SEAL over, however often that happens', () => {
    const directory = created();
    const a = client(directory, 1);
    const b = client(directory, 2);
    a.write('one');
    b.journal.open();
    let seals = 0;
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (isSeal(call, parameters) && seals++ < 5) b.write(`in between ${seals}`);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      expect(a.journal.compact()).toBe(true);
    });
    expect(seals).toBe(6);
    b.journal.catchUp();
    const late = client(directory, 3);
    late.journal.catchUp();
    expect(late.ledger.entries).toHaveLength(6);
    expect(late.ledger.entries).toEqual(a.ledger.entries);
    expect(b.ledger.entries).toEqual(a.ledger.entries);
    expect(b.ledger.restorations).toEqual([false]);
  });

  test('gives up against writers that never pause, and leaves no trace', () => {
    const directory = created();
    const a = client(directory, 1);
    const b = client(directory, 2);
    a.write('one');
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (isSeal(call, parameters)) b.write('in between');
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      expect(a.journal.compact()).toBe(false);
    });
    expect(a.journal.generation).toBe(0);
    expect(fs.readdirSync(join(directory, 'cand'))).toEqual([]);
    expect(a.write('after')).toBe(b.ledger.entries.length);
  });

  test('of a journal with a torn end works', () => {
    const directory = created();
    const a = client(directory, 1);
    a.write('one');
    fs.appendFileSync(a.journal.file, fs.readFileSync(a.journal.file).subarray(-40));
    expect(a.journal.compact()).toBe(true);
    expect(a.write('two')).toBe(1);
  });

  test('by two at once: the second finds its SEAL void and goes on in the generation of the first', () => {
    const directory = created();
    const a = client(directory, 1);
    const b = client(directory, 2);
    a.write('one');
    b.journal.catchUp();
    let others = 0;
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (isSeal(call, parameters) && others++ === 0) b.journal.compact();
      return proceed(...parameters);
    };
    intercepting(interceptor, () => {
      expect(a.journal.compact()).toBe(true);
    });
    expect([a.journal.generation, b.journal.generation]).toEqual([1, 1]);
    expect(fs.readdirSync(join(directory, 'cand'))).toEqual([]);
    b.write('two');
    a.journal.catchUp();
    expect(a.ledger.entries).toEqual(b.ledger.entries);
  });

  test('keeps as many sealed generations as it was told, and deletes candidates that can no longer win', () => {
    const directory = created();
    const a = client(directory, 1, { retain: 2 });
    a.write('one');
    fs.writeFileSync(join(directory, 'cand', `1.${'0'.repeat(32)}`), 'left by a compactor that was killed');
    compactTimes(a, 5);
    expect(numbers(directory).sort()).toEqual(['3', '4', '5']);
    expect(fs.readdirSync(join(directory, 'cand'))).toEqual([]);
  });
});

suite('a client that sleeps through three generations', () => {
  test('gets every record exactly once, if they were retained', () => {
    const directory = created();
    const sleeper = client(directory, 1);
    const other = client(directory, 2, { retain: 3 });
    sleeper.write('before');
    compactTimes(other, 3);
    expect(sleeper.write('after')).toBe(4);
    expect(sleeper.ledger.restorations).toEqual([false]);
    expect(sleeper.ledger.entries).toHaveLength(5);
    other.journal.catchUp();
    expect(sleeper.ledger.entries).toEqual(other.ledger.entries);
  });

  test('reads its deleted generation to the SEAL, then restores the newest, if nothing was retained', () => {
    const directory = created();
    const sleeper = client(directory, 1);
    const other = client(directory, 2);
    sleeper.write('before');
    compactTimes(other, 3);
    expect(numbers(directory)).toEqual(['3']);
    expect(sleeper.write('after')).toBe(4);
    expect(sleeper.ledger.restorations).toEqual([false, true]);
    other.journal.catchUp();
    expect(sleeper.ledger.entries).toEqual(other.ledger.entries);
    expect(numbers(directory)).toEqual(['3']);
  });

  test('without a descriptor restores the newest, and creates no name again', () => {
    const directory = created();
    const sleeper = client(directory, 1);
    const other = client(directory, 2);
    sleeper.write('before');
    sleeper.journal.suspend();
    compactTimes(other, 3);
    sleeper.journal.catchUp();
    expect(sleeper.ledger.restorations).toEqual([false, true]);
    expect(sleeper.ledger.entries).toEqual(other.ledger.entries);
    expect(numbers(directory)).toEqual(['3']);
    expect(fs.readdirSync(join(directory, 'cand'))).toEqual([]);
  });

  test('and falls asleep again between the SEAL and the link finds nothing to link', () => {
    const directory = created();
    const [sleeper, other] = [client(directory, 1), client(directory, 2)];
    sleeper.write('before');
    sealAndDie(client(directory, 3));
    expect(numbers(directory)).toEqual(['0']);
    let links = 0;
    const interceptor: Interceptor = (call, parameters, proceed) => {
      if (call === 'linkSync' && links++ === 0) compactTimes(other, 3);
      return proceed(...parameters);
    };
    intercepting(interceptor, () => sleeper.journal.catchUp());
    expect(links).toBe(5);
    expect(sleeper.ledger.entries).toEqual(other.ledger.entries);
    expect(numbers(directory)).toEqual(['4']);
    expect(fs.readdirSync(join(directory, 'cand'))).toEqual([]);
  });
});

/** Compacts, and fails in every system call after the SEAL, as a process does that is killed there. */
function sealAndDie({ journal }: Client): void {
  let dead = false;
  const interceptor: Interceptor = (call, parameters, proceed) => {
    if (dead) throw systemError('EIO', call);
    dead = isSeal(call, parameters);
    return proceed(...parameters);
  };
  expect(() => intercepting(interceptor, () => journal.compact())).toThrow();
}
