import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AccountMachine } from '../../src/disk/quota/machine.ts';
import type { Verdict } from '../../src/disk/quota/machine.ts';
import { encodeAdjustment, encodeBegin, encodeCount, encodeDead, kinds } from '../../src/disk/quota/records.ts';
import type { Adjustment } from '../../src/disk/quota/records.ts';
import { Ledgers } from './model.ts';

const identity = { boot: 'boot', namespace: 'pid:[1]', pid: 1, tid: 1, start: 5 };
const nothing: Adjustment = {
  identity, epoch: 0, stale: false, limit: 1000, need: 0, want: 0, used: new Map(), freed: new Map(),
};
const files = (bytes: number): ReadonlyMap<number, number> => new Map(bytes === 0 ? [] : [[0, bytes]]);

/** A machine, and whoever writes its records. */
class Author {
  readonly machine = new AccountMachine();
  #sequence = 0;

  tell(session: number, kind: number, payload: Uint8Array = new Uint8Array(0)): Verdict {
    return this.machine.apply({ kind, session, sequence: ++this.#sequence, payload });
  }

  adjust(session: number, adjustment: Partial<Adjustment>): Verdict {
    return this.tell(session, kinds.adjust, encodeAdjustment({ ...nothing, epoch: this.machine.epoch, ...adjustment }));
  }

  count(session: number, bytes: number): Verdict {
    const count = { epoch: this.machine.epoch, at: 1, boot: 'boot', amounts: files(bytes) };
    return this.tell(session, kinds.end, encodeCount(count));
  }

  begin(session: number): void {
    this.tell(session, kinds.begin, encodeBegin(identity));
  }

  get taken(): number {
    return this.machine.taken;
  }
}

describe('an account', () => {
  test('reserves what is needed, and of what is left beyond that no more than an eighth', () => {
    const author = new Author();
    expect(author.adjust(1, { need: 200, want: 1000 })).toEqual({ heard: true, granted: true, requested: 200 });
    expect(author.machine.reserved).toBe(300);
    expect(author.adjust(2, { need: 700, want: 1000 })).toMatchObject({ granted: true, requested: 1000 });
    expect(author.taken).toBe(1000);
    expect(author.adjust(3, { need: 1 })).toMatchObject({ granted: false, requested: 1001 });
  });

  test('takes what was reserved and not used for nothing, once it is given back', () => {
    const author = new Author();
    author.adjust(1, { need: 400 });
    author.adjust(1, { used: files(150) });
    expect(author.taken).toBe(150);
    expect(author.machine.reservations.size).toBe(0);
  });

  test('keeps a reservation that is refused more', () => {
    const author = new Author();
    author.adjust(1, { need: 400 });
    expect(author.adjust(1, { used: files(100), need: 2000 }).granted).toBe(false);
    expect(author.machine.reservations.get(1)?.bytes).toBe(300);
    expect(author.taken).toBe(400);
  });

  test('leaves a session what it has when the limit is lower than that', () => {
    const author = new Author();
    author.adjust(1, { need: 400 });
    expect(author.adjust(1, { need: 300, limit: 10 }).granted).toBe(true);
    expect(author.adjust(1, { need: 301, limit: 10 }).granted).toBe(false);
    expect(author.machine.reserved).toBe(300);
  });

  test('takes what a dead session had reserved for used, and asks to be counted', () => {
    const author = new Author();
    author.adjust(1, { need: 400 });
    author.tell(2, kinds.dead, encodeDead(1));
    expect([author.taken, author.machine.reserved, author.machine.doubtful]).toEqual([400, 0, true]);
    expect(author.adjust(1, { identity: null, used: files(400) }).heard).toBe(false);
    expect(author.taken).toBe(400);
    author.begin(2);
    author.count(2, 17);
    expect([author.taken, author.machine.doubtful]).toEqual([17, false]);
  });

  test('gives nothing back that a counting may not have met', () => {
    const author = new Author();
    author.adjust(1, { need: 100 });
    author.adjust(1, { used: files(100) });
    author.begin(2);
    author.adjust(1, { freed: files(50) });
    author.count(2, 100);
    expect([author.taken, author.machine.doubtful]).toEqual([100, true]);
    author.begin(2);
    author.count(2, 100);
    author.adjust(1, { epoch: 1, freed: files(50) });
    expect([author.taken, author.machine.doubtful]).toEqual([100, true]);
    author.adjust(1, { epoch: 2, freed: files(50) });
    expect(author.taken).toBe(50);
  });

  test('adds what was used meanwhile to what a counting came to, and has it repeated', () => {
    const author = new Author();
    author.begin(1);
    author.adjust(2, { need: 30 });
    author.adjust(2, { used: files(30) });
    author.count(1, 500);
    expect([author.taken, author.machine.doubtful]).toEqual([530, true]);
  });

  test('has a counting repeated that began while others had reserved something', () => {
    const author = new Author();
    author.adjust(2, { need: 30 });
    author.begin(1);
    author.count(1, 500);
    expect([author.taken, author.machine.doubtful]).toEqual([530, true]);
  });

  test('does not hear of a counting whose place another one has taken', () => {
    const author = new Author();
    author.begin(1);
    author.begin(2);
    expect(author.count(1, 5).heard).toBe(false);
    expect(author.machine.counting?.session).toBe(2);
    author.tell(3, kinds.dead, encodeDead(2));
    expect(author.machine.counting).toBeNull();
    expect(author.count(2, 5).heard).toBe(false);
  });

  test('takes what one session has freed before another one has told that it used it', () => {
    const author = new Author();
    author.adjust(1, { need: 100 });
    author.adjust(2, { freed: files(70) });
    expect([author.taken, author.machine.usage.get(0), author.machine.doubtful]).toEqual([30, 0, false]);
    author.adjust(1, { used: files(100) });
    expect(author.taken).toBe(30);
  });

  test('never falls below nothing, and is counted when it would', () => {
    const author = new Author();
    author.adjust(1, { freed: files(50) });
    expect([author.taken, author.machine.doubtful]).toEqual([0, true]);
  });

  test.each([new Uint8Array(0), Uint8Array.of(1, 5), Uint8Array.of(0, 0, 0, 0, 0, 1, 64, 0, 0), Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 9)])(
    'that has a record %j is damaged',
    (payload) => {
      expect(() => new Author().tell(1, kinds.adjust, payload)).toThrow(expect.objectContaining({ code: 'journal-damaged' }));
    },
  );

  test('of a later version is not guessed at', () => {
    expect(() => new Author().tell(1, 6)).toThrow(expect.objectContaining({ code: 'unknown-record' }));
    expect(() => new AccountMachine().restore(3, new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'unknown-record' }));
  });
});

