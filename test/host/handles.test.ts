import { describe, expect, test } from 'vitest';
import { serializeHandle } from '../../src/file-system/handles.ts';
import type { HandleData } from '../../src/file-system/handles.ts';
import { openHost, thrownBy } from './support.ts';

const [a, b] = ['https://a.example', 'https://b.example'] as const;

describe('a serialized handle', () => {
  test('comes back in another realm of the origin, before anything is loaded there', async () => {
    const host = openHost();
    const root = await host.origin(a).storage.getDirectory();
    const file = await (await root.getDirectoryHandle('d', { create: true })).getFileHandle('f', { create: true });
    const data = JSON.parse(JSON.stringify(serializeHandle(file))) as HandleData;
    const copy = openHost({ root: host.root }).deserializeHandle(data, a);
    expect(copy).toMatchObject({ kind: 'file', name: 'f' });
    expect(await (copy as typeof file).getFile()).toMatchObject({ size: 0 });
    expect(await file.isSameEntry(host.deserializeHandle(data, a))).toBe(true);
  });

  test('is refused for another origin, wherever that is said', async () => {
    const host = openHost();
    const data = serializeHandle(await host.origin(a).storage.getDirectory());
    for (const target of [b, host.origin(b), host.client(b)]) {
      expect(thrownBy(() => host.deserializeHandle(data, target)).name).toBe('DataCloneError');
    }
    expect(thrownBy(() => host.run(b, () => host.deserializeHandle(data))).name).toBe('DataCloneError');
    expect(host.run(a, () => host.deserializeHandle(data)).kind).toBe('directory');
    expect(thrownBy(() => host.deserializeHandle(data))).toMatchObject({ code: 'no-context' });
  });

  test.each([
    null,
    {},
    { origin: a, bucket: 'default', kind: 'file', locator: [] },
    { origin: a, bucket: 'default', kind: 'link', locator: ['f'] },
    { origin: a, bucket: 'default', kind: 'file', locator: ['..', 'f'] },
    { origin: a, bucket: 'default', kind: 'file', locator: ['d/f'] },
    { origin: a, bucket: 'default', kind: 'file', locator: [7] },
    { origin: a, bucket: 'default', kind: 'file', locator: 'f' },
  ])('that was forged is refused: %j', (data) => {
    expect(thrownBy(() => openHost().deserializeHandle(data as never, a)).name).toBe('TypeError');
  });

  test('is made of nothing but handles', () => {
    for (const value of [null, {}, 'f', { kind: 'file', name: 'f' }]) expect(thrownBy(() => serializeHandle(value)).name).toBe('TypeError');
  });
});
