/** Handlers that never end: nobody waits for them for ever, and what is stored is whole. */
import { describe, expect, onTestFinished, test } from 'vitest';
import { MovedError } from '../../src/coordinator/errors.ts';
import { callBy } from '../../src/coordinator/line.ts';
import type { Route } from '../../src/coordinator/line.ts';
import { encode } from '../../src/coordinator/messages.ts';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import { coordinationOf } from '../../src/host/coordinator/coordinators.ts';
import type { CoordinatorClass, TestCoordinators } from '../../src/host/coordinator/index.ts';
import { encrypted } from '../support/sealed.ts';

const never = new Promise<never>(() => undefined);
const MINUTE = 60_000;
let alarms = 0;

class Endless extends Coordinator {
  put(value: string): void {
    this.localStorage.setItem('value', value);
  }

  read(): string | null {
    return this.localStorage.getItem('value');
  }

  async hang(value?: string): Promise<void> {
    if (value !== undefined) this.put(value);
    await never;
  }

  wake(time: number): void {
    this.state.setAlarm(time);
  }

  override async alarm(): Promise<void> {
    alarms += 1;
    if (alarms === 1) await never;
    this.put('woken');
  }
}

class SerialEndless extends Endless {
  static override readonly concurrency = 'serial';
}

function open<Classes extends Record<string, CoordinatorClass>>(classes: Classes): TestCoordinators {
  const opened = testCoordinators(classes, encrypted);
  onTestFinished(() => opened.close());
  return opened;
}

const refusal = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

/** Until so many calls and alarms run, and so many wait. */
async function busy({ coordinators }: TestCoordinators, running: number, waiting = 0): Promise<void> {
  const isBusy = (): boolean => coordinationOf.get(coordinators)?.coordination.activities().some((each) => each.running === running && each.waiting === waiting) === true;
  await expect.poll(isBusy, { timeout: 30_000, interval: 1 }).toBe(true);
}

describe('a handler that never ends', () => {
  test('leaves others their turns, and is given up after fifteen minutes', async () => {
    const coordinators = open({ Endless });
    const { get, advance } = coordinators;
    const endless = get(Endless, 'a');
    const [wrote, idle] = [refusal(endless.hang('kept')), refusal(endless.hang())];
    await busy(coordinators, 2);
    await advance(14 * MINUTE);
    expect(await endless.read()).toBe('kept');
    await advance(2 * MINUTE);
    expect(await wrote).toMatchObject({ name: 'HoldfastError', code: 'coordinator-reset', outcome: 'partial', retryable: false, overloaded: false });
    expect(await idle).toMatchObject({ name: 'HoldfastError', code: 'coordinator-reset', outcome: 'not-run', retryable: true, overloaded: false });
    await endless.put('next');
    expect(await endless.read()).toBe('next');
  });

  test('where it is serial, has those that wait refused after ten seconds, and never run', async () => {
    const coordinators = open({ SerialEndless });
    const { get, advance } = coordinators;
    const endless = get(SerialEndless, 'a');
    const hanging = refusal(endless.hang('kept'));
    await busy(coordinators, 1);
    for (let round = 1; round <= 3; round++) {
      const waiting = [refusal(endless.put(`late ${round}`)), refusal(endless.read())];
      await busy(coordinators, 1, 2);
      await advance(12_000);
      for (const each of waiting) expect(await each).toMatchObject({ name: 'HoldfastError', code: 'coordinator-overloaded', outcome: 'not-run', retryable: true, overloaded: true });
    }
    await advance(16 * MINUTE);
    expect(await hanging).toMatchObject({ code: 'coordinator-reset', outcome: 'partial' });
    expect(await endless.read()).toBe('kept');
  });

  test('of an alarm is given up too, and the alarm is called again', async () => {
    const start = Date.now();
    const coordinators = open({ Endless });
    const { get, advance } = coordinators;
    const endless = get(Endless, 'a');
    alarms = 0;
    await endless.wake(start + 1000);
    // It waits for the alarm, which hangs.
    const woken = advance(2000);
    await expect.poll(() => alarms, { timeout: 30_000, interval: 1 }).toBe(1);
    await Promise.all([woken, advance(16 * MINUTE)]);
    await advance(2000);
    expect([alarms, await endless.read()]).toEqual([2, 'woken']);
  });

  test('does not keep the process that closes from beginning nothing new', async () => {
    const start = Date.now();
    const coordinators = open({ Endless });
    const { get, advance, crash } = coordinators;
    const endless = get(Endless, 'a');
    alarms = 0;
    await endless.wake(start + 1000);
    const woken = advance(2000);
    await expect.poll(() => alarms, { timeout: 30_000, interval: 1 }).toBe(1);
    const closed = coordinators.coordinators.close();
    await new Promise((resolve) => void setImmediate(resolve));
    const key = { origin: 'https://test.example', className: 'Endless', name: 'a' };
    const call = { caller: 99, number: 1, got: 0, isAgain: false, method: 'read', args: encode([]), chain: [] };
    const serving = { call: (...given: Parameters<Route['call']>) => coordinationOf.get(coordinators.coordinators)?.coordination.serve(...given) };
    expect(await refusal(callBy(serving, key, call))).toBeInstanceOf(MovedError);
    // As after the time that it is given.
    crash(endless);
    await Promise.all([closed, woken]);
  });
});
