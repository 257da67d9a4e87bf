import { describe, expect, it } from 'vitest';
import { checkCount, checkFiles, checkResults, type Disagreement } from '../../wpt/record/gate.ts';
import type { Entry, Exception, RunEntry, SuiteRecord } from '../../wpt/record/record.ts';
import { resultOf } from './results.ts';

const broken: Exception = { reason: 'broken-test', note: 'it calls what is not there', subtests: ['fails'] };
const run: RunEntry = { run: true };

function kinds(disagreements: readonly Disagreement[]): string[] {
  return disagreements.map(({ kind, subtest }) => `${kind} ${subtest ?? '-'}`);
}

describe('the gate on results', () => {
  it('agrees with a run that is as recorded', () => {
    expect(checkResults({ run: true, except: [broken] }, [resultOf({ passes: 'PASS', fails: 'FAIL' })])).toEqual([]);
  });

  it.each(['FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'] as const)('fails on an unexpected %s', (status) => {
    expect(kinds(checkResults(run, [resultOf({ passes: 'PASS', other: status })]))).toEqual(['failure other']);
  });

  it('fails on an unexpected pass', () => {
    expect(kinds(checkResults({ run: true, except: [broken] }, [resultOf({ fails: 'PASS' })]))).toEqual(['pass fails']);
  });

  it('fails on a subtest in the record that did not run', () => {
    expect(kinds(checkResults({ run: true, except: [broken] }, [resultOf({ passes: 'PASS' })]))).toEqual(['stale fails']);
  });

  it('takes an exception for some variants as one for no other', () => {
    const entry: RunEntry = { run: true, except: [{ ...broken, variants: ['any'] }] };
    const results = [resultOf({ fails: 'FAIL' }), resultOf({ fails: 'FAIL' }, { variant: 'any.worker' })];
    expect(kinds(checkResults(entry, results))).toEqual(['failure fails']);
    expect(kinds(checkResults(entry, [resultOf({ fails: 'PASS' }, { variant: 'any.worker' })]))).toEqual(['stale fails']);
  });

  it('takes an exception for later versions of Node as none', () => {
    const entry: RunEntry = { run: true, except: [{ ...broken, sinceNode: 1_000 }] };
    expect(kinds(checkResults(entry, [resultOf({ fails: 'FAIL' })]))).toEqual(['failure fails']);
    expect(checkResults(entry, [resultOf({ fails: 'PASS' })])).toEqual([]);
  });

  it.each(['ERROR', 'TIMEOUT', 'CRASH'] as const)('fails on a harness %s, whatever the subtests say', (harness) => {
    expect(kinds(checkResults(run, [resultOf({ passes: 'PASS' }, { harness })]))).toEqual(['failure -']);
  });

  it('fails when a harness error that is recorded does not happen, or another one does', () => {
    const entry: RunEntry = { run: true, harness: { status: 'ERROR', reason: 'broken-test', note: 'it does not parse' } };
    expect(checkResults(entry, [resultOf({}, { harness: 'ERROR' })])).toEqual([]);
    expect(kinds(checkResults(entry, [resultOf({ passes: 'PASS' })]))).toEqual(['pass -']);
    expect(kinds(checkResults(entry, [resultOf({}, { harness: 'CRASH' })]))).toEqual(['failure -']);
  });

  it('fails on a file without a single subtest', () => {
    expect(kinds(checkResults(run, [resultOf({})]))).toEqual(['failure -']);
  });
});

describe('the gate on the record', () => {
  const record: SuiteRecord = { 'fs/a.any.js': run, 'fs/b.html': { run: false, reason: 'frames' } };

  it('agrees with a record that lists every file', () => {
    expect(checkFiles(record, ['fs/a.any.js', 'fs/b.html'])).toEqual([]);
  });

  it('fails on a file that is not listed', () => {
    expect(checkFiles(record, ['fs/a.any.js', 'fs/b.html', 'fs/new.any.js'])).toMatchObject([{ kind: 'unlisted', where: 'fs/new.any.js' }]);
  });

  it('fails on a listed file that is not there', () => {
    expect(checkFiles(record, ['fs/a.any.js'])).toMatchObject([{ kind: 'stale', where: 'fs/b.html' }]);
  });

  it('fails on a reason that is none, and on an exception without a note', () => {
    const unexplained = { run: true, except: [{ ...broken, reason: 'unexplained' }] } as unknown as Entry;
    expect(checkFiles({ 'fs/a.any.js': unexplained }, ['fs/a.any.js'])).toMatchObject([{ kind: 'record' }]);
    expect(checkFiles({ 'fs/a.any.js': { run: true, except: [{ ...broken, note: ' ' }] } }, ['fs/a.any.js'])).toMatchObject([{ kind: 'record' }]);
  });
});

describe('the gate on the number of subtests', () => {
  it('fails when fewer or more ran than in Chromium, unless they are out of reach', () => {
    const result = resultOf({ one: 'PASS', two: 'PASS', three: 'FAIL' });
    expect(checkCount(result, { passed: 2, total: 3 }, 3)).toEqual([]);
    expect(checkCount(result, { passed: 2, total: 2 }, 3)).toEqual([]);
    expect(checkCount(result, { passed: 2, total: 2 }, 2)).toEqual([]);
    expect(kinds(checkCount(result, { passed: 2, total: 3 }, 4))).toEqual(['count -']);
    expect(kinds(checkCount(result, { passed: 2, total: 3 }, 2))).toEqual(['count -']);
  });
});
