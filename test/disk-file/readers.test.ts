import fs from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { bytesOf, collect, directory, fileOf, isImpossible, READERS, SIZES, write } from './scenarios.ts';

afterAll(() => fs.rmSync(directory, { recursive: true }));

describe.each(SIZES)('a file of %i bytes on disk', (size) => {
  const readers = Object.entries(READERS).filter(([name]) => !isImpossible(name));

  it.each(readers)('gives its bytes by %s', async (_name, read) => {
    await read(await fileOf(write(bytesOf(size))), bytesOf(size));
  });
});

describe('a file on disk is a File', () => {
  it('with name, type, size and an integer lastModified', async () => {
    const path = write('text');
    fs.utimesSync(path, 1, 1234.5678);
    const file = await fileOf(path, 'a name', 'text/css');
    expect(file).toBeInstanceOf(File);
    expect(Object.prototype.toString.call(file)).toBe('[object File]');
    expect([file.name, file.type, file.size, file.lastModified]).toEqual(['a name', 'text/css', 4, 1_234_567]);
  });

  it('whose slices are Blobs of the type asked for', async () => {
    const file = await fileOf(write('text'));
    const slice = file.slice(1, 2, 'Text/HTML');
    expect(slice).toBeInstanceOf(Blob);
    expect(slice).not.toBeInstanceOf(File);
    expect([slice.size, slice.type, file.slice().type]).toEqual([1, 'text/html', '']);
  });

  it('whose text loses a byte order mark and mends broken UTF-8', async () => {
    const file = await fileOf(write(Uint8Array.of(0xef, 0xbb, 0xbf, 0x61, 0xff, 0xe2, 0x82)));
    expect(await file.text()).toBe('a\ufffd\ufffd');
  });

  it('whose readers reject for a forged receiver', async () => {
    const file = await fileOf(write('text'));
    const prototype = Object.getPrototypeOf(file) as File;
    await expect(prototype.text.call(Object.create(prototype) as File)).rejects.toThrow(TypeError);
    expect(() => prototype.stream.call(new File([], 'x'))).toThrow(TypeError);
  });
});

const CHANGES: Readonly<Record<string, (path: string) => void>> = {
  'grew in place': (path) => fs.appendFileSync(path, 'more'),
  'was truncated': (path) => fs.truncateSync(path, 1),
  'was written in place': (path) => {
    fs.writeFileSync(path, fs.readFileSync(path).fill(1));
    fs.utimesSync(path, 1, fs.statSync(path).mtimeMs / 1000 + 1); // within one tick of the kernel's clock nothing shows
  },
  'was replaced by one like it': (path) => {
    const { atime, mtime } = fs.statSync(path);
    fs.copyFileSync(path, `${path}.new`);
    fs.renameSync(`${path}.new`, path);
    fs.utimesSync(path, atime, mtime);
  },
  'became a link to one like it': (path) => {
    fs.renameSync(path, `${path}.moved`);
    fs.symlinkSync(`${path}.moved`, path);
  },
};

const READS: Readonly<Record<string, (file: Blob) => Promise<unknown>>> = {
  arrayBuffer: (file) => file.arrayBuffer(),
  text: (file) => file.text(),
  stream: (file) => collect(file.stream() as ReadableStream),
  'a slice': (file) => file.slice(1, 3).text(),
  'the stream of a slice': (file) => collect(file.slice(1, 3).stream() as ReadableStream),
  Response: (file) => new Response(file).text(),
};

