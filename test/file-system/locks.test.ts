import { describe, expect, test } from 'vitest';
import type { FileSystemFileHandle } from '../../src/file-system/index.ts';
import { makeFile, openBucket, openRoot, outcome } from './support.ts';

type Open = (file: FileSystemFileHandle) => Promise<{ close(): unknown }>;

const ways: Record<string, Open> = {
  siloed: (file) => file.createWritable({ mode: 'siloed' }),
  exclusive: (file) => file.createWritable({ mode: 'exclusive' }),
  readwrite: (file) => file.createSyncAccessHandle({ mode: 'readwrite' }),
  'read-only': (file) => file.createSyncAccessHandle({ mode: 'read-only' }),
  'readwrite-unsafe': (file) => file.createSyncAccessHandle({ mode: 'readwrite-unsafe' }),
};

/** A class shares a file with itself alone, unless it is an exclusive one. */
const shared = new Set(['siloed', 'read-only', 'readwrite-unsafe']);

const pairs = Object.keys(ways).flatMap((first) => Object.keys(ways).map((second) => [first, second] as const));

describe.each(['one client', 'two clients'])('of %s', (clients) => {
  async function twoHandles(): Promise<FileSystemFileHandle[]> {
    const bucket = openBucket();
    const first = openRoot(bucket);
    const file = await makeFile(first, 'file', 'content');
    const second = clients === 'one client' ? first : openRoot(bucket);
    return [file, await second.getFileHandle('file')];
  }

  test.each(pairs)('a file open as %s can be opened as %s only if both share', async (first, second) => {
    const [a, b] = await twoHandles();
    const [openFirst, openSecond] = [ways[first], ways[second]];
    if (a === undefined || b === undefined || openFirst === undefined || openSecond === undefined) throw new Error();
    const isShared = first === second && shared.has(first);
    // Not awaited: the order of the calls is the order of the locks.
    const opening = openFirst(a);
    expect(await outcome(openSecond(b).then((opened) => opened.close()))).toBe(
      isShared ? 'fulfilled' : 'NoModificationAllowedError',
    );
    await (await opening).close();
    await (await openSecond(b)).close();
  });
});

test.each([...shared])('a file is free when all that shared it as %s have been closed', async (mode) => {
  const file = await makeFile(openRoot(), 'file');
  const open = ways[mode];
  if (open === undefined) throw new Error();
  const opened = await Promise.all([open(file), open(file), open(file)]);
  for (const one of opened) {
    expect(await outcome(file.createWritable({ mode: 'exclusive' }))).toBe('NoModificationAllowedError');
    await one.close();
  }
  await (await file.createWritable({ mode: 'exclusive' })).abort();
});

test('a lock that is refused leaves none behind', async () => {
  const file = await makeFile(openRoot(), 'file');
  const handle = await file.createSyncAccessHandle();
  for (let count = 0; count < 10; count += 1) expect(await outcome(file.createWritable())).toBe('NoModificationAllowedError');
  handle.close();
  await file.remove();
});
