/** What becomes of calls when the coordinators, or their host, are closed. */
import fs from 'node:fs';
import { expect, onTestFinished, test } from 'vitest';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { openHost } from '../host/support.ts';
import { Counter, later, refusal } from './counter.ts';

const ORIGIN = 'https://app.example';

class Slow extends Counter {
  async lasting(): Promise<number> {
    this.increment();
    await later(300);
    return this.increment();
  }
}

test('closing the host closes them first: what runs ends, and later calls say that they were closed', async () => {
  const host = openHost();
  const coordinators = new Coordinators(host, { Slow });
  const used = coordinators.get(ORIGIN, Slow, 'used');
  await used.increment();
  const running = used.lasting();
  const unused = coordinators.get(ORIGIN, Slow, 'unused');
  await host.close();
  expect(await running).toBe(3);
  fs.rmSync(host.root, { recursive: true });
  for (const stub of [used, unused]) expect(await refusal(stub.increment())).toMatchObject({ name: 'HoldfastError', code: 'closed' });
  expect(() => coordinators.get(ORIGIN, Slow, 'new')).toThrow('These coordinators were closed.');
  expect(() => new Coordinators(host, { Slow })).toThrow(`The host of ${host.root} was closed.`);
  expect(fs.existsSync(host.root)).toBe(false);
});

test('closing waits for the calls that were made of others, and does not take the coordinator from them', async () => {
  const there = openHost();
  const serving = new Coordinators(there, { Slow });
  onTestFinished(() => serving.close());
  const theirs = serving.get(ORIGIN, Slow, 'a');
  await theirs.increment();
  const epochs = async (): Promise<number[]> => {
    const found = [];
    for await (const { epoch } of serving.list()) found.push(epoch);
    return found;
  };
  const before = await epochs();

  const here = new Coordinators(openHost({ root: there.root }), {});
  const stub = here.get<Slow>(ORIGIN, 'Slow', 'a');
  await stub.increment();
  const running = stub.lasting();
  await here.close();
  expect(await running).toBe(4);
  expect(await refusal(stub.increment())).toMatchObject({ name: 'HoldfastError', code: 'closed' });
  expect(await epochs()).toEqual(before);
});

test('what runs while its process is closed still calls others', async () => {
  const there = openHost();
  const serving = new Coordinators(there, { Slow });
  const here = openHost({ root: there.root });
  let begun = (): void => undefined;
  const hasBegun = new Promise<void>((resolve) => (begun = resolve));
  let closing = (): void => undefined;
  const isClosing = new Promise<void>((resolve) => (closing = resolve));
  class Caller extends Coordinator {
    async count(): Promise<number> {
      begun();
      await isClosing;
      return coordinators.get(ORIGIN, Slow, 'a').increment();
    }
  }
  const coordinators: Coordinators = new Coordinators(here, { Caller, Slow });
  onTestFinished(() => serving.close());
  await serving.get(ORIGIN, Slow, 'a').increment();
  const running = coordinators.get(ORIGIN, Caller, 'b').count();
  await hasBegun;
  const closed = coordinators.close();
  closing();
  expect(await running).toBe(2);
  await closed;
});
