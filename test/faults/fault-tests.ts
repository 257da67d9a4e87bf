import { expect, test } from 'vitest';
import type { Scenario } from '../crash/support/scenarios.ts';
import { CALLS_TIMEOUT, isEncrypted } from '../support/sealed.ts';
import { thisTest } from '../support/this-test.ts';
import { faultEverywhere, type RightNames } from './inject.ts';

/** One test for each scenario. */
export function testFaults(scenarios: readonly Scenario[], names: RightNames): void {
  for (const scenario of scenarios) {
    test(`faults at system calls of: ${scenario.name}`, { timeout: CALLS_TIMEOUT }, async () => {
      const { count, violations } = await faultEverywhere(scenario, names, thisTest());
      expect(violations).toEqual([]);
      expect(count).toBeGreaterThan(0);
    });
  }
}

/** A value that cannot be stored is over what there is room for, whatever forbids to store it. */
export const namesOfStorage: RightNames = {
  ENOSPC: ['QuotaExceededError'],
  EIO: ['UnknownError'],
  EMFILE: ['UnknownError'],
  EACCES: ['QuotaExceededError'],
};

/** Transactions are Holdfast's own, and say themselves what the disk fails with, but for what `localStorage` in them is asked. */
export const namesOfTransactions: RightNames = {
  ENOSPC: [...namesOfStorage.ENOSPC, 'disk-full', 'disk-failed'],
  EIO: [...namesOfStorage.EIO, 'disk-failed'],
  EMFILE: [...namesOfStorage.EMFILE, 'disk-failed'],
  EACCES: [...namesOfStorage.EACCES, 'disk-failed', 'root-read-only', 'root-unusable'],
};

/** UnknownError where it is a journal that cannot be opened, or keys that cannot be looked at: no full disk refuses that. */
export const namesOfFiles: RightNames = {
  ENOSPC: ['QuotaExceededError', ...(isEncrypted ? ['UnknownError'] : [])],
  EIO: ['UnknownError'],
  EMFILE: ['InvalidStateError', 'UnknownError'],
  EACCES: ['NoModificationAllowedError', 'NotReadableError', 'UnknownError'],
};

/**
 * `locks.request` knows no other error, but that storage which may not be read cannot be had; the scenarios of locks have
 * files as well.
 */
export const namesOfLocks: RightNames = {
  ...namesOfFiles,
  ENOSPC: ['UnknownError', 'QuotaExceededError'],
  EACCES: [...namesOfFiles.EACCES, 'SecurityError'],
};

/** As files; SecurityError where the index may not be read. */
export const namesOfCaches: RightNames = {
  ...namesOfFiles,
  EACCES: [...namesOfFiles.EACCES, 'SecurityError'],
};

/** As caches; QuotaExceededError where the disk has no room for a bucket. */
export const namesOfBuckets: RightNames = namesOfCaches;
