import { describe, expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import * as sound from './own-alarm.ts';

const file = 'coordinator/own-alarm.ts';

const mutants: (Mutant & { readonly caughtBy: keyof typeof sound.cases })[] = [
  { what: 'the index hears of what may come to nothing', file, from: '!isInDoubt && ', to: '', caughtBy: 'what is in doubt' },
  { what: 'the index hears of what is not written', file, from: ' && this.#turn.alarm === undefined', to: '', caughtBy: 'what is not written' },
  { what: 'the index forgets what somebody is about to delete', file, from: 'if (this.#store.alarm === null) this.#tell', to: 'if (this.current === null) this.#tell', caughtBy: 'what is not deleted yet' },
];

describe('the index of alarms hears nothing of', () => {
  test.each(Object.entries(sound.cases))('%s', (_what, told) => {
    expect(told()).toEqual([]);
  });

  test('and else of all that is so', () => {
    expect(sound.whatIsSo()).toEqual(['move 900', 'forget']);
  });
});

describe('it is noticed that', () => {
  test.each(mutants)('$what', async ({ caughtBy, ...mutant }) => {
    const broken = await loadMutant<typeof sound>(new URL('own-alarm.ts', import.meta.url), mutant);
    expect(broken.cases[caughtBy]()).not.toEqual([]);
  });
});
