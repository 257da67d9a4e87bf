import fs from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createRootHandle, writableFileStreamInterface } from '../../src/file-system/index.ts';
import type { FileSystemFileHandle, FileSystemWritableFileStream } from '../../src/file-system/index.ts';
import { pace } from '../../src/file-system/pace.ts';
import {
  garbageCollector,
  makeFile,
  namesIn,
  openBucket,
  openDescriptors,
  openFileSystem,
  openRoot,
  outcome,
  textOf,
  until,
} from './support.ts';

const bytes = (text: string): Uint8Array<ArrayBuffer> => new TextEncoder().encode(text) as Uint8Array<ArrayBuffer>;

type Edit = (writable: FileSystemWritableFileStream) => Promise<void>;

/** The content after `edit` of a file that had `before`, with what was there kept. */
async function edited(before: string, edit: Edit): Promise<string> {
  const file = await makeFile(openRoot(), 'file', before);
  const writable = await file.createWritable({ keepExistingData: true });
  await edit(writable);
  await writable.close();
  return textOf(file);
}

describe('write takes every kind of chunk', () => {
  const view = new DataView(bytes('-abc-').buffer, 1, 3);
  const chunks: [string, unknown, string][] = [
    ['a string', 'text \u{1f600}', 'text \u{1f600}'],
    ['a lone surrogate', 'a\ud800b', 'a\ufffdb'],
    ['an empty string', '', ''],
    ['a number', 42, '42'],
    ['a boolean', true, 'true'],
    ['a Uint8Array', bytes('abc'), 'abc'],
    ['a DataView into a larger buffer', view, 'abc'],
    ['a Uint16Array', new Uint16Array(bytes('abcd').buffer), 'abcd'],
    ['an ArrayBuffer', bytes('abc').buffer, 'abc'],
    ['an empty ArrayBuffer', new ArrayBuffer(0), ''],
    ['a Blob', new Blob(['ab', 'c']), 'abc'],
    ['a large string', 'x'.repeat(300_000), 'x'.repeat(300_000)],
    ['a large buffer', bytes('y'.repeat(300_000)), 'y'.repeat(300_000)],
    ['a large Blob', new Blob(['z'.repeat(3_000_000)]), 'z'.repeat(3_000_000)],
    ['a large Blob without a stream, as of jsdom', Object.assign(new Blob(['z'.repeat(3_000_000)]), { stream: undefined }), 'z'.repeat(3_000_000)],
    ['parameters with text', { type: 'write', data: 'abc' }, 'abc'],
    ['parameters with a buffer', { type: 'write', data: bytes('abc') }, 'abc'],
    ['parameters with a Blob', { type: 'write', data: new Blob(['abc']) }, 'abc'],
    ['parameters with a position', { type: 'write', data: 'abc', position: 2 }, '\0\0abc'],
    ['parameters whose position is null', { type: 'write', data: 'abc', position: null }, 'abc'],
    ['parameters whose data is a number', { type: 'write', data: 7 }, '7'],
  ];
  test.each(chunks)('%s, through the method, a writer and a pipe', async (_, chunk, expected) => {
    const root = openRoot();
    const ways = {
      method: async (writable: FileSystemWritableFileStream) => {
        await writable.write(chunk as string);
        await writable.close();
      },
      writer: async (writable: FileSystemWritableFileStream) => {
        const writer = writable.getWriter();
        await writer.write(chunk as string);
        await writer.close();
      },
      pipe: (writable: FileSystemWritableFileStream) =>
        new ReadableStream<string>({
          start(controller) {
            controller.enqueue(chunk as string);
            controller.close();
          },
        }).pipeTo(writable),
    };
    for (const [name, way] of Object.entries(ways)) {
      const file = await root.getFileHandle(name, { create: true });
      await way(await file.createWritable());
      expect(await textOf(file)).toBe(expected);
    }
  });

  test.each([0, 100])('what a user does to a buffer after write() does not reach the file, after %d small operations', async (operations) => {
    const file = await makeFile(openRoot(), 'file');
    const writable = await file.createWritable();
    const large = bytes('a'.repeat(1_000_000));
    for (let operation = 0; operation < operations; operation++) void pace();
    const written = writable.write(large);
    await Promise.resolve(); // the stream has taken the chunk to its sink
    await Promise.resolve();
    await Promise.resolve();
    large.fill(98);
    await written;
    await writable.close();
    expect(await textOf(file)).toBe('a'.repeat(1_000_000));
  });

  test.each([
    ['ArrayBuffer', (buffer: ArrayBuffer) => buffer],
    ['Uint16Array', (buffer: ArrayBuffer) => new Uint16Array(buffer, 0, 1)],
    ['DataView', (buffer: ArrayBuffer) => new DataView(buffer, 1)],
  ])('a detached %s has no bytes', async (_, make) => {
    const { buffer } = bytes('abc');
    const data = make(buffer);
    structuredClone(buffer, { transfer: [buffer] });
    expect(await edited('kept', (writable) => writable.write(data))).toBe('kept');
    expect(await edited('kept', (writable) => writable.write({ type: 'write', position: 1, data }))).toBe('kept');
  });

  test('a buffer whose length can change is a TypeError, as a view of it', async () => {
    const buffer: ArrayBuffer = Reflect.construct(ArrayBuffer, [3, { maxByteLength: 9 }]);
    for (const data of [buffer, new Uint8Array(buffer), new DataView(buffer)]) {
      expect(await edited('kept', async (writable) => expect(await outcome(writable.write(data))).toBe('TypeError'))).toBe('kept');
    }
  });
});

