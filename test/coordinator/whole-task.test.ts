/** What a task that ends itself does, and in which order. */
import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { atTaskEnd, runTask } from '../../src/runtime/whole-task.ts';

const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

/** Runs a task where nothing of a program is on the stack; gives what it threw. */
function asTask(body: () => void): Promise<unknown> {
  return new Promise((resolve) => {
    setImmediate(() => {
      try {
        resolve(runTask(body));
      } catch (error) {
        resolve(error);
      }
    });
  });
}

test('what is left for the end of a task runs behind all of its microtasks, one after the other', async () => {
  const seen: string[] = [];
  const deep = (left: number): unknown => (left === 0 ? seen.push('microtasks') : Promise.resolve().then(() => deep(left - 1)));
  await asTask(() => {
    atTaskEnd(() => {
      seen.push('first');
      deep(5);
      atTaskEnd(() => seen.push('third'));
    });
    atTaskEnd(() => seen.push('second'));
    deep(10);
    process.nextTick(() => deep(5));
    seen.push('body');
  });
  expect(seen).toEqual(['body', 'microtasks', 'microtasks', 'first', 'microtasks', 'second', 'third']);
});

test('a task within a task is a part of it', async () => {
  const seen: string[] = [];
  await asTask(() => {
    runTask(() => atTaskEnd(() => seen.push('end')));
    seen.push('body');
  });
  expect(seen).toEqual(['body', 'end']);
});

test('what throws passes through, and what is left runs even so', async () => {
  const seen: string[] = [];
  const fails = (): never => {
    throw new Error('no');
  };
  const first = await asTask(() => {
    atTaskEnd(() => seen.push('one'));
    fails();
  });
  const second = await asTask(() => {
    atTaskEnd(fails);
    atTaskEnd(() => seen.push('two'));
  });
  expect([first, second]).toEqual([new Error('no'), new Error('no')]);
  await turn();
  expect(seen).toEqual(['one', 'two']);
  await asTask(() => atTaskEnd(() => seen.push('three')));
  expect(seen).toEqual(['one', 'two', 'three']);
});

test('outside of such a task it is the same, as the runtime does it', async () => {
  const seen: string[] = [];
  atTaskEnd(() => seen.push('end'));
  void Promise.resolve().then(() => Promise.resolve().then(() => seen.push('microtask')));
  await turn();
  expect(seen).toEqual(['microtask', 'end']);
});

test('what is left for the end runs as part of nobody, and so does what it leaves in turn', async () => {
  const seen: unknown[] = [];
  const tenant = new AsyncLocalStorage<string>();
  tenant.run('a tenant', () =>
    atTaskEnd(() => {
      seen.push(tenant.getStore());
      atTaskEnd(() => seen.push(tenant.getStore()));
      tenant.run('another', () => void Promise.resolve().then(() => seen.push(tenant.getStore())));
    }),
  );
  await turn();
  expect(seen).toEqual([undefined, 'another', undefined]);
});
