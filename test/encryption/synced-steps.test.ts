import { expect, test } from 'vitest';
import { type MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { bring, contentOf, copyOf, dying, killedAt, plainFiles, shownBy, standing } from './handed-over.ts';
import { openHost, read, regionOf } from './sync-regions.ts';
import * as product from './synced.product.ts';

let filled: Promise<MemoryEngine> | null = null;
const before = (): Promise<MemoryEngine> => (filled ??= plainFiles());

async function requireWhole(engine: MemoryEngine): Promise<void> {
  expect(shownBy(engine)).toEqual([]);
  const region = regionOf(openHost(memoryHub(engine), 'fresh'));
  await region.sync.caughtUp();
  for (const count of [0, 2, 3, 4]) expect(await read(region, `canary-${count}`)).toBe(contentOf(count));
  expect(region.sync.status()).toMatchObject({ rejected: 0, problem: '' });
}

test('killed at each step, whoever comes next ends it, and all is there and nothing in clear', async () => {
  const plain = await before();
  expect(shownBy(plain)).not.toEqual([]);
  const { asked, engine: whole } = await killedAt(Infinity, plain, product);
  expect(asked).toBeGreaterThan(30);
  await requireWhole(whole);
  // It stands for what it would have stood for.
  const expected = await standing(whole, product);
  expect(expected.first).toBe(2);
  for (let step = 0; step < asked; step += 1) {
    const { engine } = await killedAt(step, plain, product);
    await bring(memoryHub(engine), product);
    expect(shownBy(engine)).toEqual([]);
    expect(await standing(engine, product)).toEqual(expected);
    if (step % 10 === 0) await requireWhole(engine);
  }
});

test('two that do it at once, one of them killed at each step, come to one end', async () => {
  const plain = await before();
  const { asked } = await killedAt(Infinity, plain, product);
  for (let step = 0; step < asked; step += 3) {
    const engine = copyOf(plain, product);
    const one = bring(dying(engine, step, product).hub, product).catch(() => undefined);
    const other = bring(memoryHub(engine), product).catch(() => undefined);
    await Promise.all([one, other]);
    await bring(memoryHub(engine), product);
    expect(shownBy(engine)).toEqual([]);
    if (step % 12 === 0) await requireWhole(engine);
  }
});