describe('whatever sessions do in whatever order', () => {
  test('the account is never below what is there, nor beyond the limit, and exact after a counting in peace', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(7), fc.nat(2), fc.nat(600)), { maxLength: 80 }), (steps) => {
        const ledgers = new Ledgers(2000);
        for (const [what, who, bytes] of steps) {
          ledgers.step(what, who, bytes);
          expect(ledgers.taken).toBeGreaterThanOrEqual(ledgers.onDisk);
          expect(ledgers.onDisk).toBeLessThanOrEqual(2000);
        }
        expect(ledgers.countInPeace()).toBe(ledgers.onDisk);
      }),
      { numRuns: 3000 },
    );
  });

  test('a snapshot is the whole of it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(7), fc.nat(2), fc.nat(600)), { maxLength: 40 }), (steps) => {
        const ledgers = new Ledgers(2000);
        for (const [what, who, bytes] of steps) ledgers.step(what, who, bytes);
        const copy = new AccountMachine();
        copy.reset();
        for (const { kind, payload } of ledgers.machine.snapshot()) copy.restore(kind, payload);
        copy.restored();
        expect([...copy.snapshot()]).toEqual([...ledgers.machine.snapshot()]);
        expect(copy.reserved).toBe(ledgers.machine.reserved);
        expect([copy.counting, copy.countedAt, copy.boots]).toEqual([ledgers.machine.counting, ledgers.machine.countedAt, ledgers.machine.boots]);
      }),
    );
  });
});
