import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { Coordinator } from '../../src/host/coordinator/index.ts';
import { Counter, later, open, refusal, Serial, turn } from './counter.ts';

describe('turns of calls that begin together', () => {
  class Many extends Counter {
    abort(): void {
      this.increment(1000);
      this.state.abort();
    }
  }

  test('are few records, each of them a call of its own', async () => {
    const many = open({ Many }).get(Many, 'a');
    await many.read();
    const settle = vi.spyOn(OwnedJournal.prototype, 'settle');
    const check = vi.spyOn(OwnedJournal.prototype, 'check');
    onTestFinished(() => {
      settle.mockRestore();
      check.mockRestore();
    });
    expect(await Promise.all(Array.from({ length: 64 }, () => many.increment()))).toEqual(Array.from({ length: 64 }, (_, n) => n + 1));
    expect(settle.mock.calls.length).toBeLessThan(8);
    await Promise.all(Array.from({ length: 64 }, () => many.read()));
    expect(check.mock.calls.length).toBeLessThan(8);
  });

  test('run again where one of them gives the instance up', async () => {
    const many = open({ Many }).get(Many, 'a');
    await many.read();
    const calls = [many.increment(), many.increment(), refusal(many.abort()), many.increment()];
    const [one, two, aborted, three] = await Promise.all(calls);
    expect([one, two, three]).toEqual([1, 2, 3]);
    expect(aborted).toMatchObject({ code: 'coordinator-reset', outcome: 'not-run' });
    expect(await many.read()).toBe(3);
  });
});

