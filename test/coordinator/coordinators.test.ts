import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { install } from '../../src/host/install/install.ts';
import { openHost, thrownBy } from '../host/support.ts';
import { isEncrypted } from '../support/sealed.ts';
import { Counter, later, open, refusal, Serial } from './counter.ts';

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
