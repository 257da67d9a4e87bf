import { describe, expect, it } from 'vitest';
import { formatRecord } from '../../wpt/record/format.ts';
import { checkFiles, checkResults } from '../../wpt/record/gate.ts';
import type { Entry, SuiteRecord } from '../../wpt/record/record.ts';
import { newEntry } from '../../wpt/record/update.ts';
import { resultOf } from './results.ts';

const known: Entry = { run: true, except: [{ reason: 'outdated-test', note: 'older than the standard', subtests: ['old', 'gone'] }] };

describe('an updated record', () => {
  it('keeps the reason of what still fails, and drops what passes or is gone', () => {
    const entry = newEntry(known, [resultOf({ old: 'FAIL', fine: 'PASS' })]);
    expect(entry).toEqual({ run: true, except: [{ reason: 'outdated-test', note: 'older than the standard', subtests: ['old'] }] });
  });

  it('says in which variants a subtest fails, when not in all', () => {
    const entry = newEntry(known, [resultOf({ old: 'FAIL' }), resultOf({ old: 'PASS' }, { variant: 'any.worker' })]);
    expect(entry).toMatchObject({ except: [{ variants: ['any'], subtests: ['old'] }] });
  });

  it('agrees with the run that it was made from, but for the reasons that are missing', () => {
    const results = [resultOf({ old: 'FAIL', new: 'TIMEOUT', fine: 'PASS' }, { harness: 'ERROR' })];
    const entry = newEntry(known, results);
    if (!entry.run) throw new Error('the file ran');
    expect(checkResults(entry, results)).toEqual([]);
    expect(checkFiles({ 'fs/a.any.js': entry }, ['fs/a.any.js']).map(({ kind }) => kind)).toEqual(['record', 'record']);
  });

  it('keeps what is recorded for later versions of Node', () => {
    const later: Entry = { run: true, except: [{ reason: 'node', note: 'from then on', sinceNode: 1_000, subtests: ['later'] }] };
    expect(newEntry(later, [resultOf({ later: 'PASS' })])).toEqual(later);
  });

  it('leaves alone what is left out, and refuses a new file that nobody has described', () => {
    const leftOut: Entry = { run: false, reason: 'picker' };
    expect(newEntry(leftOut, [])).toEqual(leftOut);
    expect(checkFiles({ 'fs/a.any.js': newEntry(undefined, []) }, ['fs/a.any.js'])).toMatchObject([{ kind: 'record' }]);
  });
});

describe('the text of a record', () => {
  it('is a module that means the same', async () => {
    const record: SuiteRecord = {
      'fs/a.any.js': { run: true },
      "fs/it's.html": { run: false, reason: 'frames', note: 'of "another" origin' },
      'fs/b.any.js': {
        run: true,
        harness: { status: 'ERROR', reason: 'broken-test', note: "it doesn't parse", variants: ['any'] },
        except: [{ reason: 'outdated-test', note: 'a\nnote \\ of two lines', sinceNode: 24, variants: ['any', 'any.worker'], subtests: ["'", '"', '\u{1F980}\u0000'] }],
      },
    };
    const module = formatRecord('fs', record)
      .replace(/^import .*\n/, '')
      .replace(': SuiteRecord', '');
    const read = (await import(`data:text/javascript,${encodeURIComponent(module)}`)) as { record: SuiteRecord };
    expect(read.record).toEqual(record);
  });
});
