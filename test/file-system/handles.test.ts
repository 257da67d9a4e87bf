import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  createRootHandle,
  deserializeHandle,
  FileSystemDirectoryHandle,
  FileSystemFileHandle,
  FileSystemHandle,
  serializeHandle,
} from '../../src/file-system/index.ts';
import { isEncrypted } from '../support/sealed.ts';
import { makeFile, namesIn, openBucket, openFileSystem, openRoot, outcome, textOf, thrown, writeFile } from './support.ts';

const backslashes = ['\\', 'a\\b', '..\\a'];
const isSeparator = process.platform === 'win32';
const illegalNames = ['', '.', '..', '/', 'a/b', '/a', 'a/', '../a', ...(isSeparator ? backslashes : [])];
const legalNames = [...(isSeparator ? [] : backslashes), 'a..b', '...', 'trailing.', 'trailing ', ' leading', '#$23423@352^*3243', '😀', 'a\u0000b', 'CON', '~', 'x'.repeat(300)];

describe('getFileHandle and getDirectoryHandle', () => {
  test.each(illegalNames)('refuse the name %j before anything else', async (name) => {
    const root = openRoot();
    expect(await outcome(root.getFileHandle(name, { create: true }))).toBe('TypeError');
    expect(await outcome(root.getDirectoryHandle(name, { create: true }))).toBe('TypeError');
    expect(await outcome(root.removeEntry(name))).toBe('TypeError');
    expect(await namesIn(root)).toEqual([]);
  });

  test.each(legalNames)('take the name %j for a file and for a directory', async (name) => {
    const root = openRoot();
    const file = await makeFile(root, name, 'content');
    expect(file.name).toBe(name);
    expect(await namesIn(root)).toEqual([name]);
    expect(await textOf(await root.getFileHandle(name))).toBe('content');
    await root.removeEntry(name);
    await root.getDirectoryHandle(name, { create: true });
    expect(await namesIn(root)).toEqual([name]);
  });

  test('a lone surrogate in a name becomes U+FFFD, as a USVString has it', async () => {
    const root = openRoot();
    expect((await root.getFileHandle('a\ud800', { create: true })).name).toBe('a\ufffd');
  });

  const states = {
    'nothing is there': async () => {},
    'a file is there': (root: FileSystemDirectoryHandle) => makeFile(root, 'x', 'kept'),
    'a directory is there': (root: FileSystemDirectoryHandle) => root.getDirectoryHandle('x', { create: true }),
  };
  test.each([
    ['nothing is there', 'file', false, 'NotFoundError'],
    ['nothing is there', 'directory', false, 'NotFoundError'],
    ['nothing is there', 'file', true, 'fulfilled'],
    ['nothing is there', 'directory', true, 'fulfilled'],
    ['a file is there', 'file', false, 'fulfilled'],
    ['a file is there', 'file', true, 'fulfilled'],
    ['a file is there', 'directory', false, 'TypeMismatchError'],
    ['a file is there', 'directory', true, 'TypeMismatchError'],
    ['a directory is there', 'file', false, 'TypeMismatchError'],
    ['a directory is there', 'file', true, 'TypeMismatchError'],
    ['a directory is there', 'directory', false, 'fulfilled'],
    ['a directory is there', 'directory', true, 'fulfilled'],
  ] as const)('where %s, asking for a %s with create %s is %s', async (state, kind, create, expected) => {
    const root = openRoot();
    await states[state](root);
    const asked = kind === 'file' ? root.getFileHandle('x', { create }) : root.getDirectoryHandle('x', { create });
    expect(await outcome(asked)).toBe(expected);
    if (state === 'a file is there') expect(await textOf(await root.getFileHandle('x'))).toBe('kept');
  });

  test.each([
    ['was removed', async (root: FileSystemDirectoryHandle) => root.removeEntry('d')],
    [
      'is a file now',
      async (root: FileSystemDirectoryHandle) => {
        await root.removeEntry('d');
        await makeFile(root, 'd');
      },
    ],
  ])('in a directory that %s, everything is NotFoundError and nothing comes back', async (_, change) => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    await change(root);
    for (const create of [false, true]) {
      expect(await outcome(directory.getFileHandle('x', { create }))).toBe('NotFoundError');
      expect(await outcome(directory.getDirectoryHandle('x', { create }))).toBe('NotFoundError');
    }
    expect(await outcome(directory.removeEntry('x'))).toBe('NotFoundError');
    expect(await outcome(namesIn(directory))).toBe('NotFoundError');
  });

  test('a missing bucket reads as an empty root, and reading does not create it', async () => {
    const bucket = openBucket();
    const root = openRoot(bucket);
    expect(await namesIn(root)).toEqual([]);
    expect(await outcome(root.getFileHandle('x'))).toBe('NotFoundError');
    expect(fs.existsSync(bucket.place.path)).toBe(false);
    await makeFile(root, 'x', 'content');
    expect(await namesIn(root)).toEqual(['x']);
  });

  // They are put there by their plain names.
  test.skipIf(isEncrypted)('what is neither a file nor a directory is never followed', async () => {
    const bucket = openBucket();
    const root = openRoot(bucket);
    await makeFile(root, 'plain');
    fs.symlinkSync('/etc', path.join(bucket.place.path, 'files.0', 'link'));
    expect(await namesIn(root)).toEqual(['plain']);
    expect(await outcome(root.getDirectoryHandle('link'))).toBe('NotAllowedError');
    expect(await outcome(root.getFileHandle('link', { create: true }))).toBe('NotAllowedError');
  });
});

