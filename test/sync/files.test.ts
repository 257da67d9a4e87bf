import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { FileSystemObserver } from '../../src/file-system/index.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { converge, hubLog, Region, twoRegions, until } from './files-regions.ts';

describe('files of one region come to the others', () => {
  it('as stubs, whose content comes when it is asked for', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await converge(a, b);
    expect(b.isStub('f')).toBe(true);
    expect(await b.content()).toEqual({ f: 'content' });
    expect(b.isStub('f')).toBe(false);
  });

  it('at once where that is wanted', async () => {
    const [a, b] = twoRegions(true);
    await a.write('f', 'content');
    await converge(a, b);
    expect(b.isStub('f')).toBe(false);
    b.engine.away = true;
    expect(await b.content()).toEqual({ f: 'content' });
  });

  it('with their times', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await converge(a, b);
    const time = async (region: Region): Promise<number> => (await (await region.file('f')).getFile()).lastModified;
    expect(await time(b)).toBe(await time(a));
  });

  it('with names of every kind, in directories of every kind', async () => {
    const [a, b] = twoRegions();
    const names = ['\ufeffbom', 'ü', 'u\u0308', 'con', 'A', 'a', 'x.', '😀', '.new-x', 'a long name '.repeat(50)];
    for (const name of names) await a.write(`dir/${name}`, name);
    await a.folder('empty/below', true);
    await a.write('nothing', '');
    await converge(a, b);
    expect(await b.content()).toEqual(await a.content());
    expect(Object.keys(await b.content())).toHaveLength(names.length + 4);
  });

  it('in each later version', async () => {
    const [a, b] = twoRegions();
    for (const content of ['one', 'two', 'three']) {
      await a.write('f', content);
      await converge(a, b);
      expect(await b.content()).toEqual({ f: content });
    }
    await b.write('f', 'back');
    await converge(a, b);
    expect(await a.content()).toEqual({ f: 'back' });
    expect(a.sync.conflicts()).toEqual([]);
  });

  it('when a sync access handle is flushed, and when it is closed', async () => {
    const [a, b] = twoRegions(true);
    const handle = await (await a.file('f', true)).createSyncAccessHandle();
    handle.write(Buffer.from('one'));
    handle.flush();
    await converge(a, b);
    expect(await b.content()).toEqual({ f: 'one' });
    handle.write(Buffer.from(' two'));
    handle.close();
    await converge(a, b);
    expect(await b.content()).toEqual({ f: 'one two' });
  });

  it('and go from them', async () => {
    const [a, b] = twoRegions();
    for (const name of ['f', 'd/f', 'd/e/f']) await a.write(name, name);
    await converge(a, b);
    await b.root.removeEntry('f');
    await b.root.removeEntry('d', { recursive: true });
    await converge(a, b);
    expect(await a.content()).toEqual({});
    expect(await b.content()).toEqual({});
  });

  it('and move in them, without being fetched again', async () => {
    const [a, b] = twoRegions(true);
    await a.write('d/f', 'content');
    await a.write('g', 'other');
    await converge(a, b);
    const { blobs } = hubLog(a.engine);
    const inode = fs.statSync(path.join(b.bucket, 'files.0/d/f')).ino;
    await (await a.file('d/f')).move('h');
    await converge(a, b);
    expect(await b.content()).toEqual({ 'd/': '', 'd/h': 'content', g: 'other' });
    expect(fs.statSync(path.join(b.bucket, 'files.0/d/h')).ino).toBe(inode);
    expect(blobs.size).toBe(2);
    await (await a.folder('d')).move('e');
    await converge(a, b);
    expect(fs.statSync(path.join(b.bucket, 'files.0/e/h')).ino).toBe(inode);
    await (await a.file('g')).move(await a.folder('e'), 'h');
    await converge(a, b);
    expect(await b.content()).toEqual({ 'e/': '', 'e/h': 'other' });
    expect(a.sync.conflicts()).toEqual([]);
  });

  it('and move as stubs', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await converge(a, b);
    await (await b.file('f')).move('g');
    await converge(a, b);
    expect(b.isStub('g')).toBe(true);
    expect(await a.content()).toEqual({ g: 'content' });
    expect(await b.content()).toEqual({ g: 'content' });
  });

  it('and all go when one region is emptied', async () => {
    const [a, b] = twoRegions();
    for (const name of ['f', 'd/f', 'd/e/f']) await a.write(name, name);
    await converge(a, b);
    await b.root.remove({ recursive: true });
    await converge(a, b);
    expect(await a.content()).toEqual({});
  });

  it('and change their kind', async () => {
    const [a, b] = twoRegions();
    await a.write('x', 'file');
    await a.write('y/f', 'in a directory');
    await converge(a, b);
    await a.root.removeEntry('x');
    await a.write('x/f', 'in a directory');
    await a.root.removeEntry('y', { recursive: true });
    await a.write('y', 'file');
    await converge(a, b);
    expect(await b.content()).toEqual({ 'x/': '', 'x/f': 'in a directory', y: 'file' });
    expect(a.sync.conflicts()).toEqual([]);
  });

  it('also when a directory was replaced behind the back of all', async () => {
    const [a, b] = twoRegions();
    for (const name of ['d/f', 'd/g', 'e/h']) await a.write(name, name);
    await converge(a, b);
    await a.root.removeEntry('d', { recursive: true });
    await (await a.folder('e')).move('d');
    await converge(a, b);
    expect(await b.content()).toEqual({ 'd/': '', 'd/h': 'e/h' });
  });

  it('and observers hear of it', async () => {
    const [a, b] = twoRegions();
    await a.folder('d', true);
    await converge(a, b);
    const heard: string[] = [];
    const observer = new FileSystemObserver((records) => {
      for (const { type, relativePathComponents } of records) heard.push(`${type} ${relativePathComponents.join('/')}`);
    });
    await observer.observe(b.root, { recursive: true });
    // Made and written apart: what is made may be sent before it is written, or not.
    await a.file('d/f', true);
    await converge(a, b);
    await a.write('d/f', 'content');
    await converge(a, b);
    expect(await b.read('d/f')).toBe('content'); // fetched, which is no change
    await a.root.removeEntry('d', { recursive: true });
    await converge(a, b);
    await until(() => heard.includes('disappeared d'));
    observer.disconnect();
    expect(heard).toEqual(['appeared d/f', 'modified d/f', 'disappeared d/f', 'disappeared d']);
  });

  it('and every process of a root sees them', async () => {
    const [a, b] = twoRegions();
    const other = new Region({ engine: b.engine, name: 'b', directory: b.directory, idle: true });
    await a.write('f', 'content');
    await converge(a, b);
    expect(await other.content()).toEqual({ f: 'content' });
    expect(b.isStub('f')).toBe(false);
    await other.write('g', 'from another process');
    await converge(a, b);
    expect(await a.content()).toEqual({ f: 'content', g: 'from another process' });
  });

  it('also to regions that come late', async () => {
    const [a, b] = twoRegions();
    await a.write('d/f', 'content');
    await converge(a, b);
    const c = new Region({ engine: a.engine, name: 'c' });
    await c.write('g', 'was there before');
    await converge(a, b, c);
    for (const region of [a, b, c]) expect(await region.content()).toEqual({ 'd/': '', 'd/f': 'content', g: 'was there before' });
  });
});

