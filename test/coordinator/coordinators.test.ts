import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { Coordinator, Coordinators, testCoordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorClass, TestCoordinators } from '../../src/host/coordinator/index.ts';
import { install } from '../../src/host/install/install.ts';
import { openHost, thrownBy } from '../host/support.ts';
import { encrypted, isEncrypted } from '../support/sealed.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

class Counter extends Coordinator {
  static made = 0;
  readonly number = (Counter.made += 1);

  increment(by = 1): number {
    const next = Number(this.localStorage.getItem('n') ?? 0) + by;
    this.localStorage.setItem('n', String(next));
    return next;
  }

  read(): number {
    return Number(this.localStorage.getItem('n') ?? 0);
  }

  incarnation(): number {
    return this.number;
  }

  /** Reads, waits for something that goes through the gate, and writes what it has read and one more. */
  async slowly(how: 'nothing' | 'wait' | 'file' | 'timer' | 'timer and wait'): Promise<void> {
    const directory = how === 'file' ? await this.storage.getDirectory() : null;
    const read = this.read();
    if (how === 'nothing') await null;
    if (how === 'wait') await this.state.blockConcurrencyWhile(() => later(1));
    if (how === 'file') await directory?.getFileHandle('f', { create: true });
    if (how === 'timer') await later(1);
    this.localStorage.setItem('n', String(read + 1));
  }

  whoAmI(): unknown {
    const { name, className, origin, call } = this.state;
    return { name, className, origin, call: typeof call?.id };
  }

  echo(value: unknown): unknown {
    return value;
  }

  fails(how: string): void {
    this.localStorage.setItem('failed', how);
    if (how === 'type') throw new TypeError('mine', { cause: { deep: 1 } });
    if (how === 'code') throw Object.assign(new Error('coded'), { code: 'E1' });
    throw how;
  }

  undoes(): string[] {
    this.localStorage.setItem('kept', '1');
    try {
      this.state.transaction(() => {
        this.localStorage.setItem('undone', '1');
        throw new Error('mine');
      });
    } catch {
      // as it is meant to
    }
    return Object.keys(this.localStorage);
  }

  override async fetch(request: Request): Promise<Response> {
    const text = await request.text();
    return Response.json({ url: request.url, text, n: this.increment() }, { status: 201, headers: { 'x-from': this.state.name } });
  }

  get notAMethod(): string {
    return 'a getter';
  }
}

class Serial extends Counter {
  static override readonly concurrency = 'serial';
}

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

describe('a coordinator', () => {
  test('has one instance, whose storage nobody else reaches, in a lean directory', async () => {
    const { get, host } = open({ Counter });
    const [a, b, other] = [get(Counter, 'a'), get('Counter', 'a') as ReturnType<typeof get<Counter>>, get(Counter, 'b')];
    expect([await a.increment(2), await b.increment(), await other.increment()]).toEqual([2, 3, 1]);
    expect(await a.incarnation()).toBe(await b.incarnation());
    expect(await a.incarnation()).not.toBe(await other.incarnation());
    expect(await a.whoAmI()).toEqual({ name: 'a', className: 'Counter', origin: 'https://test.example', call: 'string' });
    expect(host.origin('https://test.example').localStorage.length).toBe(0);
    const directory = path.join(host.root, 'origins/https_test.example/coordinators/%uCounter');
    const found = fs.existsSync(directory) ? directory : path.join(path.dirname(directory), fs.readdirSync(path.dirname(directory))[0] ?? '');
    // With a key nobody sees which of the two has which name.
    const names = fs.readdirSync(found).sort();
    if (!isEncrypted) expect(names).toEqual(['a', 'b']);
    expect(names.map((name) => fs.readdirSync(path.join(found, name), { recursive: true }).map(String).sort())).toEqual([['turns', 'turns/0'], ['turns', 'turns/0']]);
  });

  test('gets and gives copies, of whatever can be cloned', async () => {
    const counter = open({ Counter }).get(Counter, 'a');
    const value = { date: new Date(1), map: new Map([[1, { deep: [undefined, null, -0, 1n] }]]), bytes: Uint8Array.of(1, 2) };
    const copy = await counter.echo(value);
    expect(copy).toEqual(value);
    expect(copy).not.toBe(value);
    expect(await refusal(counter.echo(() => 1))).toMatchObject({ name: 'DataCloneError' });
    const changed = { n: 1 };
    const echo = counter.echo(changed);
    changed.n = 2;
    expect(await echo).toEqual({ n: 1 });
  });

  test('throws what its code throws, marked as remote, and keeps what was written before', async () => {
    const counter = open({ Counter }).get(Counter, 'a');
    const error = await refusal(counter.fails('type'));
    expect(error).toMatchObject({ name: 'TypeError', message: 'mine', remote: true, cause: { deep: 1 } });
    expect(error).toBeInstanceOf(TypeError);
    expect(await refusal(counter.fails('code'))).toMatchObject({ message: 'coded', code: 'E1', remote: true });
    expect(await refusal(counter.fails('text'))).toBe('text');
    expect(await counter.undoes()).toEqual(['failed', 'kept']);
  });

  test('is asked for its own public methods only', async () => {
    const counter = open({ Counter }).get('Counter', 'a') as unknown as Record<string, () => Promise<unknown>>;
    for (const name of ['nothing', 'notAMethod', 'constructor', 'toString', 'hasOwnProperty', 'state', 'localStorage', 'alarm', '__proto__', 'valueOf']) {
      expect([name, await refusal((counter[name] as () => Promise<unknown>)())]).toMatchObject([name, { name: 'HoldfastError', code: 'bad-option', outcome: 'not-run' }]);
    }
    expect([await counter, Object.keys(counter), counter['increment'] === counter['increment']]).toEqual([counter, [], true]);
  });

  test('answers requests', async () => {
    const counter = open({ Counter }).get(Counter, 'a');
    const response = await counter.fetch('https://x.example/path?q', { method: 'POST', body: 'hello' });
    expect([response.status, response.headers.get('x-from'), await response.json()]).toEqual([201, 'a', { url: 'https://x.example/path?q', text: 'hello', n: 1 }]);
  });

  test('has the installed globals for its own, and those of whoever called afterwards', async () => {
    class Globals extends Coordinator {
      async put(): Promise<unknown> {
        localStorage.setItem('k', this.state.name);
        await null;
        return [localStorage.getItem('k'), Object.keys(this.localStorage), await navigator.locks.query()];
      }
    }
    const { get, host } = open({ Globals });
    const undo = install({ host, origin: 'https://test.example' });
    onTestFinished(undo);
    localStorage.setItem('k', 'outside');
    expect(await get(Globals, 'a').put()).toEqual(['a', ['k'], { held: [], pending: [] }]);
    expect(localStorage.getItem('k')).toBe('outside');
    expect(await host.run('https://test.example', () => host.root)).toBe(host.root);
  });

  test('is known in run() without its origin', async () => {
    const { coordinators, host } = open({ Counter });
    await host.run('https://one.example', () => coordinators.get(Counter, 'a').increment(5));
    expect(await coordinators.get('https://one.example', Counter, 'a').read()).toBe(5);
    expect(thrownBy(() => coordinators.get(Counter, 'a')).code).toBe('no-context');
  });

  test('has files and more of its own, which make their place at their first use', async () => {
    class Files extends Coordinator {
      async others(): Promise<unknown> {
        return this.state.storage.storageBuckets.open('other').then(
          () => 'opened',
          (error: unknown) => (error as Error).name,
        );
      }

      synced(): unknown {
        return this.state.storage.sync;
      }

      async put(text: string): Promise<string> {
        const file = await (await this.storage.getDirectory()).getFileHandle('f', { create: true });
        const writable = await file.createWritable();
        await writable.write(text);
        await writable.close();
        return (await file.getFile()).text();
      }
    }
    const { get, host } = open({ Files });
    expect(await get(Files, 'a').put('text')).toBe('text');
    expect([await get(Files, 'a').synced(), await get(Files, 'a').others()]).toEqual([null, expect.not.stringMatching('opened')]);
    const found = fs.readdirSync(path.join(host.root, 'origins/https_test.example/coordinators'), { recursive: true }).map(String);
    expect(found.some((name) => (isEncrypted ? /storage\/files\.0\/[0-9a-v]+$/ : /storage\/files\.0\/f$/).test(name))).toBe(true);
  });
});

