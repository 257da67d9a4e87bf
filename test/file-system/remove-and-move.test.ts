import { describe, expect, test } from 'vitest';
import type { FileSystemDirectoryHandle, FileSystemFileHandle } from '../../src/file-system/index.ts';
import { makeFile, namesIn, openBucket, openRoot, outcome, textOf } from './support.ts';

type Opener = (file: FileSystemFileHandle) => Promise<{ close(): unknown }>;

const openers: [string, Opener][] = [
  ['siloed writable', (file) => file.createWritable()],
  ['exclusive writable', (file) => file.createWritable({ mode: 'exclusive' })],
  ['readwrite sync handle', (file) => file.createSyncAccessHandle()],
  ['read-only sync handle', (file) => file.createSyncAccessHandle({ mode: 'read-only' })],
  ['readwrite-unsafe sync handle', (file) => file.createSyncAccessHandle({ mode: 'readwrite-unsafe' })],
];

describe('remove and removeEntry', () => {
  test('remove a file, or an empty directory, once', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a', 'content');
    const directory = await root.getDirectoryHandle('d', { create: true });
    await file.remove({ recursive: true });
    await root.removeEntry('d');
    expect(await namesIn(root)).toEqual([]);
    expect(await outcome(file.remove())).toBe('NotFoundError');
    expect(await outcome(directory.remove())).toBe('NotFoundError');
    expect(await outcome(root.removeEntry('d', { recursive: true }))).toBe('NotFoundError');
  });

  test('remove a directory with what is in it only when told to', async () => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    const file = await makeFile(await directory.getDirectoryHandle('e', { create: true }), 'a');
    expect(await outcome(directory.remove())).toBe('InvalidModificationError');
    expect(await outcome(root.removeEntry('d'))).toBe('InvalidModificationError');
    expect(await textOf(file)).toBe('');
    await directory.remove({ recursive: true });
    expect(await outcome(file.getFile())).toBe('NotFoundError');
  });

  test('the root is emptied, told so or not, and can be used again', async () => {
    const root = openRoot();
    await makeFile(await root.getDirectoryHandle('d', { create: true }), 'a');
    await makeFile(root, 'b');
    await root.remove();
    expect(await namesIn(root)).toEqual([]);
    await makeFile(root, 'c');
    expect(await namesIn(root)).toEqual(['c']);
  });

  test.each(openers)('an open %s protects its file and the directories above it', async (_, open) => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    const file = await makeFile(directory, 'a', 'content');
    const opened = await open(file);
    const attempts = [
      file.remove(),
      directory.removeEntry('a'),
      directory.remove(), // the lock is the reason, not that the directory is not empty
      root.removeEntry('d', { recursive: true }),
      root.remove(),
      file.move('b'),
      directory.move('e'),
      root.getFileHandle('other', { create: true }).then((other) => other.move(directory, 'a')),
    ];
    expect(await Promise.all(attempts.map(outcome))).toEqual(attempts.map(() => 'NoModificationAllowedError'));
    expect(await namesIn(directory)).toEqual(['a']);
    await opened.close();
    await directory.remove({ recursive: true });
    expect(await namesIn(root)).toEqual(['other']);
  });

  test.each(openers)('while a removal or move is under way, a %s is refused; afterwards it is not', async (_, open) => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    const [removed, moved, inside] = await Promise.all([
      makeFile(root, 'removed'),
      makeFile(root, 'moved'),
      makeFile(directory, 'inside'),
    ]);
    const changes = [removed.remove(), moved.move('target'), directory.remove({ recursive: true })];
    expect(await Promise.all([removed, moved, inside].map((file) => outcome(open(file))))).toEqual(
      Array(3).fill('NoModificationAllowedError'),
    );
    await Promise.all(changes);
    await (await open(moved)).close();
    await (await open(await makeFile(root, 'removed'))).close();
  });

  test('an operation beside an open file is not hindered', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a', 'content');
    const writable = await file.createWritable();
    const other = await makeFile(root, 'b');
    await other.move('c');
    await root.removeEntry('c');
    await writable.abort();
    expect(await namesIn(root)).toEqual(['a']);
  });
});

