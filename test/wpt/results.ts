import type { HarnessStatus, Subtest, SubtestStatus } from '../../wpt/realm/config.ts';
import type { Test, Variant } from '../../wpt/runner/discover.ts';
import type { TestResult } from '../../wpt/runner/result.ts';

/** A result as a run would give it, for tests of what is made of results. */
export function resultOf(subtests: Readonly<Record<string, SubtestStatus>>, given: { harness?: HarnessStatus; variant?: Variant; file?: string } = {}): TestResult {
  const { harness = 'OK', variant = 'any', file = 'fs/a.any.js' } = given;
  return {
    test: testOf(file, variant),
    harness,
    message: harness === 'OK' ? null : 'why the harness did not end well',
    subtests: Object.entries(subtests).map(([name, status]): Subtest => ({ name, status, message: status === 'PASS' ? null : 'why it failed' })),
    milliseconds: 1,
  };
}

export function testOf(file: string, variant: Variant = 'any'): Test {
  return { suite: 'fs', file, variant, query: '', realm: 'window', scripts: [`/${file}`], title: null, timeout: 'normal' };
}
