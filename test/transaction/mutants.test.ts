import { describe, expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { newPlace, removePlaces } from '../map/temporary-bucket.ts';
import * as sound from './scenarios.ts';

const mutants: (Mutant & { readonly caughtBy: string })[] = [
  { what: 'what it saw is not looked at again when it fails', file: 'disk/map/map-transaction.ts', from: 'if (stillHolds(reads, map.current())) throw error;', to: 'throw error;', caughtBy: 'what was never there at one moment makes nothing fail' },
  { what: 'the machine does not look at what was expected', file: 'disk/map/map-batch.ts', from: '  if (!isAsExpected(batch, state)) return CONFLICT;\n', to: '', caughtBy: 'a record that comes before its own makes it run again' },
  { what: 'keys may be others', file: 'disk/map/map-batch.ts', from: 'return keys === null || keys.equals(digestOfKeys(state.keys()));', to: 'return true;', caughtBy: 'a key that comes between is seen by whoever has looked at all keys' },
  { what: 'long values are all the same', file: 'disk/map/map-batch.ts', from: ' && expected.equals(digestOf(value))', to: '', caughtBy: 'a long value that was read is told from another' },
  { what: 'whatever others write is an obstacle', file: 'disk/map/map-batch.ts', from: '  if (!expectations.every(', to: '  if (state.size > 0 || !expectations.every(', caughtBy: 'what others write elsewhere is no obstacle' },
  { what: 'the machine does not look at the quota', file: 'disk/map/map-batch.ts', from: '  if (!outcome.accepted) return outcome;\n', to: '', caughtBy: 'what does not fit at the end is refused as a whole' },
  { what: 'nobody hears of it', file: 'disk/map/map-batch.ts', from: 'listener === null ? undefined', to: 'listener !== undefined ? undefined', caughtBy: 'others hear of each change after all of them' },
  { what: 'clear forgets to clear', file: 'disk/map/map-overlay.ts', from: '    this.#steps.push(CLEAR_STEP);\n', to: '', caughtBy: 'clear and what comes after it are one' },
  { what: 'a removed key keeps its place', file: 'disk/map/map-overlay.ts', from: '    this.#steps.push({ key, value: null });\n    this.#sets?.delete(key);\n', to: '    this.#steps.push({ key, value: null });\n    (this.#sets ??= new Map()).set(key, this.#steps.length - 1);\n', caughtBy: 'a key that is removed and set again comes last' },
];

function outcome(module: typeof sound, name: string): unknown {
  const realms = module.openRealms(newPlace().path, name === 'what does not fit at the end is refused as a whole' ? 100 : undefined);
  try {
    return module.scenarios[name]?.run(realms);
  } catch (error) {
    return String(error);
  } finally {
    removePlaces();
  }
}

describe('a transaction', () => {
  test.each(Object.entries(sound.scenarios))('%s', (name, { expected }) => {
    expect(outcome(sound, name)).toEqual(expected);
  });
});

describe('a transaction with a defect is caught:', () => {
  test.each(mutants)('$what', async ({ caughtBy, ...mutant }) => {
    const broken = await loadMutant<typeof sound>(new URL('scenarios.ts', import.meta.url), mutant);
    expect(outcome(broken, caughtBy)).not.toEqual(sound.scenarios[caughtBy]?.expected);
  });
});
