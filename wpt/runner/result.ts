import type { HarnessStatus, Subtest } from '../realm/config.ts';
import type { Test } from './discover.ts';

/** What one test file gave in one realm. */
export interface TestResult {
  readonly test: Test;
  readonly harness: HarnessStatus;
  /** Why the harness did not end well; null when it did. */
  readonly message: string | null;
  readonly subtests: readonly Subtest[];
  readonly milliseconds: number;
}

/** Subtests of one name in one file get a number, since the record lists them by name. */
export function withDistinctNames(subtests: readonly Subtest[]): Subtest[] {
  const seen = new Map<string, number>();
  return subtests.map((subtest) => {
    const count = (seen.get(subtest.name) ?? 0) + 1;
    seen.set(subtest.name, count);
    return count === 1 ? subtest : { ...subtest, name: `${subtest.name} [${count}]` };
  });
}
