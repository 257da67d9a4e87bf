import { expect, onTestFinished, test } from 'vitest';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import { StorageHost } from '../../src/index.ts';
import type { Coordinators as Found, OriginInfo } from '../../src/inspector/messages.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { inspected, ORIGIN, temporary } from './support.ts';

class Counter extends Coordinator {
  increment(): number {
    const next = Number(this.localStorage.getItem('n') ?? 0) + 1;
    this.localStorage.setItem('n', String(next));
    return next;
  }
}

function coordinatorsOf(root: string, regions?: { readonly engine: MemoryEngine; readonly region: string }): Coordinators {
  const host = new StorageHost({ root });
  host.origin(ORIGIN).localStorage.setItem('k', 'v');
  const options = regions && { regions: { hub: memoryHub(regions.engine), region: regions.region, token: 't'.repeat(16), peers: {} } };
  const coordinators = new Coordinators(host, { Counter }, options);
  onTestFinished(async () => {
    await coordinators.close();
    await host.close();
  });
  return coordinators;
}

test('coordinators that a hub keeps are shown beside those of the root, with the region that has them', async () => {
  const engine = new MemoryEngine();
  const root = temporary();
  await coordinatorsOf(root, { engine, region: 'eu' }).get(ORIGIN, Counter, 'near').increment();
  await coordinatorsOf(temporary(), { engine, region: 'us' }).get(ORIGIN, Counter, 'far').increment();

  // One whose root has none of its own.
  const { ask } = inspected({ hub: memoryHub(engine) }, root);
  expect((await ask<OriginInfo>('origin', { origin: ORIGIN })).coordinators).toBe(true);
  const common = { className: 'Counter', epoch: 1, items: 1, bytes: 4, alarm: null, attempt: 0 };
  expect(await ask<Found>('coordinators', { origin: ORIGIN, offset: 0, limit: 10 })).toEqual({
    total: 2,
    offset: 0,
    problem: '',
    rows: [
      { ...common, name: 'far', owner: { region: 'us', process: null, answers: null }, live: null },
      { ...common, name: 'near', owner: { region: 'eu', process: process.pid, answers: true }, live: { usedAt: expect.any(Number), waiting: 0, running: 0 } },
    ],
  });
  expect((await inspected({}, root).ask<OriginInfo>('origin', { origin: ORIGIN })).coordinators).toBe(false);
  expect((await inspected({ hub: memoryHub() }, root).ask<OriginInfo>('origin', { origin: ORIGIN })).coordinators).toBe(false);
});

test('where the hub does not answer those of the root are shown all the same, and why the others are not', async () => {
  const engine = new MemoryEngine();
  const root = temporary();
  await coordinatorsOf(root).get(ORIGIN, Counter, 'local').increment();
  engine.away = true;
  const { ask } = inspected({ hub: memoryHub(engine) }, root);
  expect((await ask<OriginInfo>('origin', { origin: ORIGIN })).coordinators).toBe(true);
  const { rows, problem } = await ask<Found>('coordinators', { origin: ORIGIN, offset: 0, limit: 10 });
  expect(rows).toMatchObject([{ name: 'local', owner: { region: null, process: process.pid, answers: true } }]);
  expect(problem).not.toBe('');
});

test('the hub is asked by a page, however often, no more than now and then', async () => {
  const engine = new MemoryEngine();
  const root = temporary();
  await coordinatorsOf(root, { engine, region: 'eu' }).get(ORIGIN, Counter, 'a').increment();
  const { read } = engine.log(`${ORIGIN} coordinators`);
  let reads = 0;
  engine.log(`${ORIGIN} coordinators`).read = function (...args) {
    reads += 1;
    return read.apply(this, args);
  };
  const { ask } = inspected({ hub: memoryHub(engine) }, root);
  await Promise.all(Array.from({ length: 20 }, () => ask('origin', { origin: ORIGIN })));
  expect(reads).toBeLessThanOrEqual(2);
});
