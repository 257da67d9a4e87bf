import { describe, expect, it } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import type { Ledgers } from './model.ts';

const mutants: Mutant[] = [
  {
    what: 'more is reserved than there is',
    file: 'disk/quota/machine.ts',
    from: 'const granted = need <= left || room >= 0;',
    to: 'const granted = true;',
  },
  {
    what: 'what others have reserved is not counted',
    file: 'disk/quota/machine.ts',
    from: 'return sum(this.#usage) + this.#reserved;',
    to: 'return sum(this.#usage);',
  },
  {
    what: 'what a dead session had reserved is free at once',
    file: 'disk/quota/machine.ts',
    from: '    this.#use(new Map([[categories.files, reservation.bytes]]));\n',
    to: '',
  },
  {
    what: 'what a dead session had reserved is kept',
    file: 'disk/quota/machine.ts',
    from: '    this.#reservations.delete(session);\n    this.#reserved -= reservation.bytes;\n',
    to: '',
  },
  {
    what: 'a counting overwrites what was used meanwhile',
    file: 'disk/quota/machine.ts',
    from: '    add(this.#usage, counting.used);\n',
    to: '',
  },
  {
    what: 'what was freed before a counting began is given back after it',
    file: 'disk/quota/machine.ts',
    from: '(freed.size > 0 && (epoch !== this.#epoch || this.#counting !== null))',
    to: 'false',
  },
  {
    what: 'what is used is not told',
    file: 'disk/quota/machine.ts',
    from: '    this.#use(adjustment.used);\n',
    to: '',
  },
  {
    what: 'a session that was taken for dead goes on with what it had',
    file: 'disk/quota/machine.ts',
    from: "    const left = Math.max(0, (own?.bytes ?? 0) - sum(adjustment.used));\n",
    to: '    const left = own?.bytes ?? 0;\n',
  },
  {
    what: 'the reserve in advance is not bounded by what is left',
    file: 'disk/quota/machine.ts',
    from: 'Math.min(want, Math.floor(room / SHARE))',
    to: 'want',
  },
  {
    what: 'there is no doubt after a session was found dead',
    file: 'disk/quota/machine.ts',
    from: '    this.#disturb();\n    return HEARD;\n  }\n\n  #disturb()',
    to: '    return HEARD;\n  }\n\n  #disturb()',
  },
];

const LIMIT = 2000;
const STEPS = 80;
const SCHEDULES = 2000;

/** What sessions that do whatever they may find wrong with an account; null: nothing. */
function violation(Model: typeof Ledgers, seed: number): string | null {
  const random = mulberry32(seed);
  const ledgers = new Model(LIMIT);
  for (let step = 0; step < STEPS; step++) {
    ledgers.step(Math.floor(random() * 8), Math.floor(random() * 3), Math.floor(random() * 600));
    if (ledgers.taken < ledgers.onDisk) return 'something on the disk is not paid for';
    if (ledgers.onDisk > LIMIT) return 'there is more on the disk than allowed';
    if (!ledgers.machine.doubtful && ledgers.machine.taken > ledgers.onDisk + ledgers.machine.reserved + ledgers.untold) return 'too much, for good, and nobody doubts it';
  }
  return ledgers.countInPeace() === ledgers.onDisk ? null : 'a counting in peace comes to something else';
}

describe('the model of the disk catches an account in which', () => {
  it('(without a defect, it finds nothing)', async () => {
    const { Ledgers: Sound } = await import('./model.ts');
    for (let seed = 1; seed <= SCHEDULES; seed++) expect(violation(Sound, seed)).toBeNull();
  });

  it.each(mutants)('$what', async (mutant) => {
    const { Ledgers: Broken } = await loadMutant<{ Ledgers: typeof Ledgers }>(new URL('model.ts', import.meta.url), mutant);
    for (let seed = 1; seed <= SCHEDULES; seed++) if (violation(Broken, seed) !== null) return;
    expect.fail(`not caught in ${SCHEDULES} schedules`);
  });
});
