import { appending } from './appending.ts';
import { blobs } from './blobs.ts';
import { collecting } from './collecting.ts';
import type { ContractTest } from './contract.ts';
import { crashes } from './crashes.ts';
import { deduplication } from './deduplication.ts';
import { living } from './living.ts';
import { names } from './names.ts';
import { passing } from './passing.ts';
import { reading } from './reading.ts';
import { trimming } from './trimming.ts';
import { unnamed } from './unnamed.ts';

export type { ContractSetup, ContractTest } from './contract.ts';

/**
 * The tests that every hub must pass, for any test runner:
 *
 * ```ts
 * for (const { name, run } of hubContract()) {
 *   test(name, async (context) => {
 *     const reason = await run(setup);
 *     if (reason !== null) context.skip(reason);
 *   });
 * }
 * ```
 *
 * They wait for conditions and not for times, can run at once and again on the same data, and leave their logs behind.
 * The engine must be empty or used by such tests only: they append to logs with short names such as `*` too.
 */
export function hubContract(): readonly ContractTest[] {
  return [...appending, ...deduplication, ...reading, ...trimming, ...passing, ...blobs, ...collecting, ...unnamed, ...names, ...living, ...crashes];
}
