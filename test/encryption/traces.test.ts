import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { tracesIn } from '../../src/disk/encryption/traces.ts';
import { STUB_MAGIC } from '../../src/disk/tree/stub.ts';
import { temporaryDirectory } from '../journal/support/place.ts';

test('a file of a program that begins as a stub does is plain, however large it is', () => {
  const directory = temporaryDirectory();
  const tree = path.join(directory, 'default/files.0');
  fs.mkdirSync(tree, { recursive: true });
  const file = path.join(tree, 'large');
  fs.writeFileSync(file, STUB_MAGIC, { mode: 0o600 });
  // More than anything reads at once.
  fs.truncateSync(file, 2 ** 32);
  expect(tracesIn(directory)).toEqual({ ids: new Set(), plain: [file], unfinished: [] });
});