describe('what is no change', () => {
  it('makes no operation: a new time, the same bytes, another inode', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await converge(a, b);
    const { position } = a;
    fs.utimesSync(path.join(a.bucket, 'files.0/f'), 1, 1);
    await a.write('f', 'content');
    await converge(a, b);
    await a.close();
    const copy = path.join(a.directory, 'copy');
    fs.cpSync(path.join(a.directory, 'root'), path.join(copy, 'root'), { recursive: true, preserveTimestamps: true });
    const again = new Region({ engine: a.engine, name: 'a', directory: copy });
    await converge(again, b);
    expect(again.position).toBe(position);
    expect(await again.content()).toEqual({ f: 'content' });
  });
});

describe('without the hub', () => {
  it('regions write on, and bring it together afterwards', async () => {
    const [a, b] = twoRegions();
    await a.write('both', 'base');
    await converge(a, b);
    a.engine.away = true;
    await a.write('a', 'of a');
    await a.write('both', 'lost');
    await b.write('b', 'of b');
    await (await b.file('both')).remove();
    expect(await a.content()).toEqual({ a: 'of a', both: 'lost' });
    a.engine.away = false;
    for (const region of [a, b]) {
      await region.disconnect();
      region.connect();
    }
    await converge(a, b);
    for (const region of [a, b]) expect(await region.content()).toEqual({ a: 'of a', b: 'of b', both: 'lost' });
  });

  it('the file itself is the change, also when its process ends', async () => {
    const [a, b] = twoRegions();
    await converge(a, b);
    a.engine.away = true;
    await a.write('f', 'one');
    await until(() => a.problems.length > 0);
    expect(a.sync.uncaptured).toBeGreaterThan(0);
    await a.close();
    const later = new Region({ engine: a.engine, name: 'a', directory: a.directory, idle: true });
    await later.write('f', 'two');
    a.engine.away = false;
    later.begin();
    await converge(later, b);
    expect(await b.content()).toEqual({ f: 'two' });
    expect(b.sync.conflicts()).toEqual([]);
  });

  it('a file that is elsewhere cannot be read, and can be replaced', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'content');
    await a.write('g', 'content too');
    await converge(a, b);
    b.engine.away = true;
    await expect(b.read('f')).rejects.toMatchObject({ name: 'NotReadableError' });
    await b.write('f', 'replaced');
    expect(await b.read('f')).toBe('replaced');
    b.engine.away = false;
    await converge(a, b);
    expect(await b.read('g')).toBe('content too');
    expect(await a.read('f')).toBe('replaced');
  });

  it('an eager region keeps what it has until it has the new', async () => {
    const [a, b] = twoRegions(true);
    await a.write('f', 'old');
    await converge(a, b);
    const { blobs } = hubLog(a.engine);
    const get = blobs.get.bind(blobs);
    blobs.get = () => {
      throw new HoldfastError('hub-unreachable', 'as the test wants it');
    };
    await a.write('f', 'new');
    await until(() => b.position === 2 && b.problems.length > 0);
    expect(await b.read('f')).toBe('old');
    blobs.get = get;
    await converge(a, b);
    expect(await b.read('f')).toBe('new');
    expect(b.sync.conflicts()).toEqual([]);
  });
});
