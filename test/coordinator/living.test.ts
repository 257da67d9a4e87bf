import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorClass, TestCoordinators } from '../../src/host/coordinator/index.ts';
import { encrypted } from '../support/sealed.ts';

const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

function open<Classes extends Record<string, CoordinatorClass>>(classes: Classes): TestCoordinators {
  const opened = testCoordinators(classes, encrypted);
  onTestFinished(() => opened.close());
  return opened;
}

async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
}

/** Tells each run of its code, so that nothing can run twice unseen. */
function tally(): { Tally: CoordinatorClass<Tallying>; runs: string[]; gate: { open: () => void } } {
  const runs: string[] = [];
  const gate = { open: (): void => undefined };
  class Tally extends Tallying {
    override add(id: string): number {
      runs.push(id);
      return super.add(id);
    }

    override async slow(id: string): Promise<number> {
      runs.push(id);
      const n = super.add(`${id} begun`);
      await this.state.wait(new Promise<void>((resolve) => (gate.open = resolve)));
      return n + super.add(`${id} ended`);
    }
  }
  return { Tally, runs, gate };
}

class Tallying extends Coordinator {
  add(id: string): number {
    const all = [...this.all(), id];
    this.localStorage.setItem('all', JSON.stringify(all));
    return all.length;
  }

  async slow(id: string): Promise<number> {
    return this.add(id);
  }

  all(): string[] {
    return JSON.parse(this.localStorage.getItem('all') ?? '[]') as string[];
  }
}

describe('an instance that is deposed', () => {
  test('acknowledges no write, and its calls run where the coordinator is now, each once', async () => {
    const { Tally, runs } = tally();
    const { get, depose } = open({ Tally });
    const stub = get(Tally, 'a');
    expect(await stub.add('1')).toBe(1);
    depose(stub);
    // The first run is void: nothing of it is on disk, and nothing has left.
    expect(await stub.add('2')).toBe(2);
    expect([runs, await stub.all()]).toEqual([['1', '2', '2'], ['1', '2']]);
  });

  test('acknowledges no read', async () => {
    const { Tally } = tally();
    const { get, depose } = open({ Tally });
    const stub = get(Tally, 'a');
    await stub.add('1');
    const checks = vi.spyOn(OwnedJournal.prototype, 'check');
    depose(stub);
    expect(await stub.all()).toEqual(['1']);
    // The look of the old instance said no; the new one has a record of a call that was sent before, and need not look.
    expect(checks.mock.results.map(({ value }) => value as unknown)).toEqual([false]);
    await stub.all();
    expect(checks.mock.results.at(-1)?.value).toBe(true);
    checks.mockRestore();
  });

  test('amid a call that has changed something: the caller is told that it was interrupted', async () => {
    const { Tally, runs, gate } = tally();
    const { get, depose } = open({ Tally });
    const stub = get(Tally, 'a');
    const call = refusal(stub.slow('s'));
    while ((await stub.all()).length === 0) await later(1);
    depose(stub);
    gate.open();
    expect(await call).toMatchObject({ code: 'coordinator-interrupted', outcome: 'partial', retryable: false });
    expect([runs, await stub.all()]).toEqual([['s'], ['s begun']]);
  });
});

describe('an instance that is killed', () => {
  test('before a result has left: the result is found again, and nothing runs twice', async () => {
    const { Tally, runs } = tally();
    const { get, crash } = open({ Tally });
    const stub = get(Tally, 'a');
    await stub.add('1');
    // Right after the record, before the caller hears of it.
    const settle = OwnedJournal.prototype.settle;
    const spy = vi.spyOn(OwnedJournal.prototype, 'settle').mockImplementation(function (this: InstanceType<typeof OwnedJournal>, turn) {
      settle.call(this, turn);
      spy.mockRestore();
      crash(stub);
      return 'deposed';
    });
    expect(await stub.add('2')).toBe(2);
    expect([runs, await stub.all()]).toEqual([['1', '2'], ['1', '2']]);
  });

  test('while calls wait: they run where it is next, in their order', async () => {
    const { Tally, runs } = tally();
    const { get, crash } = open({ Tally });
    const stub = get(Tally, 'a');
    await stub.add('0');
    const calls = ['1', '2', '3', '4'].map((id) => stub.add(id));
    crash(stub);
    expect(await Promise.all(calls)).toEqual([2, 3, 4, 5]);
    expect(runs).toEqual(['0', '1', '2', '3', '4']);
  });
});