describe('bad input gets a clear error', () => {
  test('of classes, names, origins and hosts', () => {
    const host = openHost();
    const coordinators = new Coordinators(host, { Counter });
    onTestFinished(() => coordinators.close());
    class Plain {}
    const codeOf = (body: () => unknown): unknown => thrownBy(body).code;
    expect(codeOf(() => new Coordinators(host, { Plain } as never))).toBe('bad-option');
    expect(codeOf(() => new Coordinators(host, { 'a/b': Counter }))).toBe('bad-option');
    expect(codeOf(() => new Coordinators(host, null as never))).toBe('bad-option');
    class Odd extends Counter {
      static override readonly concurrency = 'odd' as 'serial';
    }
    expect(codeOf(() => new Coordinators(host, { Odd }))).toBe('bad-option');
    expect(codeOf(() => coordinators.get('https://a.example', Serial, 'a'))).toBe('bad-option');
    for (const name of ['', 'x'.repeat(513), 5]) expect(codeOf(() => coordinators.get('https://a.example', Counter, name as string))).toBe('bad-option');
    expect(thrownBy(() => coordinators.get('null', Counter, 'a')).name).toBe('SecurityError');
  });

  test('of results that cannot be cloned, and of classes that fail to begin', async () => {
    let fails = true;
    class Odd extends Coordinator {
      constructor(state: Coordinator['state']) {
        super(state);
        if (fails) throw new Error('mine');
      }

      gives(): unknown {
        return () => 1;
      }
    }
    const odd = open({ Odd }).get(Odd, 'a');
    expect(await refusal(odd.gives())).toMatchObject({ name: 'HoldfastError', code: 'coordinator-reset', outcome: 'not-run', cause: { message: 'mine' } });
    fails = false;
    expect(await refusal(odd.gives())).toMatchObject({ name: 'DataCloneError', remote: true });
  });

  test('of an instance that was given up', async () => {
    class Odd extends Coordinator {
      async gives(): Promise<number> {
        this.localStorage.setItem('a', 'kept');
        await this.state.wait(later(1));
        this.localStorage.setItem('b', 'not kept');
        this.state.abort(new Error('mine'));
        return 1;
      }

      early(): void {
        this.localStorage.setItem('c', 'not kept');
        this.state.abort();
      }

      keys(): string[] {
        return Object.keys(this.localStorage);
      }
    }
    const odd = open({ Odd }).get(Odd, 'a');
    expect(await refusal(odd.gives())).toMatchObject({ code: 'coordinator-reset', outcome: 'partial', retryable: false, cause: { message: 'mine' } });
    expect(await refusal(odd.early())).toMatchObject({ code: 'coordinator-reset', outcome: 'not-run', retryable: true });
    expect(await odd.keys()).toEqual(['a']);
  });
});

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
    class Stuck extends Coordinator {
      async stick(): Promise<void> {
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
