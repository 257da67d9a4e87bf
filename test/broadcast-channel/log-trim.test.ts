import { describe, expect, test } from 'vitest';
import { LogTrim } from '../../src/sync/channels/log-trim.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';

const MEGABYTE = 2 ** 20;

async function logOf(entries: number): Promise<{ trim: LogTrim; first: () => Promise<number>; add: (count: number, bytes: number, time: number) => void }> {
  const log = memoryHub(new MemoryEngine()).log('channels');
  for (let n = 1; n <= entries; n += 1) await log.append([{ id: String(n), bytes: new Uint8Array(1) }]);
  const trim = new LogTrim(log);
  let position = 0;
  return {
    trim,
    first: async () => (await log.head()).first,
    add(count, bytes, time) {
      for (let n = 0; n < count; n += 1) trim.passed((position += 1), bytes, time);
    },
  };
}

describe('a log of messages', () => {
  test('is trimmed of what is older than ten seconds, by a region that has given it something', async () => {
    const { trim, first, add } = await logOf(20);
    add(10, 100, 0);
    add(10, 100, 5000);
    expect(trim.wait(20_000)).toBe(Infinity);
    trim.oblige();
    expect(trim.wait(0)).toBe(10_500);
    await trim.run(10_500);
    expect(await first()).toBe(11);
    expect(trim.wait(10_500)).toBe(5000);
    await trim.run(15_500);
    expect(await first()).toBe(21);
    expect(trim.wait(15_500)).toBe(Infinity);
  });

  test('is trimmed at once of what is too much', async () => {
    const { trim, first, add } = await logOf(100);
    for (let n = 0; n < 100; n += 1) add(1, MEGABYTE, n * 600);
    trim.oblige();
    expect(trim.wait(0)).toBe(0);
    await trim.run(0);
    expect(await first()).toBe(69);
  });

  test('keeps few notes, however many entries there are', async () => {
    const { trim, first, add } = await logOf(1000);
    add(1000, 1, 0);
    trim.oblige();
    await trim.run(10_500);
    expect(await first()).toBe(1001);
  });
});