describe('a disk that refuses', () => {
  test('a turn: nothing of it is there, the caller is told so, and the next call goes on from the disk', async () => {
    const { Tally } = tally();
    const { get } = open({ Tally });
    const stub = get(Tally, 'a');
    await stub.add('1');
    const spy = vi.spyOn(fs, 'writeSync').mockImplementationOnce(() => {
      throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    });
    const failed = [refusal(stub.add('2'))];
    expect(await failed[0]).toMatchObject({ code: 'coordinator-reset', outcome: 'not-run', retryable: true, cause: { code: 'disk-full' } });
    spy.mockRestore();
    expect(await stub.add('3')).toBe(2);
    expect(await stub.all()).toEqual(['1', '3']);
  });

  test('a look: nothing that was read leaves', async () => {
    const { Tally } = tally();
    const { get } = open({ Tally });
    const stub = get(Tally, 'a');
    await stub.add('1');
    const spy = vi.spyOn(OwnedJournal.prototype, 'check').mockImplementationOnce(() => {
      throw new Error('EIO');
    });
    expect(await refusal(stub.all())).toMatchObject({ code: 'coordinator-reset', outcome: 'not-run' });
    spy.mockRestore();
    expect(await stub.all()).toEqual(['1']);
  });
});

test('a disk that refuses to forget an alarm ends nothing, and is asked again', async () => {
  let made = 0;
  class Woken extends Tallying {
    readonly number = (made += 1);

    wake(time: number): void {
      this.state.setAlarm(time);
    }

    override alarm(): void {
      this.add('alarm');
    }
  }
  const start = Date.now();
  const { get, advance } = open({ Woken });
  const woken = get(Woken, 'a');
  await woken.wake(start + 1000);
  const forget = vi.spyOn(AlarmIndex.prototype, 'forget').mockImplementationOnce(() => {
    throw new Error('EIO');
  });
  onTestFinished(() => forget.mockRestore());
  await advance(2000);
  await advance(2000);
  expect([await woken.all(), made, forget.mock.calls.length]).toEqual([['alarm'], 1, 2]);
});

describe('an instance that rests', () => {
  const gate = { open: (): void => undefined };

  class Resting extends Coordinator {
    memory = 0;

    remember(): number {
      this.localStorage.setItem('n', String(Number(this.localStorage.getItem('n') ?? 0) + 1));
      return (this.memory += 1);
    }

    stored(key = 'n'): string | null {
      return this.localStorage.getItem(key);
    }

    async lasts(): Promise<void> {
      this.localStorage.setItem('lasts', 'yes');
      await this.state.wait(new Promise<void>((resolve) => (gate.open = resolve)));
    }
  }

  test('is given up after ten seconds, and made again by the next call', async () => {
    const { get, advance } = open({ Resting });
    const stub = get(Resting, 'a');
    expect([await stub.remember(), await stub.remember()]).toEqual([1, 2]);
    await advance(9000);
    expect(await stub.remember()).toBe(3);
    await advance(11_000);
    expect([await stub.remember(), await stub.stored()]).toEqual([1, '4']);
  });

  test('is not given up while something runs', async () => {
    const { get, advance } = open({ Resting });
    const stub = get(Resting, 'a');
    await stub.remember();
    const lasting = stub.lasts();
    while ((await stub.stored('lasts')) === null) await later(1);
    await advance(60_000);
    expect(await stub.remember()).toBe(2);
    gate.open();
    await lasting;
  });

  test('can be sent away by a test, and its journal is written anew where it was long', async () => {
    const { get, evict, host } = open({ Resting });
    const stub = get(Resting, 'a');
    for (let n = 0; n < 300; n++) await stub.remember();
    await evict(stub);
    const [journal = ''] = fs.readdirSync(host.root, { recursive: true }).map(String).filter((name) => /turns\/\d+$/.test(name)).sort().slice(-1);
    expect(fs.statSync(path.join(host.root, journal)).size).toBeLessThan(2000);
    expect([await stub.remember(), await stub.stored()]).toEqual([1, '301']);
  });
});

/** The clock of the tests begins to stand still a little before the time that alarms are set by, or on a busy machine long before. */
const MINUTE = 60_000;