describe('the cursor', () => {
  const cases: [string, string, Edit, string][] = [
    ['starts at 0, also with existing data', '0123456789', (w) => w.write('ab'), 'ab23456789'],
    ['moves behind what was written', '0123456789', async (w) => (await w.write('ab'), await w.write('cd')), 'abcd456789'],
    ['moves with seek', '0123456789', async (w) => (await w.seek(4), await w.write('ab')), '0123ab6789'],
    ['moves with a position', '0123', async (w) => (await w.write({ type: 'write', data: 'a', position: 1 }), await w.write('b')), '0ab3'],
    ['beyond the end, zeros fill the gap', '01', async (w) => (await w.seek(4), await w.write('ab')), '01\0\0ab'],
    ['a seek alone changes nothing', '01', (w) => w.seek(100), '01'],
    ['truncate cuts', '0123456789', (w) => w.truncate(4), '0123'],
    ['truncate extends with zeros', '01', (w) => w.truncate(4), '01\0\0'],
    ['truncate below the cursor takes it along', '0123456789', async (w) => (await w.seek(6), await w.truncate(4), await w.write('ab')), '0123ab'],
    ['truncate above the cursor leaves it', '0123456789', async (w) => (await w.seek(2), await w.truncate(6), await w.write('ab')), '01ab45'],
    ['fractions are cut off', '0123', async (w) => (await w.seek(1.9), await w.write('a')), '0a23'],
  ];
  test.each(cases)('%s', async (_, before, edit, expected) => {
    expect(await edited(before, edit)).toBe(expected);
  });
});

describe('what is wrong with a chunk', () => {
  const failing: [string, unknown, string][] = [
    ['write without data', { type: 'write' }, 'SyntaxError'],
    ['write of null', { type: 'write', data: null }, 'TypeError'],
    ['seek without position', { type: 'seek' }, 'SyntaxError'],
    ['seek to null', { type: 'seek', position: null }, 'TypeError'],
    ['truncate without size', { type: 'truncate' }, 'SyntaxError'],
    ['truncate to null', { type: 'truncate', size: null }, 'TypeError'],
    ['a position that no disk has', { type: 'write', data: 'a', position: 2 ** 60 }, 'QuotaExceededError'],
    ['a size that no disk has', { type: 'truncate', size: 2 ** 62 }, 'QuotaExceededError'],
    ['a negative position, which wraps', { type: 'write', data: 'a', position: -1 }, 'QuotaExceededError'],
  ];
  test.each(failing)('%s ends the stream, frees the file and leaves it alone', async (_, chunk, expected) => {
    const root = openRoot();
    const file = await makeFile(root, 'file', 'kept');
    const before = openDescriptors();
    const writable = await file.createWritable({ mode: 'exclusive' });
    await writable.write('lost');
    expect(await outcome(writable.write(chunk as string))).toBe(expected);
    expect(await outcome(writable.write('more'))).not.toBe('fulfilled');
    expect(await outcome(writable.close())).toBe('TypeError');
    expect(await textOf(file)).toBe('kept');
    await (await file.createWritable({ mode: 'exclusive' })).abort();
    expect(openDescriptors()).toBe(before);
  });

  const unconvertible: [string, unknown][] = [
    ['null', null],
    ['undefined', undefined],
    ['an object without type', {}],
    ['an unknown type', { type: 'append', data: 'a' }],
    ['a symbol', Symbol('s')],
    ['a shared buffer', new SharedArrayBuffer(4)],
    ['a view of a shared buffer', new Uint8Array(new SharedArrayBuffer(4))],
  ];
  test.each(unconvertible)('write(%s) is a TypeError and leaves the stream alone, a writer ends it', async (_, chunk) => {
    const file = await makeFile(openRoot(), 'file', 'old');
    const writable = await file.createWritable();
    expect(await outcome(writable.write(chunk as string))).toBe('TypeError');
    await writable.write('new');
    await writable.close();
    expect(await textOf(file)).toBe('new');
    const writer = (await file.createWritable()).getWriter();
    expect(await outcome(writer.write(chunk as string))).toBe('TypeError');
    expect(await outcome(writer.write('text'))).toBe('TypeError');
  });

  test('a failing getter fails the write with its own error, read once', async () => {
    const file = await makeFile(openRoot(), 'file');
    const writable = await file.createWritable();
    let reads = 0;
    const chunk = {
      type: 'write',
      get data(): string {
        reads += 1;
        throw new RangeError('mine');
      },
    } as const;
    await expect(writable.write(chunk)).rejects.toThrow('mine');
    expect(reads).toBe(1);
    await writable.abort();
  });

  test('a Blob that fails in the middle fails the write, and nothing of it arrives', async () => {
    const root = openRoot();
    const source = await makeFile(root, 'source', 'x'.repeat(5_000_000));
    const blob = await source.getFile();
    await source.remove();
    const file = await makeFile(root, 'file', 'kept');
    const writable = await file.createWritable();
    expect(await outcome(writable.write(blob))).toBe('NotFoundError');
    expect(await outcome(writable.close())).toBe('TypeError');
    expect(await textOf(file)).toBe('kept');
  });
});