describe.each([100, 200_000])('once a file of %i bytes has changed', (size) => {
  describe.each(Object.entries(CHANGES))('(it %s)', (_change, change) => {
    it.each(Object.entries(READS))('%s fails with NotReadableError', async (_read, read) => {
      const path = write(bytesOf(size));
      const file = await fileOf(path);
      const slice = file.slice(0, 50);
      change(path);
      await expect(read(file)).rejects.toMatchObject({ name: 'NotReadableError' });
      await expect(read(slice)).rejects.toMatchObject({ name: 'NotReadableError' });
    });
  });

  it.each(Object.entries(READS))('(it was removed) %s fails with NotFoundError', async (_read, read) => {
    const path = write(bytesOf(size));
    const file = await fileOf(path);
    fs.rmSync(path);
    await expect(read(file)).rejects.toMatchObject({ name: 'NotFoundError', cause: { code: 'ENOENT' } });
  });
});

describe('a stream under way', () => {
  const size = 2 ** 20;

  async function started(path: string): Promise<ReadableStreamDefaultReader<Uint8Array>> {
    const reader = ((await fileOf(path)).stream() as ReadableStream<Uint8Array>).getReader();
    expect((await reader.read()).done).toBe(false);
    return reader;
  }

  async function rest(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<number> {
    for (let bytes = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return bytes;
      bytes += value.byteLength;
    }
  }

  it('goes on with the same bytes when another file takes the name', async () => {
    const path = write(bytesOf(size));
    const reader = await started(path);
    fs.renameSync(write('other'), path);
    expect(await rest(reader)).toBeGreaterThan(size / 2);
  });

  it('fails when the file is written to', async () => {
    const path = write(bytesOf(size));
    const reader = await started(path);
    fs.appendFileSync(path, 'more');
    await expect(rest(reader)).rejects.toMatchObject({ name: 'NotReadableError' });
  });

  it.runIf(process.platform === 'linux')('leaves no descriptor open, whether it ends, fails, is cancelled or is cancelled while it reads', async () => {
    const before = openDescriptors();
    const path = write(bytesOf(size));
    await rest(await started(path));
    await (await started(path)).cancel();
    const reading = await started(path);
    const read = reading.read();
    await reading.cancel();
    await read;
    const failing = await started(path);
    fs.appendFileSync(path, 'more');
    await rest(failing).catch(() => {});
    await expect.poll(openDescriptors).toBe(before);
  });
});

/** How many descriptors this process has open on files of this test. */
function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').filter((descriptor) => targetOf(descriptor).startsWith(directory)).length;
}

function targetOf(descriptor: string): string {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return ''; // the directory that was just listed
  }
}

it('an error of the disk is the cause of a NotReadableError', async () => {
  const path = write('text');
  const file = await fileOf(path);
  const cause = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
  const readSync = fs.readSync;
  fs.readSync = (() => {
    throw cause;
  }) as typeof fs.readSync;
  try {
    await expect(file.text()).rejects.toMatchObject({ name: 'NotReadableError', cause });
  } finally {
    fs.readSync = readSync;
  }
});

it('a file that is written to while it is read is not given in part', async () => {
  const path = write(bytesOf(100_000));
  const file = await fileOf(path);
  const read = fs.read;
  fs.read = ((...values: Parameters<typeof read>) => {
    fs.appendFileSync(path, 'more');
    read(...values);
  }) as typeof fs.read;
  try {
    await expect(file.arrayBuffer()).rejects.toMatchObject({ name: 'NotReadableError' });
  } finally {
    fs.read = read;
  }
});

it('a file beyond 2 GiB is whole in its own readers, and never cut off silently elsewhere', async () => {
  const path = write('');
  const size = 3 * 2 ** 30;
  fs.truncateSync(path, size - 3);
  fs.appendFileSync(path, 'end');
  const file = await fileOf(path);
  expect(file.size).toBe(size);
  const end = file.slice(size - 3);
  expect([end.size, await end.text(), await file.slice(-3).text()]).toEqual([3, 'end', 'end']);
  expect(await new Response(end).text()).toBe('end');
  await expect(new Blob([file]).slice(0, 10).text()).rejects.toMatchObject({ name: 'NotReadableError' });
  await expect(new Blob([end]).text()).rejects.toMatchObject({ name: 'NotReadableError' });
});
