import { records } from '../expectations/index.ts';
import { exceptionFor, isScope } from '../record/record.ts';
import type { TestResult } from '../runner/result.ts';

export interface Count {
  passed: number;
  total: number;
}

/** Passed of total, over the subtests that a server can run. */
export function countOf(results: readonly TestResult[]): Count {
  const count: Count = { passed: 0, total: 0 };
  for (const { test, subtests } of results) {
    const entry = records[test.suite][test.file];
    for (const { name, status } of subtests) {
      const exception = entry === undefined ? undefined : exceptionFor(entry, test.variant, name);
      if (exception !== undefined && isScope(exception.reason)) continue;
      count.total += 1;
      if (status === 'PASS') count.passed += 1;
    }
  }
  return count;
}