describe('an alarm', () => {
  const fired: { at: string; attempt: number }[] = [];

  class Alarming extends Coordinator {
    static fails = 0;

    set(inMs: number, base: number): void {
      this.state.setAlarm(base + inMs);
    }

    setAndFail(base: number): void {
      this.state.setAlarm(new Date(base + 1000));
      this.state.abort();
    }

    when(): number | null {
      return this.state.getAlarm();
    }

    drop(): void {
      this.state.deleteAlarm();
    }

    override alarm({ attempt }: { attempt: number }): void {
      fired.push({ at: this.state.name, attempt });
      this.localStorage.setItem('fired', String(Number(this.localStorage.getItem('fired') ?? 0) + 1));
      if (Alarming.fails > 0) {
        Alarming.fails -= 1;
        throw new Error('mine');
      }
    }

    fired(): string | null {
      return this.localStorage.getItem('fired');
    }
  }

  const setUp = (): TestCoordinators & { now: () => number } => {
    fired.length = 0;
    Alarming.fails = 0;
    const opened = open({ Alarming });
    const start = Date.now();
    return { ...opened, now: () => start };
  };

  test('is called once at its time, also of an instance that is gone', async () => {
    const { get, advance, evict, now } = setUp();
    const [a, b] = [get(Alarming, 'a'), get(Alarming, 'b')];
    await a.set(5 * MINUTE, now());
    await b.set(8 * MINUTE, now());
    expect(await a.when()).toBe(now() + 5 * MINUTE);
    await evict(a);
    await advance(4 * MINUTE);
    expect(fired).toEqual([]);
    await advance(2 * MINUTE);
    expect(fired).toEqual([{ at: 'a', attempt: 0 }]);
    await advance(3 * MINUTE);
    expect(fired.map(({ at }) => at)).toEqual(['a', 'b']);
    await advance(100 * MINUTE);
    expect([fired.length, await a.when(), await a.fired()]).toEqual([2, null, '1']);
  });

  test('that is moved or deleted is not called at its old time', async () => {
    const { get, advance, now } = setUp();
    const [a, b] = [get(Alarming, 'a'), get(Alarming, 'b')];
    await a.set(5 * MINUTE, now());
    await a.set(50 * MINUTE, now());
    await b.set(5 * MINUTE, now());
    await b.drop();
    await advance(10 * MINUTE);
    expect(fired).toEqual([]);
    await advance(41 * MINUTE);
    expect(fired.map(({ at }) => at)).toEqual(['a']);
  });

  test('that fails is tried again, later each time, hourly from the sixth on, and then told of', async () => {
    const { get, advance, runAlarm, coordinators, now } = setUp();
    const a = get(Alarming, 'a');
    Alarming.fails = 8;
    await a.set(1000, now());
    await runAlarm(a);
    expect(fired).toHaveLength(1);
    await advance(1000);
    expect(fired).toHaveLength(1);
    await advance(1500);
    expect(fired.map(({ attempt }) => attempt)).toEqual([0, 1]);
    for (let n = 0; n < 4; n++) await runAlarm(a);
    expect(fired.map(({ attempt }) => attempt)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(coordinators.problems()).toMatchObject([{ className: 'Alarming', name: 'a', attempt: 6, error: { message: 'mine' } }]);
    await advance(3_500_000);
    expect(fired).toHaveLength(6);
    await advance(200_000);
    expect(fired).toHaveLength(7);
    await runAlarm(a);
    expect(await runAlarm(a)).toBe(true);
    expect([fired.length, await runAlarm(a), coordinators.problems(), await a.fired()]).toEqual([9, false, [], '9']);
  });

  test('of a turn that came to nothing is not there, though somebody may look for it', async () => {
    const { get, advance, now } = setUp();
    const a = get(Alarming, 'a');
    expect(await refusal(a.setAndFail(now()))).toMatchObject({ code: 'coordinator-reset' });
    await advance(5000);
    expect([fired, await a.when()]).toEqual([[], null]);
  });

  test('is called again where its run was interrupted', async () => {
    const { get, advance, runAlarm, crash, now } = setUp();
    const a = get(Alarming, 'a');
    await a.set(1000, now());
    const spy = vi.spyOn(OwnedJournal.prototype, 'settle').mockImplementation(() => {
      spy.mockRestore();
      crash(a);
      return 'deposed';
    });
    await runAlarm(a);
    await advance(1500);
    expect([fired.length, await a.fired(), await a.when()]).toEqual([2, '1', null]);
  });
});
