import fs from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import { writeStub } from '../../src/disk/tree/stub.ts';
import type { Swap } from '../../src/disk/tree/swap.ts';
import { createRootHandle, FileSystem } from '../../src/file-system/index.ts';
import type { FileSystemFileHandle } from '../../src/file-system/index.ts';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { atEnd, openBucket, outcome, textOf, writeFile } from './support.ts';

const OPENINGS: Record<string, (file: FileSystemFileHandle) => Promise<unknown>> = {
  getFile: (file) => file.getFile(),
  createSyncAccessHandle: (file) => file.createSyncAccessHandle(),
  'createSyncAccessHandle to read': (file) => file.createSyncAccessHandle({ mode: 'read-only' }),
  'createWritable that keeps what is there': (file) => file.createWritable({ keepExistingData: true }),
};

interface Stubbed {
  readonly system: FileSystem;
  readonly file: FileSystemFileHandle;
  readonly fetched: string[];
  put(content: string): Promise<void>;
  putStub(): Promise<void>;
}

/** A file system with one stub, 'f', whose content `fetch` brings. */
async function openStubbed(fetch?: (stubbed: Stubbed) => Promise<void>): Promise<Stubbed> {
  const bucket = openBucket();
  const fetched: string[] = [];
  const system = new FileSystem({
    ...bucket,
    origin: 'https://app.example',
    bucket: 'default',
    load: () => import('../../src/file-system/algorithms/index.ts'),
    salt: () => '5a17',
    ...(fetch && {
      fetch: async (file: Locator) => {
        fetched.push(file.join('/'));
        await fetch(stubbed);
      },
    }),
  });
  atEnd(() => system.close());
  const file = await createRootHandle(system).getFileHandle('f', { create: true });
  const put = async (fill: (swap: Swap) => void): Promise<void> => {
    const swap = await bucket.tree.swap();
    fill(swap);
    await bucket.tree.replace(swap, ['f']);
  };
  const stubbed: Stubbed = {
    system,
    file,
    fetched,
    put: (content) => put(({ descriptor }) => fs.writeSync(descriptor, content)),
    putStub: () => put((swap) => writeStub(swap, Buffer.from('manifest'))),
  };
  await stubbed.putStub();
  return stubbed;
}

const failing = (code: 'hub-unreachable' | 'hub-damaged' | 'disk-full' | 'closed') => async (): Promise<never> => {
  throw new HoldfastError(code, 'as the test wants it');
};

describe('a file whose content is elsewhere', () => {
  it.each(Object.entries(OPENINGS))('is fetched by %s', async (_, open) => {
    const { file, fetched } = await openStubbed(({ put }) => put('content'));
    await open(file);
    expect(fetched).toEqual(['f']);
    expect(await textOf(file)).toBe('content');
    expect(fetched).toEqual(['f']);
  });

  it.each(Object.entries(OPENINGS))('cannot be read by %s while the hub is away', async (_, open) => {
    const { file, put } = await openStubbed(failing('hub-unreachable'));
    expect(await outcome(open(file))).toBe('NotReadableError');
    await expect(open(file)).rejects.toThrow(/'\/f' was written in another region.*as the test wants it/);
    await put('content');
    (await file.createSyncAccessHandle()).close(); // whatever was locked is free again
  });

  it.each(Object.entries(OPENINGS))('cannot be read by %s without sync', async (_, open) => {
    const { file } = await openStubbed();
    expect(await outcome(open(file))).toBe('NotReadableError');
  });

  it.each([
    ['a damaged chunk', failing('hub-damaged'), 'NotReadableError'],
    ['a full disk', failing('disk-full'), 'QuotaExceededError'],
    ['a closed host', failing('closed'), 'InvalidStateError'],
  ])('says of %s what it is', async (_, fetch, name) => {
    const { file } = await openStubbed(fetch);
    expect(await outcome(file.getFile())).toBe(name);
  });

  it('is replaced unread', async () => {
    const { file, fetched } = await openStubbed(failing('hub-unreachable'));
    await writeFile(file, 'new');
    expect(await textOf(file)).toBe('new');
    expect(fetched).toEqual([]);
  });

  it('is fetched again when another region was faster', async () => {
    let left = 3;
    const { file } = await openStubbed(({ put, putStub }) => ((left -= 1) > 0 ? putStub() : put('last')));
    expect(await textOf(file)).toBe('last');
    expect(left).toBe(0);
  });

  it('is given up when it never comes', async () => {
    const { file } = await openStubbed(async () => undefined);
    expect(await outcome(file.getFile())).toBe('NotReadableError');
  });

  it('opens nothing when the client closes meanwhile', async () => {
    const { file } = await openStubbed(async ({ system, put }) => {
      void system.close();
      await put('content');
    });
    expect(await outcome(file.createSyncAccessHandle())).toBe('InvalidStateError');
  });
});
