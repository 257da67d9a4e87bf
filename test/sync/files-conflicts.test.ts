import { describe, expect, it } from 'vitest';
import { converge, lostTo, twoRegions, until, type Region } from './files-regions.ts';

/** Cuts both off, lets them do something each, and connects them in the order given. */
async function apart(first: Region, second: Region, body: () => Promise<unknown>): Promise<void> {
  await converge(first, second);
  await first.disconnect();
  await second.disconnect();
  await body();
  await first.sync.captured();
  await second.sync.captured();
  first.connect();
  await until(() => first.pending === 0);
  second.connect();
  await converge(first, second);
}

describe('two regions that write one file', () => {
  it('come to the later version, and both can have the earlier one back', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'base');
    await apart(a, b, async () => {
      await a.write('f', 'of a');
      await b.write('f', 'of b');
    });
    for (const region of [a, b]) {
      expect(await region.content()).toEqual({ f: 'of b' });
      expect(await lostTo(region)).toEqual([['f', 'of a', 'a', 'b']]);
      expect(region.conflicts.map(({ serial }) => serial)).toEqual([1]);
    }
  });

  it('come to the later one when both create it', async () => {
    const [a, b] = twoRegions();
    await apart(a, b, async () => {
      await b.write('f', 'of b');
      await a.write('f', 'of a');
    });
    expect(await a.content()).toEqual({ f: 'of b' });
    expect(await lostTo(b)).toEqual([['f', 'of a', 'a', 'b']]);
  });

  it('have nothing to report when they write the same', async () => {
    const [a, b] = twoRegions();
    // A file that is made may be captured before it is written, which would be a version of its own.
    await a.write('f', 'base');
    await apart(a, b, async () => {
      for (const region of [a, b]) await region.write('f', 'the same');
    });
    expect(await a.content()).toEqual({ f: 'the same' });
    expect(a.sync.conflicts()).toEqual([]);
  });

  it('keep what one writes and the other removes, whoever is first', async () => {
    for (const writerIsFirst of [true, false]) {
      const [a, b] = twoRegions();
      for (const name of ['d/f', 'd/g']) await a.write(name, 'base');
      const [writer, remover] = writerIsFirst ? [a, b] : [b, a];
      await apart(a, b, async () => {
        await writer.write('d/f', 'written');
        await remover.root.removeEntry('d', { recursive: true });
      });
      for (const region of [a, b]) expect(await region.content()).toEqual({ 'd/': '', 'd/f': 'written' });
      expect(a.sync.conflicts()).toEqual([]);
    }
  });

  it('keep what one writes and the other moves, under both names', async () => {
    for (const writerIsFirst of [true, false]) {
      const [a, b] = twoRegions();
      await a.write('f', 'base');
      const [writer, mover] = writerIsFirst ? [a, b] : [b, a];
      await apart(a, b, async () => {
        await writer.write('f', 'written');
        await (await mover.file('f')).move('g');
      });
      for (const region of [a, b]) expect(await region.content()).toEqual({ f: 'written', g: 'base' });
    }
  });

  it('give the place to the directory where one makes a file and the other a directory', async () => {
    for (const fileIsFirst of [true, false]) {
      const [a, b] = twoRegions();
      const [file, directory] = fileIsFirst ? [a, b] : [b, a];
      await apart(a, b, async () => {
        await file.write('x', 'file');
        await directory.write('x/f', 'in a directory');
      });
      for (const region of [a, b]) {
        expect(await region.content()).toEqual({ 'x/': '', 'x/f': 'in a directory' });
        expect(await lostTo(region)).toEqual([['x', 'file', file.name, null]]);
      }
    }
  });

  it('may move directories into each other', async () => {
    const [a, b] = twoRegions();
    await a.write('x/f', 'of x');
    await a.write('y/g', 'of y');
    await apart(a, b, async () => {
      await (await a.folder('x')).move(await a.folder('y'));
      await (await b.folder('y')).move(await b.folder('x'));
    });
    expect(await a.content()).toEqual(await b.content());
    expect(Object.values(await a.content())).toEqual(expect.arrayContaining(['of x', 'of y']));
  });

  it('go on with a version that won over one that they had seen', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'base');
    await converge(a, b);
    await a.disconnect();
    await a.write('f', 'one');
    await a.sync.captured();
    await a.write('f', 'two');
    await a.sync.captured();
    await b.write('f', 'of b');
    await converge(b);
    a.connect();
    await converge(a, b);
    expect(await b.content()).toEqual({ f: 'two' });
    expect((await lostTo(b)).map(([, content]) => content)).toEqual(['of b']);
  });
});

describe('a file that is in use', () => {
  it('is left to its handle; then the order decides', async () => {
    const [a, b] = twoRegions(true);
    await a.write('f', 'base');
    await converge(a, b);
    const handle = await (await b.file('f')).createSyncAccessHandle();
    await a.write('f', 'of a');
    await until(() => b.position === 2);
    await b.sync.captured();
    const bytes = Buffer.alloc(4);
    handle.read(bytes, { at: 0 });
    expect(bytes.toString()).toBe('base');
    handle.close();
    await converge(a, b);
    expect(await b.read('f')).toBe('of a');
    expect(b.sync.conflicts()).toEqual([]);
  });

  it('is the later version when its handle writes', async () => {
    const [a, b] = twoRegions(true);
    await a.write('f', 'base');
    await converge(a, b);
    const handle = await (await b.file('f')).createSyncAccessHandle();
    await a.write('f', 'of a');
    await until(() => b.position === 2);
    await b.sync.captured();
    handle.write(Buffer.from('of b'), { at: 0 });
    handle.close();
    await converge(a, b);
    expect(await a.read('f')).toBe('of b');
    expect(await lostTo(a)).toEqual([['f', 'of a', 'a', 'b']]);
  });

  it('is not removed, nor is the directory that it is in, until it is closed', async () => {
    const [a, b] = twoRegions(true);
    await a.write('d/f', 'base');
    await converge(a, b);
    const handle = await (await b.file('d/f')).createSyncAccessHandle({ mode: 'read-only' });
    await a.root.removeEntry('d', { recursive: true });
    await until(() => b.position === 2);
    await b.sync.captured();
    expect(await b.content()).toEqual({ 'd/': '', 'd/f': 'base' });
    handle.close();
    await converge(a, b);
    expect(await b.content()).toEqual({});
    expect(await a.content()).toEqual({});
  });

  it('stays what its writable began with', async () => {
    const [a, b] = twoRegions();
    await a.write('f', 'base');
    await converge(a, b);
    const writable = await (await b.file('f')).createWritable({ keepExistingData: true });
    await a.write('f', 'of a');
    await until(() => b.position === 2);
    await b.sync.captured();
    await writable.write({ type: 'write', position: 4, data: ' and b' });
    await writable.close();
    await converge(a, b);
    expect(await a.read('f')).toBe('base and b');
    expect(await lostTo(a)).toEqual([['f', 'of a', 'a', 'b']]);
  });
});
