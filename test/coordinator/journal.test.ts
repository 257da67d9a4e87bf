import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { CoordinatorPlace } from '../../src/disk/coordinator/coordinator-place.ts';
import { OwnedJournal, UnsettledError } from '../../src/disk/coordinator/owned-journal.ts';
import type { Turn } from '../../src/disk/coordinator/owned-records.ts';
import { withDescriptor } from '../../src/runtime/descriptors.ts';
import { rootFor } from './root.ts';

const key = { origin: 'https://app.example', className: 'List', name: 'a' };
const turn = (value: string): Turn => ({ steps: [{ key: 'k', value }], alarm: undefined, got: [], begun: [], ended: [] });

/** Journals of one coordinator, as realms have them. */
function realms(durability: 'relaxed' | 'strict' = 'relaxed'): { open: () => OwnedJournal; directory: string } {
  const root = rootFor(key.origin, durability);
  const directory = path.join(new CoordinatorPlace(root, key).path, 'turns');
  const open = (): OwnedJournal => {
    const journal = new OwnedJournal(new CoordinatorPlace(root, key), { durability, quota: 1e6 });
    onTestFinished(() => journal.close());
    return journal;
  };
  return { open, directory };
}

/** As when the process has no descriptor left, for a moment. */
function runShort(): void {
  let isFirst = true;
  withDescriptor(() => {
    if (!isFirst) return;
    isFirst = false;
    throw Object.assign(new Error('no descriptor'), { code: 'EMFILE' });
  });
}

describe('the journal of a coordinator, as realms have it', () => {
  test('is taken by one of those who find nobody, though the other made it meanwhile', () => {
    const { open } = realms();
    const [a, b] = [open(), open()];
    expect([a.look(), b.look()]).toEqual([null, null]);
    expect([a.claim('a'), b.claim('b')]).toEqual([true, false]);
    expect(b.look()?.address).toBe('a');
    expect([b.claim('b'), a.check(), a.settle(turn('void')), b.settle(turn('b'))]).toEqual([true, false, 'deposed', 'settled']);
    expect([b.map.get('k'), b.epoch]).toEqual(['b', 2]);
  });

  test('is taken anew by whoever had it before', () => {
    const { open } = realms();
    const a = open();
    a.look();
    a.claim('a');
    a.look();
    a.claim('a');
    expect([a.epoch, a.check(), a.settle(turn('1'))]).toEqual([2, true, 'settled']);
    a.leave();
    expect([open().look(), a.check(), a.settle(turn('2'))]).toEqual([null, false, 'deposed']);
  });

  test('goes on over compactions of its own and of others, and takes 12 KB and three inodes', () => {
    const { open, directory } = realms();
    const a = open();
    a.look();
    a.claim('a');
    expect(fs.readdirSync(path.dirname(directory), { recursive: true })).toEqual(['turns', path.join('turns', '0')]);
    for (let n = 0; n < 1500; n++) expect(a.settle(turn('x'.repeat(800) + n))).toBe('settled');
    expect(fs.readdirSync(directory)).not.toContain('0');
    const b = open();
    expect([b.look()?.address, b.map.get('k')]).toEqual(['a', `${'x'.repeat(800)}1499`]);
    b.claim('b');
    for (let n = 0; n < 1500; n++) b.settle(turn('y'.repeat(800) + n));
    expect([a.check(), b.check(), a.map.get('k')]).toEqual([false, true, `${'y'.repeat(800)}1499`]);
  });

  test('that only writes is given up where descriptors are short, each time', () => {
    const { open } = realms();
    const a = open();
    a.look();
    a.claim('a');
    const [opens, closes] = [vi.spyOn(fs, 'openSync'), vi.spyOn(fs, 'closeSync')];
    runShort();
    for (const value of ['1', '2', '3']) {
      opens.mockClear();
      expect(a.settle(turn(value))).toBe('settled');
      expect(opens).toHaveBeenCalledOnce();
      const descriptor: unknown = opens.mock.results[0]?.value;
      runShort();
      expect(closes).toHaveBeenLastCalledWith(descriptor);
    }
    expect(a.map.get('k')).toBe('3');
  });

  test('stays open where hundreds take turns', () => {
    const root = rootFor(key.origin, 'relaxed');
    const all = Array.from({ length: 300 }, (_, n) => new OwnedJournal(new CoordinatorPlace(root, { ...key, name: `n${n}` }), { durability: 'relaxed', quota: 1e6 }));
    onTestFinished(() => all.forEach((journal) => journal.close()));
    for (const journal of all) {
      journal.look();
      journal.claim('a');
    }
    const opens = vi.spyOn(fs, 'openSync').mockClear();
    for (const value of ['1', '2']) for (const journal of all) journal.settle(turn(value));
    expect(opens).not.toHaveBeenCalled();
  });

  test('proves that nothing of a turn happened which the disk refused', () => {
    const { open } = realms();
    const a = open();
    a.look();
    a.claim('a');
    a.settle(turn('1'));
    vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    });
    let error: unknown;
    try {
      a.settle(turn('2'));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UnsettledError);
    expect([(error as UnsettledError).isVoid, a.map.get('k')]).toEqual([true, '1']);
  });

  test('is written anew after a sync that failed, before anything is built on it', () => {
    const { open, directory } = realms('strict');
    const a = open();
    a.look();
    a.claim('a');
    a.settle(turn('1'));
    vi.spyOn(fs, 'fdatasyncSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('broken'), { code: 'EIO' });
    });
    let error: unknown;
    try {
      a.settle(turn('2'));
    } catch (thrown) {
      error = thrown;
    }
    expect((error as UnsettledError).isVoid).toBe(false);
    a.close();
    const generation = fs.readdirSync(directory).sort().at(-1);
    const b = open();
    b.look();
    expect(b.claim('b')).toBe(true);
    expect(fs.readdirSync(directory).filter((name) => /^\d+$/.test(name)).sort().at(-1)).not.toBe(generation);
    expect(b.settle(turn('3'))).toBe('settled');
  });
});
