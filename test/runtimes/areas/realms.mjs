// All of Holdfast in programs that are not as the ones above: other realms, and globals that somebody has changed.
import assert from 'node:assert/strict';
import { newRoot } from '../kit/place.mjs';
import { run } from '../kit/program.mjs';
import { test } from '../kit/test.mjs';

const everything = async (...args) => assert.deepEqual(await run('everything', { args }), ['everything was used']);

test('arguments of this realm', () => everything('nothing', newRoot()));

test('arguments of another realm', () => everything('nothing', newRoot(), 'other-realm'));

test('properties on Object.prototype that have the names of attributes and options', () => everything('pollute', newRoot()));