describe('move', () => {
  async function twoDirectories(): Promise<FileSystemDirectoryHandle[]> {
    const root = openRoot();
    return [root, await root.getDirectoryHandle('from', { create: true }), await root.getDirectoryHandle('to', { create: true })];
  }

  test.each([
    ['(name)', (file: FileSystemFileHandle, _: FileSystemDirectoryHandle) => file.move('b'), ['from/b']],
    ['(directory)', (file: FileSystemFileHandle, to: FileSystemDirectoryHandle) => file.move(to), ['to/a']],
    ['(directory, name)', (file: FileSystemFileHandle, to: FileSystemDirectoryHandle) => file.move(to, 'b'), ['to/b']],
    ['(its own name)', (file: FileSystemFileHandle, _: FileSystemDirectoryHandle) => file.move('a'), ['from/a']],
  ])('move%s', async (_, move, expected) => {
    const [root, from, to] = await twoDirectories();
    if (root === undefined || from === undefined || to === undefined) throw new Error('no directories');
    const file = await makeFile(from, 'a', 'content');
    await move(file, to);
    const places = [...(await namesIn(from)).map((name) => `from/${name}`), ...(await namesIn(to)).map((name) => `to/${name}`)];
    expect(places).toEqual(expected);
    expect((await root.resolve(file))?.join('/')).toBe(expected[0]);
    expect(await textOf(file)).toBe('content');
    expect((await file.getFile()).name).toBe(file.name);
  });

  test('replaces a file; the handle of that one sees the new content', async () => {
    const root = openRoot();
    const [source, target] = [await makeFile(root, 'a', 'new'), await makeFile(root, 'b', 'old')];
    await source.move('b');
    expect(await namesIn(root)).toEqual(['b']);
    expect([await textOf(source), await textOf(target)]).toEqual(['new', 'new']);
  });

  test('leaves other handles of the moved entry behind', async () => {
    const root = openRoot();
    const [moved, other] = [await makeFile(root, 'a'), await root.getFileHandle('a')];
    await moved.move('b');
    expect(other.name).toBe('a');
    expect(await outcome(other.getFile())).toBe('NotFoundError');
    expect(await outcome(other.move('c'))).toBe('NotFoundError');
  });

  test('takes a directory along with what is in it; handles of that are left behind', async () => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    const target = await root.getDirectoryHandle('target', { create: true });
    const file = await makeFile(directory, 'a', 'content');
    await directory.move(target, 'renamed');
    expect(await root.resolve(directory)).toEqual(['target', 'renamed']);
    expect(await namesIn(directory)).toEqual(['a']);
    expect(await outcome(file.getFile())).toBe('NotFoundError');
    expect(await textOf(await directory.getFileHandle('a'))).toBe('content');
  });

  test.each([
    ['into itself', (d: FileSystemDirectoryHandle, _e: FileSystemDirectoryHandle) => d.move(d)],
    ['into itself under a name', (d: FileSystemDirectoryHandle, _e: FileSystemDirectoryHandle) => d.move(d, 'x')],
    ['into what it holds', (d: FileSystemDirectoryHandle, e: FileSystemDirectoryHandle) => d.move(e)],
    ['onto a file', (d: FileSystemDirectoryHandle, _e: FileSystemDirectoryHandle) => d.move('file')],
    ['onto a directory', (d: FileSystemDirectoryHandle, _e: FileSystemDirectoryHandle) => d.move('other')],
  ])('a directory %s is InvalidModificationError and changes nothing', async (_, move) => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    const inner = await directory.getDirectoryHandle('e', { create: true });
    await makeFile(root, 'file', 'kept');
    await root.getDirectoryHandle('other', { create: true });
    expect(await outcome(move(directory, inner))).toBe('InvalidModificationError');
    expect(await namesIn(root)).toEqual(['d', 'file', 'other']);
    expect(await namesIn(directory)).toEqual(['e']);
  });

  test('refuses what cannot be', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a', 'content');
    const gone = await root.getDirectoryHandle('gone', { create: true });
    await gone.remove();
    await root.getDirectoryHandle('d', { create: true });
    expect(await outcome(file.move(gone))).toBe('NotFoundError');
    expect(await outcome(file.move('d'))).toBe('InvalidModificationError');
    expect(await outcome(root.move('x'))).toBe('InvalidModificationError');
    expect(await outcome(file.move(openRoot(), 'x'))).toBe('InvalidModificationError');
    for (const name of ['', '.', '..', 'x/y']) {
      expect(await outcome(file.move(name))).toBe('TypeError');
      expect(await outcome(file.move(root, name))).toBe('TypeError');
    }
    expect(await outcome(file.move(file, 'x'))).toBe('TypeError');
    expect(await outcome((file.move as () => Promise<void>)())).toBe('TypeError');
    expect(await namesIn(root)).toEqual(['a', 'd']);
  });

  test('goes to a handle of another client of the bucket', async () => {
    const bucket = openBucket();
    const [root, other] = [openRoot(bucket), openRoot(bucket)];
    const file = await makeFile(root, 'a', 'content');
    await file.move(await other.getDirectoryHandle('d', { create: true }));
    expect(await root.resolve(file)).toEqual(['d', 'a']);
  });

  test('calls that are not awaited happen in their order', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a', 'content');
    void file.move('b');
    void root.getDirectoryHandle('d', { create: true });
    const read = root.getFileHandle('b').then(textOf);
    expect(await read).toBe('content');
    expect(await namesIn(root)).toEqual(['b', 'd']);
  });
});
