import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { openHost, temporaryDirectory } from './support.ts';

// docs/DEVIATIONS.md names these errors: one test for each method.

const origin = 'https://app.example';

afterEach(() => void vi.restoreAllMocks());

const storageMethods: Record<string, (client: StorageClient) => unknown> = {
  length: ({ localStorage }) => localStorage.length,
  key: ({ localStorage }) => localStorage.key(0),
  getItem: ({ localStorage }) => localStorage.getItem('k'),
  keys: ({ localStorage }) => Object.keys(localStorage),
  setItem: ({ localStorage }) => localStorage.setItem('k', 'w'),
  removeItem: ({ localStorage }) => localStorage.removeItem('k'),
  'removeItem of nothing': ({ localStorage }) => localStorage.removeItem('none'),
  clear: ({ localStorage }) => localStorage.clear(),
  'deleting a property': ({ localStorage }) => delete localStorage['k'],
};

const lockMethods: Record<string, (client: StorageClient) => Promise<unknown>> = {
  request: ({ locks }) => locks.request('l', () => 1),
  'request if available': ({ locks }) => locks.request('l', { ifAvailable: true }, () => 1),
  'request that steals': ({ locks }) => locks.request('l', { steal: true }, () => 1),
  query: ({ locks }) => locks.query(),
};

const managerMethods: Record<string, (client: StorageClient) => Promise<unknown>> = {
  getDirectory: ({ storage }) => storage.getDirectory(),
  estimate: ({ storage }) => storage.estimate(),
  persist: ({ storage }) => storage.persist(),
  persisted: ({ storage }) => storage.persisted(),
};

/** What a method gives, or the error that it ends with. */
async function outcome(method: (client: StorageClient) => unknown, client: StorageClient): Promise<unknown> {
  try {
    return await method(client);
  } catch (error) {
    return error;
  }
}

const unusable: [string, string, () => string][] = [
  ['is a file', 'root-unusable', () => {
    const root = path.join(temporaryDirectory(), 'root');
    fs.writeFileSync(root, 'precious');
    return root;
  }],
  ['has a newer format', 'root-newer', () => {
    const root = temporaryDirectory();
    fs.writeFileSync(path.join(root, 'holdfast.json'), '{"format":99}');
    return root;
  }],
];

describe.each(unusable)('a root that %s', (_, code, make) => {
  test.each(Object.entries(storageMethods))('is a HoldfastError where a client is asked for localStorage, for %s', async (_method, method) => {
    expect(await outcome(method, openHost({ root: make() }).origin(origin))).toMatchObject({ name: 'HoldfastError', code });
  });

  test.each(Object.entries({ ...lockMethods, ...managerMethods }))('is a SecurityError with a cause for %s', async (_method, method) => {
    const error = await outcome(method, openHost({ root: make() }).origin(origin));
    expect(error).toMatchObject({ name: 'SecurityError', cause: { name: 'HoldfastError', code } });
  });
});

function readOnly(): never {
  throw Object.assign(new Error('EROFS: read-only file system, pretended'), { code: 'EROFS', syscall: 'open' });
}

/** As on a file system that is mounted for reading only; the superuser's rights do not matter there. */
function mountReadOnly(): void {
  const { openSync } = fs;
  const { O_WRONLY, O_RDWR, O_CREAT } = fs.constants;
  vi.spyOn(fs, 'openSync').mockImplementation((file, flags, mode) => {
    const writes = typeof flags === 'number' ? (flags & (O_WRONLY | O_RDWR | O_CREAT)) !== 0 : /[aw+]/.test(flags ?? 'r');
    return writes ? readOnly() : openSync(file, flags, mode);
  });
  for (const name of ['mkdirSync', 'linkSync', 'renameSync', 'unlinkSync', 'writeFileSync'] as const) {
    vi.spyOn(fs, name).mockImplementation(readOnly);
  }
  vi.spyOn(fs.promises, 'writeFile').mockImplementation(readOnly);
}

/** `k` is in it. */
async function readOnlyRoot(): Promise<string> {
  const host = openHost();
  host.origin(origin).localStorage.setItem('k', 'v');
  await host.close();
  mountReadOnly();
  return host.root;
}

const because = { name: 'HoldfastError', code: 'root-read-only', cause: { code: 'EROFS' } };
const overQuota = { name: 'QuotaExceededError', message: expect.stringMatching(/read-only.*HOLDFAST_ROOT/) as string, cause: because };
const noLock = { name: 'UnknownError', message: expect.stringMatching(/read-only.*HOLDFAST_ROOT/) as string, cause: because };

describe('a root that cannot be written', () => {
  const answers: [string, unknown][] = [
    ['length', 1],
    ['key', 'k'],
    ['getItem', 'v'],
    ['keys', ['k']],
    ['setItem', overQuota],
    ['removeItem', overQuota],
    ['removeItem of nothing', undefined],
    ['clear', overQuota],
    ['deleting a property', overQuota],
    ['request', noLock],
    ['request if available', noLock],
    ['request that steals', noLock],
    ['query', { held: [], pending: [] }],
    ['getDirectory', { kind: 'directory' }],
    ['estimate', { usageDetails: { fileSystem: 0, localStorage: 4 } }],
    ['persist', false],
    ['persisted', false],
  ];
  const methods = { ...storageMethods, ...lockMethods, ...managerMethods };

  test.each(answers)('answers %s', async (name, expected) => {
    const client = openHost({ root: await readOnlyRoot() }).origin(origin);
    const found = await outcome(methods[name] ?? readOnly, client);
    if (typeof expected === 'object') expect(found).toMatchObject(expected as object);
    else expect(found).toBe(expected);
  });

  test('has an answer for each method here', () => {
    expect(answers.map(([name]) => name)).toEqual(Object.keys(methods));
  });
});
