import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FileSystemDirectoryHandle, FileSystemFileHandle } from '../../src/file-system/index.ts';
import { install } from '../../src/host/install/install.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bundleFixture } from '../support/bundle.ts';
import { encrypted } from '../support/sealed.ts';

const origin = 'https://a.example';
let fixture: string;
let root: string;
let host: StorageHost;
let undo: () => void;

beforeAll(async () => {
  fixture = await bundleFixture(new URL('./real-handles-fixture.ts', import.meta.url));
});
beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-clone-'));
  host = new StorageHost({ root, ...encrypted });
  undo = install({ host, origin, structuredClone: true });
});
afterEach(async () => {
  undo();
  await host.close();
  fs.rmSync(root, { recursive: true, force: true });
});

async function newDirectory(name: string): Promise<FileSystemDirectoryHandle> {
  const directory = await host.origin(origin).storage.getDirectory();
  return directory.getDirectoryHandle(name, { create: true });
}

async function answerOf(worker: Worker): Promise<Record<string, unknown>> {
  const [answer] = (await once(worker, 'message')) as [Record<string, unknown>];
  await worker.terminate();
  return answer;
}

test('a handle that structuredClone copied is the same entry, and works', async () => {
  const directory = await newDirectory('shared');
  const { directory: copy } = structuredClone({ directory });
  expect(copy).not.toBe(directory);
  expect(await copy.isSameEntry(directory)).toBe(true);
  await copy.getFileHandle('made through the copy', { create: true });
  expect((await directory.getFileHandle('made through the copy')).kind).toBe('file');
});

describe('a thread', () => {
  test('gets handles in its messages and its workerData, writes through them, and sends handles back', async () => {
    const directory = await newDirectory('shared');
    const worker = new Worker(fixture, { argv: [root, origin], workerData: { directory } });
    worker.postMessage({ directory });
    const { file, same } = (await answerOf(worker)) as { file: FileSystemFileHandle; same: boolean };
    expect(same).toBe(true);
    expect(await (await file.getFile()).text()).toBe('written in the thread');
    expect(await file.isSameEntry(await directory.getFileHandle('from the thread'))).toBe(true);
  });

  test('of another origin gets a messageerror instead', async () => {
    const worker = new Worker(fixture, { argv: [root, 'https://b.example'], workerData: {} });
    worker.postMessage({ directory: await newDirectory('shared') });
    expect(await answerOf(worker)).toEqual({ error: 'DataCloneError' });
  });
});

test('a tenant cannot clone the handle of another', async () => {
  const directory = await newDirectory('mine');
  expect(() => host.run('https://b.example', () => structuredClone([directory]))).toThrow(
    expect.objectContaining({ name: 'DataCloneError' }) as Error,
  );
});