describe('getFile', () => {
  test('gives the file as it is now, with its name, size and time', async () => {
    const root = openRoot();
    const handle = await makeFile(root, 'notes.txt', 'some content');
    const file = await handle.getFile();
    expect([file.name, file.size, await file.text()]).toEqual(['notes.txt', 12, 'some content']);
    expect(Number.isInteger(file.lastModified)).toBe(true);
    expect((await handle.getFile()).lastModified).toBe(file.lastModified);
  });

  test('of a removed file, or one whose place a directory has taken, is NotFoundError', async () => {
    const root = openRoot();
    const handle = await makeFile(root, 'a');
    await handle.remove();
    expect(await outcome(handle.getFile())).toBe('NotFoundError');
    await root.getDirectoryHandle('a', { create: true });
    expect(await outcome(handle.getFile())).toBe('NotFoundError');
    expect(await outcome(handle.createWritable())).toBe('NotFoundError');
    expect(await outcome(handle.createSyncAccessHandle())).toBe('NotFoundError');
  });

  test('comes after a close that was called before it, awaited or not', async () => {
    const root = openRoot();
    const handle = await makeFile(root, 'a', 'old');
    const writable = await handle.createWritable();
    await writable.write('new');
    void writable.close();
    expect(await textOf(handle)).toBe('new');
  });
});

describe('isSameEntry and resolve', () => {
  test('compare places, not objects', async () => {
    const bucket = openBucket();
    const [root, other] = [openRoot(bucket), openRoot(bucket)];
    const directory = await root.getDirectoryHandle('d', { create: true });
    const file = await directory.getFileHandle('a', { create: true });
    expect(await root.isSameEntry(other)).toBe(true);
    expect(await file.isSameEntry(await (await other.getDirectoryHandle('d')).getFileHandle('a'))).toBe(true);
    expect(await file.isSameEntry(directory)).toBe(false);
    expect(await root.resolve(root)).toEqual([]);
    expect(await other.resolve(file)).toEqual(['d', 'a']);
    expect(await directory.resolve(root)).toBeNull();
  });

  test('a file and a directory of one place are not the same', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'x');
    await file.remove();
    const directory = await root.getDirectoryHandle('x', { create: true });
    expect(await file.isSameEntry(directory)).toBe(false);
    expect(await file.getUniqueId()).not.toBe(await directory.getUniqueId());
  });

  test('entries of different buckets are strangers', async () => {
    const [root, stranger] = [openRoot(), openRoot()];
    expect(await root.isSameEntry(stranger)).toBe(false);
    expect(await root.resolve(stranger)).toBeNull();
  });
});

