import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { listing, openHost, temporaryDirectory, thrownBy } from './support.ts';

const origin = 'https://app.example';

afterEach(() => void vi.restoreAllMocks());

/** What each way into the storage of a client says. */
async function outcomes(root: string): Promise<Record<string, unknown>> {
  const client = openHost({ root }).origin(origin);
  const nameOf = (error: unknown): unknown => (error as { code?: unknown; name: string }).name;
  const rejection = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'done', nameOf);
  return {
    localStorage: thrownBy(() => client.localStorage.getItem('k')),
    getDirectory: await rejection(client.storage.getDirectory()),
    estimate: await rejection(client.storage.estimate()),
    persist: await rejection(client.storage.persist()),
    lock: await rejection(client.locks.request('l', () => 1)),
  };
}

const webErrors = { getDirectory: 'SecurityError', estimate: 'SecurityError', persist: 'SecurityError' };

describe('one clear error at first use, and no damage, for a root that', () => {
  test('is a file', async () => {
    const root = path.join(temporaryDirectory(), 'root');
    fs.writeFileSync(root, 'precious');
    const found = await outcomes(root);
    expect(found).toMatchObject({ ...webErrors, localStorage: { code: 'root-unusable' } });
    expect((found['localStorage'] as Error).message).toContain(root);
    expect(fs.readFileSync(root, 'utf8')).toBe('precious');
  });

  test('has a newer format', async () => {
    const root = temporaryDirectory();
    fs.writeFileSync(path.join(root, 'holdfast.json'), '{"format":99}');
    expect(await outcomes(root)).toMatchObject({ ...webErrors, localStorage: { code: 'root-newer' } });
    expect(listing(root)).toEqual(['holdfast.json']);
  });

  test('cannot be written: reads are empty, writes fail', async () => {
    const root = path.join(temporaryDirectory(), 'root');
    const readOnly = (): never => {
      throw Object.assign(new Error('EROFS: read-only file system, mkdir'), { code: 'EROFS', syscall: 'mkdir' });
    };
    vi.spyOn(fs, 'mkdirSync').mockImplementation(readOnly);
    const client = openHost({ root }).origin(origin);
    expect(client.localStorage.getItem('k')).toBeNull();
    const error = thrownBy(() => client.localStorage.setItem('k', 'v'));
    expect(error).toMatchObject({ name: 'QuotaExceededError', cause: { code: 'root-read-only', cause: { code: 'EROFS' } } });
    expect(error.message).toContain(root);
    const directory = await client.storage.getDirectory();
    await expect(directory.getFileHandle('f')).rejects.toMatchObject({ name: 'NotFoundError' });
    const rejection = await directory.getFileHandle('f', { create: true }).then(() => undefined, (reason: unknown) => reason);
    expect(rejection).toMatchObject({ name: 'NoModificationAllowedError', cause: { code: 'EROFS' } });
    expect((rejection as Error).message).toContain(root);
    expect(listing(root)).toEqual([]);
    vi.restoreAllMocks();
    client.localStorage.setItem('k', 'v');
    await directory.getFileHandle('f', { create: true });
  });

  test.skipIf(process.getuid?.() === 0)('this user may not write', () => {
    const directory = temporaryDirectory();
    fs.chmodSync(directory, 0o500);
    const client = openHost({ root: path.join(directory, 'root') }).origin(origin);
    expect(client.localStorage.length).toBe(0);
    expect(thrownBy(() => client.localStorage.setItem('k', 'v')).name).toBe('QuotaExceededError');
    expect(listing(directory)).toEqual([]);
  });

  test('is on a full disk', async () => {
    const root = path.join(temporaryDirectory(), 'root');
    vi.spyOn(fs, 'writeFileSync').mockImplementation(() => {
      throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC', syscall: 'write' });
    });
    const client = openHost({ root }).origin(origin);
    expect(thrownBy(() => client.localStorage.setItem('k', 'v'))).toMatchObject({
      name: 'QuotaExceededError',
      cause: { code: 'disk-full' },
    });
    const directory = await client.storage.getDirectory();
    await expect(directory.getFileHandle('f', { create: true })).rejects.toMatchObject({ name: 'QuotaExceededError' });
    vi.restoreAllMocks();
    client.localStorage.setItem('k', 'v');
    expect(client.localStorage.getItem('k')).toBe('v');
  });

  test('is deleted under a running host', async () => {
    const host = openHost();
    const client = host.origin(origin);
    client.localStorage.setItem('k', 'v');
    await (await client.storage.getDirectory()).getFileHandle('f', { create: true });
    await host.close();
    fs.rmSync(host.root, { recursive: true });
    const again = openHost({ root: host.root }).origin(origin);
    expect(again.localStorage.getItem('k')).toBeNull();
    again.localStorage.setItem('k', 'w');
    expect(again.localStorage.getItem('k')).toBe('w');
  });
});
