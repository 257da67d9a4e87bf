import { expect, it } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import * as checks from './support/place-checks.ts';

// Places in the order of writers, which one transaction may leave to the next.

const file = 'indexed-db/model/writer-places.ts';

const mutants: readonly Mutant[] = [
  { what: 'a place is left to the next though somebody waits', file, from: 'return !kept.isWanted;', to: 'return true;' },
  { what: 'a place is left to the next though this realm waits', file: 'disk/records/locks/lock-client.ts', from: 'this.#table.parties(name).pending.length > 0', to: 'this.#table.isWantedElsewhere(name, "exclusive")' },
  { what: 'a place is kept though nothing was written', file, from: '!mayKeep || this.#kept', to: 'this.#kept' },
  { what: 'a place is never given back', file, from: '    this.#kept = null;\n    this.#release(kept);\n  }', to: '    void kept;\n  }' },
  { what: 'a place is never left to the next', file, from: '    this.#kept = claim;', to: '    claim.release();' },
];

it('everybody writes in the order in which it was asked for', async () => expect(await checks.failuresOf()).toEqual([]));

it.each(mutants)('it is noticed when $what', async (mutant) => {
  const broken = await loadMutant<typeof checks>(new URL('support/place-checks.ts', import.meta.url), mutant);
  expect(await broken.failuresOf()).not.toEqual([]);
});