describe('getUniqueId', () => {
  test('is a UUID that depends on the place alone', async () => {
    const bucket = openBucket();
    const root = openRoot(bucket);
    const file = await makeFile(root, 'a', 'old');
    const id = await file.getUniqueId();
    expect(id).toMatch(/^[a-f0-9]{8}-[a-f0-9]{4}-4[a-f0-9]{3}-[89ab][a-f0-9]{3}-[a-f0-9]{12}$/);
    await writeFile(file, 'new');
    expect(await file.getUniqueId()).toBe(id);
    expect(await (await openRoot(bucket).getFileHandle('a')).getUniqueId()).toBe(id);
    expect(await root.getUniqueId()).not.toBe(id);
    await file.move('b');
    expect(await file.getUniqueId()).not.toBe(id);
  });
});

test('permissions are always granted', async () => {
  const root = openRoot();
  expect(await root.queryPermission({ mode: 'readwrite' })).toBe('granted');
  expect(await root.requestPermission()).toBe('granted');
  expect(await outcome(root.queryPermission({ mode: 'execute' } as never))).toBe('TypeError');
});

describe('the interface objects', () => {
  test('cannot be constructed by users', () => {
    for (const Interface of [FileSystemHandle, FileSystemFileHandle, FileSystemDirectoryHandle]) {
      expect(() => new (Interface as unknown as new () => unknown)()).toThrow('Illegal constructor');
    }
  });

  test('an object with a borrowed prototype is no handle', async () => {
    const root = openRoot();
    const file = await makeFile(root, 'a');
    const forged = Object.create(FileSystemDirectoryHandle.prototype) as FileSystemDirectoryHandle;
    expect(() => forged.name).toThrow(TypeError);
    expect(() => FileSystemHandle.prototype.kind).toThrow(TypeError);
    expect(await outcome(forged.getFileHandle('a'))).toBe('TypeError');
    expect(await outcome(forged.isSameEntry(root))).toBe('TypeError');
    expect(await outcome(root.isSameEntry(forged))).toBe('TypeError');
    expect(thrown(() => forged.entries())).toBe('TypeError');
    // A file handle that claims to be a directory's stays a file handle.
    Object.setPrototypeOf(file, FileSystemDirectoryHandle.prototype);
    expect(await outcome((file as unknown as FileSystemDirectoryHandle).getFileHandle('a'))).toBe('TypeError');
  });

  test('too few or wrong arguments reject with a TypeError that says so', async () => {
    const root = openRoot() as unknown as Record<string, (...args: unknown[]) => Promise<unknown>>;
    await expect(root['getFileHandle']?.()).rejects.toThrow('1 argument required, but only 0 present');
    await expect(root['resolve']?.({})).rejects.toThrow('is not a FileSystemHandle');
    await expect(root['getFileHandle']?.('a', 1)).rejects.toThrow('is not an object');
    await expect(root['getFileHandle']?.(Symbol('s'))).rejects.toThrow(TypeError);
  });
});

describe('serialization', () => {
  test('keeps the place and makes a new handle', async () => {
    const bucket = openBucket();
    const system = openFileSystem(bucket);
    const root = createRootHandle(system);
    const file = await makeFile(await root.getDirectoryHandle('d', { create: true }), 'a', 'content');
    const data = serializeHandle(file);
    expect(data).toEqual({ origin: 'https://app.example', bucket: 'default', kind: 'file', locator: ['d', 'a'] });
    const copy = deserializeHandle(system, structuredClone(data)) as FileSystemFileHandle;
    expect(copy).not.toBe(file);
    expect(await copy.isSameEntry(file)).toBe(true);
    expect(await textOf(copy)).toBe('content');
  });

  test('refuses the data of another origin, and names that lead out', () => {
    const system = openFileSystem();
    const good = { origin: 'https://app.example', bucket: 'default', kind: 'file', locator: ['a'] } as const;
    expect(thrown(() => deserializeHandle(system, { ...good, origin: 'https://other.example' }))).toBe('DataCloneError');
    expect(thrown(() => deserializeHandle(system, { ...good, bucket: 'other' }))).toBe('DataCloneError');
    for (const locator of [['..'], ['a', '..', 'b'], ['a/b'], ['']]) {
      expect(thrown(() => deserializeHandle(system, { ...good, locator }))).toBe('TypeError');
    }
    expect(thrown(() => deserializeHandle(system, null as never))).toBe('TypeError');
    expect(thrown(() => serializeHandle({}))).toBe('TypeError');
  });
});
