import fs from 'node:fs';
import { expect, onTestFinished, test, vi } from 'vitest';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';
import { rootFor } from './root.ts';

// Fewer where each name is encrypted, and each look decrypts it.
const COUNT = isEncrypted ? 4_000 : 20_000;
const keyOf = (n: number): { origin: string; className: string; name: string } => ({ origin: 'https://app.example', className: 'Counter', name: `number ${n}` });

test('very many alarms are all known over restarts, none twice, and those that ran no more', () => {
  const root = rootFor('https://app.example');
  const open = (): AlarmIndex => {
    const index = new AlarmIndex(root);
    index.look();
    return index;
  };
  const first = open();
  for (let n = 0; n < COUNT; n++) first.note(keyOf(n), 1000 + n, 1);
  first.close();
  const second = open();
  expect([second.size, second.earliest]).toEqual([COUNT, 1000]);
  expect(new Set(second.due(1000 + COUNT / 2 - 1).map(({ name }) => name)).size).toBe(COUNT / 2);
  // A takeover: another owner speaks of it, and what the one before says is void.
  for (let n = 0; n < COUNT; n += 2) second.forget(keyOf(n), 2);
  second.move(keyOf(1), 5, 2);
  second.forget(keyOf(1), 1);
  second.close();
  const third = open();
  expect([third.size, third.earliest, third.due(Infinity).length]).toEqual([COUNT / 2, 5, COUNT / 2]);
  third.close();
});

/** How often something is written while `body` runs. */
async function writes(body: () => unknown): Promise<number> {
  const written = vi.spyOn(fs, 'writeSync');
  try {
    await body();
    return written.mock.calls.length;
  } finally {
    written.mockRestore();
  }
}

test('what is expected is known to others once one of them is noted, and all in one record', async () => {
  const root = rootFor('https://app.example');
  const [ours, theirs] = [new AlarmIndex(root), new AlarmIndex(root)];
  ours.note(keyOf(0), 5000, 1);
  const others = Array.from({ length: 9 }, (_, n) => n + 1);
  const known = (): unknown[] => {
    theirs.look();
    return [theirs.size, theirs.earliest, theirs.epochOf(keyOf(9))];
  };
  for (const n of others) ours.expect(keyOf(n), 1000 + n, n);
  expect(known()).toEqual([1, 5000, 0]);
  const count = await writes(() => {
    for (const n of others) ours.note(keyOf(n), 1000 + n, n);
  });
  expect(count).toBe(1);
  expect(known()).toEqual([10, 1001, 9]);
  ours.close();
  theirs.close();
});

class Sleeper extends Coordinator {
  wake(time: number): void {
    this.state.setAlarm(time);
  }

  due(): number | null {
    return this.state.getAlarm();
  }

  override alarm(): void {
    // None of them is due here.
  }
}

class Deaf extends Coordinator {
  wake(): void {
    this.state.setAlarm(Date.now());
  }
}

test('of a class without alarm() no alarm can be set', async () => {
  const coordinators = testCoordinators({ Deaf }, encrypted);
  onTestFinished(() => coordinators.close());
  await expect(coordinators.get(Deaf, 'a').wake()).rejects.toMatchObject({ name: 'TypeError', message: "Deaf has no method 'alarm'.", remote: true });
});

test('alarms that coordinators set at once take a record each, and a few of the index', async () => {
  const coordinators = testCoordinators({ Sleeper }, encrypted);
  onTestFinished(() => coordinators.close());
  const all = Array.from({ length: 100 }, (_, n) => coordinators.get(Sleeper, `sleeper ${n}`));
  for (const each of all) await each.due();
  const time = Date.now() + 1e6;
  const count = await writes(() => Promise.all(all.map((each, n) => each.wake(time + n))));
  expect(count).toBeGreaterThan(all.length);
  // Without groups there would be one of the index for each.
  expect(count).toBeLessThan(all.length + 50);
  expect(await Promise.all(all.map((each) => each.due()))).toEqual(all.map((_, n) => time + n));
});