describe('the input gate', () => {
  const updates = async (Class: typeof Counter, how: Parameters<Counter['slowly']>[0]): Promise<number> => {
    const counter = open({ Class }).get(Class, 'a');
    await Promise.all(Array.from({ length: 200 }, () => counter.slowly(how)));
    return counter.read();
  };

  test.each(['nothing', 'wait', 'file'] as const)('loses none of 200 updates over %s', async (how) => {
    expect(await updates(Counter, how)).toBe(200);
  });

  test('cannot hold what goes around it: a bare timer', async () => {
    expect(await updates(Counter, 'timer')).toBeLessThan(200);
  });

  test("with 'serial' loses none over a bare timer", async () => {
    expect(await updates(Serial, 'timer')).toBe(200);
  });

  test('lets calls begin in their order', async () => {
    const order: number[] = [];
    class Ordered extends Coordinator {
      async take(n: number): Promise<void> {
        order.push(n);
        await this.state.wait(turn());
      }
    }
    const ordered = open({ Ordered }).get(Ordered, 'a');
    await Promise.all(Array.from({ length: 50 }, (_, n) => ordered.take(n)));
    expect(order).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  test('lets nothing run beside blockConcurrencyWhile, but what belongs to it', async () => {
    const events: string[] = [];
    class Blocking extends Coordinator {
      readonly ready = this.state.blockConcurrencyWhile(async () => {
        await later(2);
        events.push('ready');
      });

      async block(other: unknown): Promise<void> {
        await this.state.blockConcurrencyWhile(async () => {
          events.push('begin');
          await this.state.wait(later(2));
          await (other as { touch(): Promise<void> } | null)?.touch();
          events.push('end');
        });
      }

      async waits(): Promise<void> {
        events.push('waits');
        await this.state.wait(turn());
        events.push('waited');
      }

      touch(): void {
        events.push('touch');
      }
    }
    const { get } = open({ Blocking });
    const a = get(Blocking, 'a');
    await Promise.all([a.waits(), a.block(null), a.touch()]);
    expect(events).toEqual(['ready', 'waits', 'begin', 'end', 'waited', 'touch']);
  });

  test('lets sections of calls that run already begin one after another', async () => {
    class Sections extends Counter {
      async count(times: number): Promise<void> {
        await later(1);
        const section = async (): Promise<void> => {
          const n = this.read();
          await later(1);
          await this.state.blockConcurrencyWhile(() => this.state.wait(turn()));
          this.localStorage.setItem('n', String(n + 1));
        };
        await Promise.all(Array.from({ length: times }, () => this.state.blockConcurrencyWhile(section)));
      }
    }
    const sections = open({ Sections }).get(Sections, 'a');
    await Promise.all([1, 2, 3, 1].map((times) => sections.count(times)));
    expect(await sections.read()).toBe(7);
  });

  test('refuses a call that would wait for itself, and lets pass one that would not', async () => {
    class Caller extends Coordinator {
      async relay(names: readonly string[], isBlocking: boolean): Promise<string> {
        const [next, ...rest] = names;
        if (next === undefined) return 'end';
        const go = async (): Promise<string> => `${this.state.name} ${await test.get(Caller, next).relay(rest, isBlocking)}`;
        return isBlocking ? this.state.blockConcurrencyWhile(go) : go();
      }
    }
    class SerialCaller extends Caller {
      static override readonly concurrency = 'serial';
    }
    const test = open({ Caller, SerialCaller });
    expect(await test.get(Caller, 'A').relay(['B', 'A', 'B'], false)).toBe('A B A end');
    expect(await refusal(test.get(Caller, 'A').relay(['B', 'A'], true))).toMatchObject({ code: 'coordinator-deadlock', message: "Each of these would wait for the next: Caller 'A' -> Caller 'B' -> Caller 'A'.", remote: true });
    expect(await test.get(Caller, 'A').relay(['B', 'C'], true)).toBe('A B end');
    expect(await refusal(test.get(SerialCaller, 'A').relay(['x'], false))).toBe('nothing');
  });

  test('refuses a call that an alarm would wait for, and that would wait for the alarm', async () => {
    class Ringer extends Coordinator {
      static override readonly concurrency = 'serial';

      ring(): void {
        this.state.setAlarm(1);
      }

      override async alarm(): Promise<void> {
        const refused = await refusal(test.get(Back, 'b').ask());
        this.localStorage.setItem('refused', String((refused as { readonly code?: unknown }).code));
      }

      refused(): string | null {
        return this.localStorage.getItem('refused');
      }
    }
    class Back extends Coordinator {
      ask(): Promise<string | null> {
        return test.get(Ringer, 'a').refused();
      }
    }
    const test = open({ Ringer, Back });
    const ringer = test.get(Ringer, 'a');
    await ringer.ring();
    await test.advance(1000);
    expect(await ringer.refused()).toBe('coordinator-deadlock');
  });

  test('gives up a section that does not end within 30 seconds', async () => {
    let hasBegun = false;
    class Stuck extends Coordinator {
      async stick(): Promise<void> {
        hasBegun = true;
        this.localStorage.setItem('a', 'kept');
        await this.state.blockConcurrencyWhile(() => new Promise(() => undefined));
      }

      key(): string | null {
        return this.localStorage.getItem('a');
      }
    }
    const { get, advance } = open({ Stuck });
    const stuck = get(Stuck, 'a');
    const refused = refusal(stuck.stick());
    await expect.poll(() => hasBegun, { interval: 1 }).toBe(true);
    while ((await Promise.race([refused, later(5)])) === undefined) await advance(10_000);
    expect(await refused).toMatchObject({ code: 'coordinator-reset', outcome: 'partial' });
    expect(await stuck.key()).toBe('kept');
  });

  test('refuses calls beyond a thousand that wait', async () => {
    class Busy extends Coordinator {
      static override readonly concurrency = 'serial';
      async work(): Promise<void> {
        await turn();
      }
    }
    const busy = open({ Busy }).get(Busy, 'a');
    const results = await Promise.all(Array.from({ length: 1200 }, () => refusal(busy.work())));
    const refused = results.filter((each) => each !== 'nothing');
    expect(refused.length).toBeGreaterThan(100);
    expect(refused[0]).toMatchObject({ code: 'coordinator-overloaded', outcome: 'not-run', overloaded: true, retryable: true });
    expect(await refusal(busy.work())).toBe('nothing');
  });
});
