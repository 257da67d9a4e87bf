import { beforeAll, describe, expect, it } from 'vitest';
import { bundle } from '../../wpt/bundle.mjs';
import { records } from '../../wpt/expectations/index.ts';
import { findFiles, nameOf, suites, testsOf } from '../../wpt/runner/discover.ts';
import { isFeatureSubtest } from '../../wpt/runner/feature-subtests.ts';
import { runAll } from '../../wpt/runner/run-all.ts';
import { isThorough, some } from '../support/thorough.ts';
import { folders, hasCheckout } from './checkout.ts';

/** Realms that are tried, of more than a thousand, unless all are; and subtests of features that there are in them at least. */
const REALMS = 100;
const LEAST = isThorough ? 1_500 : 20;

describe.skipIf(!hasCheckout)('with Holdfast absent', () => {
  beforeAll(() => bundle());

  it('no feature subtest passes: nothing in the runner stands in for the product', { timeout: 300_000 }, async () => {
    const tests = suites.flatMap((suite) =>
      findFiles(folders, suite)
        .filter((file) => records[suite][file]?.run === true)
        .flatMap((file) => testsOf(folders, suite, file)),
    );
    // Most that do not fail at once wait for what never comes: many wait at the same time.
    const results = await runAll(some(tests, 'absent', REALMS), { folders, product: false, jobs: 8, patience: 1 });
    const subtests = results.flatMap(({ test, subtests: all }) => all.map((subtest) => ({ ...subtest, where: nameOf(test), realm: test.realm })));
    const features = subtests.filter(({ realm, name }) => isFeatureSubtest(realm, name));
    expect(features.length).toBeGreaterThan(LEAST);
    expect(features.filter(({ status }) => status === 'PASS')).toEqual([]);
  });
});
