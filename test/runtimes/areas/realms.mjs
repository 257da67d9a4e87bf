// All of Holdfast in programs that are not as the ones above: other realms, and globals that somebody has changed.
import assert from 'node:assert/strict';
import process from 'node:process';
import { newRoot } from '../kit/place.mjs';
import { run } from '../kit/program.mjs';
import { test } from '../kit/test.mjs';

const runtime = 'deno' in process.versions ? 'deno' : 'bun' in process.versions ? 'bun' : 'node';

const everything = async (...args) => assert.deepEqual(await run('everything', { args }), ['everything was used']);

test('arguments of this realm', () => everything('nothing', newRoot()));

test('arguments of another realm', () => everything('nothing', newRoot(), 'other-realm'));

test('timers and clocks that were faked before, or after', async () => {
  // Bun takes those of node:timers from the global ones when they are first asked for.
  if (runtime !== 'bun') await everything('fake-timers', newRoot());
  await everything('fake-timers', newRoot(), 'late');
});

if (runtime === 'node') {
  test('timers that node:test has mocked before, or after', async () => {
    await everything('mock-timers', newRoot());
    await everything('mock-timers', newRoot(), 'late');
  });
}

test('properties on Object.prototype that have the names of attributes and options', () => everything('pollute', newRoot()));
