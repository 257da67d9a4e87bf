import { expect, test } from 'vitest';
import type { MemoryEngine } from '../support/memory-hub.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { some } from '../support/thorough.ts';
import { bring, copyOf, killedAt, NAME, plainFiles, shownBy, standing, type Variant } from './handed-over.ts';
import { repaired } from './sync-attacks.ts';
import * as product from './synced.product.ts';

interface Right {
  readonly plain: MemoryEngine;
  /** What the encrypted log stands for. */
  readonly expected: Awaited<ReturnType<typeof standing>>;
  /** Blobs that its entries need. */
  readonly names: number;
}

let right: Promise<Right> | null = null;

async function make(): Promise<Right> {
  const plain = await plainFiles();
  const { engine } = await killedAt(Infinity, plain, product);
  return { plain, names: namedIn(engine), expected: await standing(engine, product) };
}

/** How many blobs of encrypted logs the hub keeps because an entry needs them. */
function namedIn(engine: MemoryEngine): number {
  return [...engine.logs].filter(([name]) => name !== NAME).reduce((sum, [, log]) => sum + log.named.size, 0);
}

/** What is wrong after somebody has brought all there is; null: nothing is. */
async function endingFault(engine: MemoryEngine, variant: Variant, { expected, names }: Right): Promise<string | null> {
  if (shownBy(engine).length > 0) return 'something is in clear';
  const { first, snapshot } = await standing(engine, variant);
  if (first !== expected.first) return 'it begins again each time';
  if (snapshot !== expected.snapshot) return 'it stands for something else';
  return namedIn(engine) < names ? 'content may be collected' : null;
}

/** The first thing that is wrong with what a variant does. */
async function faultOf(variant: Variant): Promise<string | null> {
  const all = await (right ??= make());
  const { plain } = all;
  try {
    const { engine, asked } = await killedAt(Infinity, plain, variant);
    const fault = await endingFault(engine, variant, all);
    if (fault !== null) return fault;
    for (let step = 0; step < asked; step += 1) {
      const killed = (await killedAt(step, plain, variant)).engine;
      await bring(variant.memoryHub(killed), variant);
      const left = await endingFault(killed, variant, all);
      if (left !== null) return `killed at ${step}: ${left}`;
    }
  } catch (error) {
    return `it fails: ${String(error)}`;
  }
  return forgeryFault(copyOf(plain, variant), variant);
}

/** Nothing is encrypted because of an end that is of nobody who has the key. */
async function forgeryFault(engine: MemoryEngine, variant: Variant): Promise<string | null> {
  engine.log(NAME).append([{ id: 'forged', bytes: repaired(Buffer.alloc(64, 0x81)) }]);
  return bring(variant.memoryHub(engine), variant).then(
    () => 'a forged end is taken for one',
    () => (shownBy(engine).length > 0 ? null : 'a forged end has taken what was there'),
  );
}

const handover = 'sync/sealed/handover.ts';

const mutants: readonly Mutant[] = [
  { what: 'the plain log goes before the other one has begun', file: handover, from: 'if (first === 1) await this.#begin(epoch);', to: 'await purge(plain, ends); if (first === 1) await this.#begin(epoch);' },
  { what: 'the plain log stays', file: handover, from: 'await this.#bring(this.#ownNames(), false);\n    await purge(plain, ends);', to: 'await this.#bring(this.#ownNames(), false);' },
  { what: 'the blobs of the plain log stay', file: handover, from: 'await plain.collectBlobs({ epoch, first: position + 1, position, isNamed: () => false, unusedFor: 0 });', to: 'await Promise.resolve(epoch);' },
  { what: 'the last entry is left out', file: handover, from: 'last: position - 1 }', to: 'last: position - 2 }' },
  { what: 'nobody notes where the plain log ended', file: handover, from: 'if (former.place === null) await former.notePlace(place);', to: '' },
  { what: 'the snapshot comes before the content', file: handover, from: "await this.#bring(follower.references?.ofModel(model) ?? [], true);", to: '' },
  { what: 'nothing says that the content is needed', file: handover, from: 'if (isNamed) await sealed.append(', to: 'if (isNamed && renamed.length < 0) await sealed.append(' },
  { what: 'the numbers of those who wrote go on', file: handover, from: 'clients.restart();', to: '' },
  { what: 'the entry before the snapshot stays', file: handover, from: 'await sealed.trim(1);', to: '' },
  { what: 'an end is added to one that there is', file: handover, from: 'let position = await this.#firstSealed(first);', to: 'let position = await this.#firstSealed(first); await ends.append([{ id: randomUuid(), bytes: END }]); position = (await plain.head()).position;' },
];

test('without a mutant there is no fault', async () => {
  expect(await faultOf(product)).toBe(null);
});

test.each(some(mutants, 'synced'))('$what: noticed', async (mutant) => {
  const variant = await loadMutant<Variant>(new URL('synced.product.ts', import.meta.url), mutant);
  expect(await faultOf(variant)).not.toBe(null);
});
