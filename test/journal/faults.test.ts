import { describe as suite, expect, test } from 'vitest';
import {
  callsOf,
  compactionUnderFault,
  deepSleep,
  faultyAppend,
  forgottenRetry,
  interruptedShortWrite,
  lastByteMissing,
  lateSeal,
} from './support/fault-scenarios.ts';
import * as source from './support/journal.ts';
import { temporaryDirectory } from './support/place.ts';
import { systemCalls } from './support/system-calls.ts';

suite('a fault in one system call of a compaction', () => {
  const steps = callsOf(source, temporaryDirectory());

  test('the scenario has the steps that a compaction is made of', () => {
    expect(steps.filter((call) => call === 'writeSync').length).toBeGreaterThanOrEqual(2);
    for (const call of ['openSync', 'closeSync', 'readSync', 'fsyncSync', 'linkSync', 'unlinkSync', 'readdirSync']) {
      expect(steps).toContain(call);
    }
  });

  test.each(['ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'short'])('%s at each step, for once: the journal stays whole', (fault) => {
    for (let step = 0; step < steps.length; step++) {
      expect(compactionUnderFault(source, temporaryDirectory(), step, fault, 1), `${fault} in ${steps[step]}, step ${step}`).toEqual([]);
    }
  });

  test.each(['ENOSPC', 'EIO', 'short'])('%s from each step on: the journal stays whole', (fault) => {
    for (let step = 0; step < steps.length; step++) {
      expect(compactionUnderFault(source, temporaryDirectory(), step, fault, Infinity), `${fault} from ${steps[step]}, step ${step}`).toEqual([]);
    }
  });
});

suite('a fault in one system call of an append', () => {
  test.each(['ENOSPC', 'EIO', 'EROFS', 'EMFILE', 'EACCES', 'short', 'after'])('%s: the outcome is right, or known to be unknown', (fault) => {
    for (const call of systemCalls) expect(faultyAppend(source, temporaryDirectory(), call, fault), `${fault} in ${call}`).toEqual([]);
  });
});

test('a record that was cut short is appended anew, whole, though others have written in between', () => {
  expect(interruptedShortWrite(source, temporaryDirectory())).toEqual([]);
});

test('a record whose retry comes after a compaction takes effect once', () => {
  expect(forgottenRetry(source, temporaryDirectory())).toEqual([]);
});

test('a client without a descriptor sleeps through three generations, and brings none of them back', () => {
  expect(deepSleep(source, temporaryDirectory())).toEqual([]);
});

test('a record that lacks its last byte costs the next one nothing', () => {
  expect(lastByteMissing(source, temporaryDirectory())).toEqual([]);
});

test('a SEAL that comes after a record which its candidate lacks is void', () => {
  expect(lateSeal(source, temporaryDirectory())).toEqual([]);
});