describe('closing and aborting', () => {
  test('nothing is seen before the close, all of it afterwards', async () => {
    const file = await makeFile(openRoot(), 'file', 'old');
    const writable = await file.createWritable();
    await writable.write('new');
    await writable.truncate(2);
    expect(await textOf(file)).toBe('old');
    await writable.close();
    expect(await textOf(file)).toBe('ne');
  });

  test('abort leaves the file as it was, and no swap file behind', async () => {
    const bucket = openBucket();
    const file = await makeFile(openRoot(bucket), 'file', 'old');
    const before = openDescriptors();
    const writable = await file.createWritable({ keepExistingData: true });
    await writable.write('new');
    await writable.abort();
    expect(await textOf(file)).toBe('old');
    expect(openDescriptors()).toBe(before);
    expect(fs.readdirSync(path.join(bucket.place.path, 'swap'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())).toEqual([]);
    await file.remove();
  });

  test('after close everything is a TypeError, and only one of many closes succeeds', async () => {
    const file = await makeFile(openRoot(), 'file');
    const writable = await file.createWritable();
    const closes = await Promise.all(Array.from({ length: 100 }, () => outcome(writable.close())));
    expect(closes.filter((result) => result === 'fulfilled').length).toBe(1);
    expect(new Set(closes)).toEqual(new Set(['fulfilled', 'TypeError']));
    expect(await outcome(writable.write('a'))).toBe('TypeError');
    expect(await outcome(writable.seek(0))).toBe('TypeError');
    expect(await outcome(writable.truncate(0))).toBe('TypeError');
    expect(await outcome(writable.getWriter().write('a'))).toBe('TypeError');
  });

  test('a write that comes while the stream closes is a TypeError', async () => {
    const file = await makeFile(openRoot(), 'file');
    const writable = await file.createWritable();
    const writer = writable.getWriter();
    void writer.write('kept');
    const closed = writer.close();
    expect(await outcome(writer.write('late'))).toBe('TypeError');
    await closed;
    expect(await textOf(file)).toBe('kept');
  });

  test('methods do not work on a locked stream, and leave it unlocked', async () => {
    const file = await makeFile(openRoot(), 'file');
    const writable = await file.createWritable();
    void writable.write('ab');
    expect(writable.locked).toBe(false);
    void writable.truncate(4);
    void writable.seek(1);
    void writable.write('X');
    expect(writable.locked).toBe(false);
    const writer = writable.getWriter();
    expect(await outcome(writable.write('no'))).toBe('TypeError');
    await writer.close();
    expect(await textOf(file)).toBe('aX\0\0');
  });

  test('a pipe that is aborted leaves the file alone', async () => {
    const file = await makeFile(openRoot(), 'file', 'old');
    const writable = await file.createWritable();
    const controller = new AbortController();
    const source = new ReadableStream<string>({ pull: (sink) => sink.enqueue('x'.repeat(1000)) });
    const piped = source.pipeTo(writable, { signal: controller.signal });
    setImmediate(() => controller.abort());
    expect(await outcome(piped)).toBe('AbortError');
    expect(await outcome(writable.close())).toBe('TypeError');
    expect(await textOf(file)).toBe('old');
    await file.remove();
  });

  test('the stream holds back a source that is faster than the disk', async () => {
    const file = await makeFile(openRoot(), 'file');
    const writable = await file.createWritable();
    const writer = writable.getWriter();
    expect(writer.desiredSize).toBe(1);
    const write = writer.write(new Uint8Array(1_000_000));
    expect(writer.desiredSize).toBe(0);
    await write;
    expect(writer.desiredSize).toBe(1);
    await writer.abort();
  });

  test('siloed writables do not see each other; the last to close wins', async () => {
    const file = await makeFile(openRoot(), 'file', 'old');
    const [first, second] = [await file.createWritable(), await file.createWritable({ keepExistingData: true })];
    await first.write('first');
    await second.write('X');
    await first.close();
    expect(await textOf(file)).toBe('first');
    await second.close();
    expect(await textOf(file)).toBe('Xld');
  });

  test('a File from before is NotReadableError after the close', async () => {
    const root = openRoot();
    const handle = await makeFile(root, 'file', 'old content');
    const file = await handle.getFile();
    const writable = await handle.createWritable();
    await writable.write('new content');
    await writable.close();
    expect(await outcome(file.text())).toBe('NotReadableError');
  });
});

describe('a writable that is left open', () => {
  async function dropWritable(file: FileSystemFileHandle): Promise<void> {
    const writable = await file.createWritable({ mode: 'exclusive' });
    await writable.write('lost');
  }

  test('keeps its lock while it can be reached, and ends when it is collected', async () => {
    const collect = garbageCollector();
    const root = openRoot();
    const file = await makeFile(root, 'file', 'old');
    const before = openDescriptors();
    await dropWritable(file);
    await until(async () => {
      collect();
      return (await outcome(file.createSyncAccessHandle().then((handle) => handle.close()))) === 'fulfilled';
    });
    expect(openDescriptors()).toBe(before);
    expect(await textOf(file)).toBe('old');
  });

  test('ends with the client, and a write that is under way is rejected', async () => {
    const bucket = openBucket();
    const system = openFileSystem(bucket);
    const file = await makeFile(createRootHandle(system), 'file', 'old');
    const before = openDescriptors();
    const [idle, busy] = [await file.createWritable(), await file.createWritable()];
    const write = busy.write('x'.repeat(10_000_000));
    write.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    await system.close();
    expect(['InvalidStateError', 'fulfilled']).toContain(await outcome(write));
    expect(await outcome(idle.write('late'))).toBe('InvalidStateError');
    expect(await outcome(busy.close())).not.toBe('fulfilled');
    expect(await outcome(file.createWritable())).toBe('InvalidStateError');
    const other = openRoot(bucket);
    expect(await textOf(await other.getFileHandle('file'))).toBe('old');
    await until(() => openDescriptors() <= before);
    await other.removeEntry('file');
    expect(await namesIn(other)).toEqual([]);
  });

  test('a close that is under way when the client ends is finished, whole', async () => {
    const bucket = openBucket();
    const system = openFileSystem(bucket);
    const file = await makeFile(createRootHandle(system), 'file', 'old');
    const writable = await file.createWritable();
    await writable.write('new');
    const closed = writable.close();
    await Promise.resolve();
    await system.close();
    const result = await outcome(closed);
    const text = await textOf(await openRoot(bucket).getFileHandle('file'));
    expect([result, text]).toEqual(result === 'fulfilled' ? ['fulfilled', 'new'] : ['InvalidStateError', 'old']);
  });
});

test('the interface is a WritableStream that users cannot construct', async () => {
  const Interface = writableFileStreamInterface();
  const writable = await (await makeFile(openRoot(), 'file')).createWritable({ mode: 'exclusive' });
  expect(writable).toBeInstanceOf(Interface);
  expect(writable).toBeInstanceOf(WritableStream);
  expect(Object.getPrototypeOf(Interface)).toBe(WritableStream);
  expect(Object.prototype.toString.call(writable)).toBe('[object FileSystemWritableFileStream]');
  expect(writable.mode).toBe('exclusive');
  expect(() => new (Interface as unknown as new () => unknown)()).toThrow('Illegal constructor');
  expect(await outcome(Interface.prototype.write.call(new WritableStream() as never, 'a'))).toBe('TypeError');
  await writable.abort();
});
