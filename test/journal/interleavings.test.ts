import { afterAll, describe as suite, expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { mutants } from './support/mutants.ts';
import { temporaryDirectory } from './support/place.ts';
import { Stage } from './support/schedule.ts';
import { buildVariant, type Defect } from './support/variants.ts';

/*
 * Three writers and compactors, each in a thread, run one system call at a time in an order that a seed decides, with
 * faults, short writes and deaths in between. To repeat a run: HOLDFAST_SEED=<seed> (the first seed) and
 * HOLDFAST_SCHEDULES=<how many>.
 */
const FIRST = Number(process.env.HOLDFAST_SEED ?? 1);
const SCHEDULES = Number(process.env.HOLDFAST_SCHEDULES ?? 150);
/** Defects that show in too few schedules to wait for; their own scenarios catch them, in mutants.test.ts. */
const rare = ['the snapshot forgets who has written what', 'a frame may end in any byte'];
const MOST_FOR_A_DEFECT = 2000;

const stages: Stage[] = [];
afterAll(async () => {
  await Promise.all(stages.map((stage) => stage.close()));
});

async function stageFor(name: string, defects: readonly Defect[] = []): Promise<Stage> {
  const fixture = await bundleFixture(new URL('./fixtures/actor.ts', import.meta.url));
  const stage = new Stage(fixture, await buildVariant(name, defects));
  stages.push(stage);
  await stage.ready();
  return stage;
}

suite('whatever the order of system calls, faults and deaths', () => {
  test('every answer, view and later reader fits one list of records', { timeout: 120_000 }, async () => {
    const stage = await stageFor('interleaved');
    const parent = temporaryDirectory();
    for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
      expect(await stage.play(seed, parent), `HOLDFAST_SEED=${seed}`).toEqual([]);
    }
  });

  test('the journal is never taken for another one, though each use looks', { timeout: 120_000 }, async () => {
    const stage = await stageFor('suspicious', [
      { file: 'trust.ts', from: 'if (this.#round !== round) return true;', to: 'return true;' },
      { file: 'replay.ts', from: 'this.#beginnings++;', to: "throw new Error('taken for another');" },
      { file: 'replay.ts', from: 'this.#isCutShort = true;', to: "throw new Error('taken for cut short');" },
    ]);
    const parent = temporaryDirectory();
    for (let seed = FIRST; seed < FIRST + SCHEDULES; seed++) {
      expect(await stage.play(seed, parent), `HOLDFAST_SEED=${seed}`).toEqual([]);
    }
  });

  test.each(mutants.filter(({ name }) => !rare.includes(name)))('and this is found by it: $name', { timeout: 120_000 }, async ({ name, defects }) => {
    const stage = await stageFor(name, defects);
    const parent = temporaryDirectory();
    let seed = 1;
    while (seed < MOST_FOR_A_DEFECT && (await stage.play(seed, parent)).length === 0) seed++;
    expect(seed).toBeLessThan(MOST_FOR_A_DEFECT);
  });
});
