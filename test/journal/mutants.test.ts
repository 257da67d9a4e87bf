import { describe as suite, expect, test } from 'vitest';
import {
  callsOf,
  compactionUnderFault,
  deepSleep,
  forgottenRetry,
  interruptedShortWrite,
  lastByteMissing,
  lateSeal,
} from './support/fault-scenarios.ts';
import { mutants } from './support/mutants.ts';
import { temporaryDirectory } from './support/place.ts';
import { loadVariant, type JournalModule } from './support/variants.ts';

/*
 * Deliberate defects, and the scenario of the other tests that each must fail. So a scenario that has stopped to look
 * at what it is for is noticed here.
 */

type Scenario = (module: JournalModule, parent: string) => string[];

const fullDiskAtEveryStep: Scenario = (module, parent) =>
  callsOf(module, parent).flatMap((_, step) => compactionUnderFault(module, temporaryDirectory(), step, 'ENOSPC', 1));

const scenarios: Record<(typeof mutants)[number]['name'], Scenario> = {
  'parsing goes on where a bad frame claims to end': interruptedShortWrite,
  'the SEAL is written before the successor is there': fullDiskAtEveryStep,
  'generations are created by their names': deepSleep,
  'after a short write only the rest is appended': interruptedShortWrite,
  'the snapshot forgets who has written what': forgottenRetry,
  'a SEAL is effective wherever it stands': lateSeal,
  'a frame may end in any byte': lastByteMissing,
};

suite('a journal with a defect is caught', () => {
  test.each([fullDiskAtEveryStep, deepSleep, forgottenRetry, interruptedShortWrite, lastByteMissing, lateSeal])('(without one, %o finds nothing)', async (scenario) => {
    expect(scenario(await loadVariant('sound'), temporaryDirectory())).toEqual([]);
  });

  test.each(mutants)('$name', async ({ name, defects }) => {
    const caughtBy = scenarios[name];
    expect(caughtBy(await loadVariant(name, defects), temporaryDirectory())).not.toEqual([]);
  });
});
