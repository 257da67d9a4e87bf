import { describe, expect, test } from 'vitest';
import type { FileSystemDirectoryHandle } from '../../src/file-system/index.ts';
import { createRootHandle, FileSystemFileHandle } from '../../src/file-system/index.ts';
import { garbageCollector, makeFile, namesIn, openDescriptors, openFileSystem, openRoot, outcome, until } from './support.ts';

async function withFiles(count: number): Promise<FileSystemDirectoryHandle> {
  const root = openRoot();
  await Promise.all(Array.from({ length: count }, (_, index) => root.getFileHandle(`f${index}`, { create: true })));
  return root;
}

describe('iterating a directory', () => {
  test('entries, keys, values and the directory itself give every child once', async () => {
    const root = await withFiles(1500);
    const names = Array.from({ length: 1500 }, (_, index) => `f${index}`).sort();
    expect(await namesIn(root)).toEqual(names);
    const seen: string[] = [];
    for await (const [name, handle] of root) {
      expect(handle).toBeInstanceOf(FileSystemFileHandle);
      expect(handle.name).toBe(name);
      seen.push(name);
    }
    expect(seen.sort()).toEqual(names);
    const values: string[] = [];
    for await (const handle of root.values()) values.push(handle.name);
    expect(values.sort()).toEqual(names);
  });

  test('next() calls that overlap are answered in their order, then done for ever', async () => {
    const root = await withFiles(5);
    const iterator = root.keys();
    const results = await Promise.all(Array.from({ length: 8 }, () => iterator.next()));
    expect(results.map((result) => result.done)).toEqual([...Array(5).fill(false), true, true, true]);
    expect(new Set(results.slice(0, 5).map((result) => result.value)).size).toBe(5);
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test('return() ends the iteration, with what was called before it answered first', async () => {
    const root = await withFiles(5);
    const iterator = root.keys();
    const [first, end, after] = await Promise.all([iterator.next(), iterator.return('value'), iterator.next()]);
    expect(first.done).toBe(false);
    expect(end).toEqual({ value: 'value', done: true });
    expect(after).toEqual({ value: undefined, done: true });
  });

  test('an error ends it', async () => {
    const root = openRoot();
    const directory = await root.getDirectoryHandle('d', { create: true });
    const iterator = directory.keys();
    await directory.remove();
    expect(await outcome(iterator.next())).toBe('NotFoundError');
    expect(await iterator.next()).toEqual({ value: undefined, done: true });
  });

  test('one that was begun goes on while its directory is changed', async () => {
    const root = await withFiles(1200);
    const iterator = root.keys();
    const seen = [await iterator.next()];
    for (let index = 0; index < 1200; index += 2) await root.removeEntry(`f${index}`);
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) seen.push(next);
    const names = new Set(seen.map((result) => result.value));
    for (let index = 1; index < 1200; index += 2) expect(names.has(`f${index}`)).toBe(true);
    expect(names.size).toBe(seen.length);
  });

  test('leaves no descriptor open, finished or broken off', async () => {
    const root = await withFiles(1500);
    await namesIn(root);
    const before = openDescriptors();
    for await (const [name] of root) {
      expect(name).toMatch(/^f/);
      break;
    }
    await namesIn(root);
    expect(openDescriptors()).toBe(before);
  });

  test('leaves no descriptor open when the iterator is dropped', async () => {
    const collect = garbageCollector();
    const root = await withFiles(1500);
    await namesIn(root);
    const before = openDescriptors();
    for (let count = 0; count < 20; count += 1) await root.keys().next();
    await until(() => {
      collect();
      return openDescriptors() <= before;
    });
  });

  test('of a closed client is InvalidStateError, also in its middle', async () => {
    const system = openFileSystem();
    const root = createRootHandle(system);
    await makeFile(root, 'a');
    const iterator = root.keys();
    await iterator.next();
    await system.close();
    expect(await outcome(iterator.next())).toBe('InvalidStateError');
    expect(await outcome(root.keys().next())).toBe('InvalidStateError');
  });
});

describe('the iterator object', () => {
  test('has the shape that Web IDL gives it', () => {
    const root = openRoot();
    const prototype = Object.getPrototypeOf(root.entries()) as object;
    const asyncIteratorPrototype: unknown = Object.getPrototypeOf(
      Object.getPrototypeOf(Object.getPrototypeOf((async function* () {})())),
    );
    expect(Object.getPrototypeOf(prototype)).toBe(asyncIteratorPrototype);
    expect(Object.getPrototypeOf(root.keys())).toBe(prototype);
    expect(Object.prototype.toString.call(root.values())).toBe('[object FileSystemDirectoryHandle AsyncIterator]');
    expect(Object.keys(prototype).sort()).toEqual(['next', 'return']);
    expect(Object.hasOwn(prototype, 'constructor')).toBe(false);
    expect(root[Symbol.asyncIterator]).toBe(root.entries);
  });

  test('its methods reject on anything else', async () => {
    const iterator = openRoot().entries();
    const { next } = iterator;
    await expect(next.call({} as never)).rejects.toThrow(TypeError);
    await expect(next.call(undefined as never)).rejects.toThrow(TypeError);
  });
});
