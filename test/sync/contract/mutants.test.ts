import { describe, expect, test } from 'vitest';
import { type ContractSetup, hubContract } from '../../../src/sync/contract/index.ts';
import { BoundedEngine, MemoryEngine, UNNAMED_BYTES } from '../../support/memory-hub.ts';
import { isThorough, some } from '../../support/thorough.ts';
import { type BrokenHub, brokenHub, brokenHubs } from './broken-hubs.ts';

/*
 * Hubs with one defect each, and the contract that must notice it. So a test of the contract that has stopped to look
 * at what it is for is noticed here.
 */

function setupOf(broken: BrokenHub): ContractSetup {
  const engine = new MemoryEngine({ maxBlobBytes: 2 ** 20, ...broken.capabilities });
  return {
    hub: async () => brokenHub(engine, broken),
    bounded: { unnamedBytes: UNNAMED_BYTES, hub: async () => brokenHub(new BoundedEngine(), broken) },
    // Nothing in memory takes long; but a busy machine may, and of a sound one everything has to come.
    ...(broken.name === 'sound' ? {} : { patienceMs: 500 }),
    async crash() {
      engine.away = true;
      await new Promise((resolve) => setTimeout(resolve));
      broken.crash?.(engine);
      engine.away = false;
    },
  };
}

const known = new Map<BrokenHub, Promise<string[]>>();

/** The names of the tests that the hub fails. */
function failuresOf(broken: BrokenHub): Promise<string[]> {
  const failures = known.get(broken) ?? findFailures(broken);
  known.set(broken, failures);
  return failures;
}

async function findFailures(broken: BrokenHub): Promise<string[]> {
  const setup = setupOf(broken);
  const failures: string[] = [];
  for (const { name, run } of hubContract()) await run(setup).catch(() => failures.push(name));
  return failures;
}

describe('the contract catches a hub that', () => {
  test('(without a defect, it finds nothing)', async () => {
    expect(await failuresOf({ name: 'sound' })).toEqual([]);
  });

  test.each(some(brokenHubs, 'contract'))('$name', async (broken) => {
    expect(await failuresOf(broken)).not.toEqual([]);
  });
});

test.runIf(isThorough)('every test of the contract catches something', async () => {
  const caught = new Set<string>();
  for (const broken of brokenHubs) for (const name of await failuresOf(broken)) caught.add(name);
  expect(hubContract().map(({ name }) => name).filter((name) => !caught.has(name))).toEqual([]);
});

describe('tests that an engine gives no occasion for are reported as not run', () => {
  test('without a way to crash it, and without a bound on blobs', async () => {
    const engine = new MemoryEngine();
    const reasons = await Promise.all(hubContract().map(({ run }) => run({ hub: async () => brokenHub(engine, { name: 'sound' }) })));
    expect(reasons.filter((reason) => reason !== null)).toHaveLength(7);
  });

  test('with capabilities that promise less', async () => {
    const engine = new MemoryEngine({ dedupe: 'never', notifies: false, maxEntryBytes: 2 ** 27, maxBlobBytes: 2 ** 27 });
    const names: string[] = [];
    for (const { name, run } of hubContract()) if (!/crash|as large/.test(name) && (await run({ hub: async () => brokenHub(engine, { name: 'sound' }) })) !== null) names.push(name);
    expect(names).toHaveLength(10);
  });
});
