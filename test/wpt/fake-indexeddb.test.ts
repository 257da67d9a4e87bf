import { expect, it } from 'vitest';
import { advantagesOf, sharedFiles } from '../../wpt/fake-indexeddb/compare.ts';
import { allPasses, readManifest } from '../../wpt/fake-indexeddb/manifest.ts';
import type { SuiteRecord } from '../../wpt/record/record.ts';

const record: SuiteRecord = {
  'IndexedDB/a.any.js': { run: true, except: [{ reason: 'bug', note: 'one', subtests: ['says "x"', 'other'] }] },
  'IndexedDB/b.html': { run: false, reason: 'frames' },
  'IndexedDB/c.any.js': { run: true, except: [{ reason: 'document', note: 'none', subtests: ['of a document'] }] },
  'IndexedDB/d.any.js': { run: true, except: [{ reason: 'node', note: 'of a Node long gone', beforeNode: 2, subtests: ['old'] }] },
};

it('a manifest lists what does not pass there', () => {
  const text = '# why\nexpectTimeout = true\n\n["says \\"x\\""]\nexpectation = "FAIL"\n\n[bare]\nexpectation = "UNSTABLE"';
  expect(readManifest(text)).toEqual({ isSkipped: false, notPassing: new Set(['says "x"', 'bare']) });
  expect(readManifest('# why\nskip = true').isSkipped).toBe(true);
});

it('a manifest that says what is not known is refused', () => {
  expect(() => readManifest('["a"]\nexpectation = "PERHAPS"')).toThrow(/PERHAPS/);
});

it('what passes there and not here is found, and told from what no server has', () => {
  const published = new Map([
    ['a.any', readManifest('["says \\"x\\""]\nexpectation = "FAIL"')],
    ['b', readManifest('skip = true')],
    ['c.any', allPasses],
    ['d.any', allPasses],
    ['newer.any', allPasses],
  ]);
  expect(sharedFiles(published, record)).toHaveLength(4);
  expect(advantagesOf(published, record)).toEqual([
    { file: 'IndexedDB/a.any.js', subtest: 'other', reason: 'bug', isOutOfReach: false },
    { file: 'IndexedDB/c.any.js', subtest: 'of a document', reason: 'document', isOutOfReach: true },
  ]);
  expect(advantagesOf(new Map([['b', allPasses]]), record)).toEqual([{ file: 'IndexedDB/b.html', subtest: null, reason: 'frames', isOutOfReach: true }]);
});
