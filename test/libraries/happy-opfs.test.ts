import { expect, test } from 'vitest';
import { step } from './step.ts';
import { temporaryRoot } from './temporary.ts';

test('happy-opfs writes, streams, copies, moves, and finds it all after a restart', async () => {
  const root = temporaryRoot();
  expect(await step(root, 'files', 'fill')).toEqual([
    'directory copy',
    'directory copy/old',
    'directory docs',
    'directory docs/old',
    'file copy/b.txt',
    'file copy/data.json',
    'file copy/old/large.bin',
    'file docs/a.txt',
    'file docs/data.json',
    'file docs/old/large.bin',
    'file stream.txt',
  ]);
  expect(await step(root, 'files', 'query')).toEqual({
    text: 'first, second',
    data: { list: [1, 2, 3] },
    large: [5_000_000, 7],
    stream: 'from a stream',
    missing: 'NotFoundError',
    exists: [true, false],
  });
  expect(await step(root, 'files', 'remove')).toEqual(['directory docs']);
});
