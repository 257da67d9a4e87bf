import { describe, expect, it } from 'vitest';
import { records } from '../../wpt/expectations/index.ts';
import { findFiles, nameOf, suites, testsOf } from '../../wpt/runner/discover.ts';
import { oneRealmEach } from '../../wpt/runner/one-realm-each.ts';
import { folders, hasCheckout } from './checkout.ts';

describe.skipIf(!hasCheckout)('one realm of each file', () => {
  const tests = suites.flatMap((suite) => findFiles(folders, suite).flatMap((file) => testsOf(folders, suite, file)));
  const rowsOf = (chosen: typeof tests): Set<string> => new Set(chosen.map(({ file, query }) => `${file}${query}`));

  it('leaves out about half, and no file', () => {
    const chosen = oneRealmEach(tests, 1);
    expect(chosen.length).toBeLessThan(0.75 * tests.length);
    expect(rowsOf(chosen)).toEqual(rowsOf(tests));
  });

  it('is another one by another seed, and each comes', () => {
    const seen = new Set(Array.from({ length: 40 }, (_, seed) => oneRealmEach(tests, seed).map(nameOf)).flat());
    expect(seen).toEqual(new Set(tests.map(nameOf)));
  });

  it('is all realms of what the record excepts something of', () => {
    const excepted = tests.filter(({ suite, file }) => {
      const entry = records[suite][file];
      return entry?.run === true && entry.except !== undefined;
    });
    expect(excepted.length).toBeGreaterThan(10);
    expect(oneRealmEach(tests, 1)).toEqual(expect.arrayContaining(excepted));
  });
});
