import { expect, onTestFinished, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import type { Sync } from '../../src/inspector/messages.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { inspected, ORIGIN, temporary } from './support.ts';

test('what the order has refused is shown with both versions, and where the origin stands', async () => {
  const engine = new MemoryEngine();
  const root = temporary();
  const hostOf = (region: string, at: string): StorageHost => {
    const host = new StorageHost({ root: at, quota: { localStorage: 100 }, sync: { hub: memoryHub(engine), region } });
    onTestFinished(() => host.close());
    return host;
  };
  const first = hostOf('eu-west', temporary()).origin(ORIGIN);
  first.localStorage.setItem('mine', 'x'.repeat(36));
  await first.sync?.flush();
  const second = hostOf('us-east', root).origin(ORIGIN);
  second.localStorage.setItem('yours', 'y'.repeat(36));
  await second.sync?.flush();
  // An inspector of a host without the option, as the command has one.
  const { ask } = inspected({}, root);
  const { areas, rejections } = await ask<Sync>('sync', { origin: ORIGIN });
  expect(areas).toMatchObject([{ area: 'localStorage', region: 'us-east', connected: true, pending: 0, rejected: 1 }, { area: 'files', region: 'us-east', rejected: 0 }]);
  expect(areas[0]?.position).toBeGreaterThan(1);
  expect(rejections).toMatchObject([{ area: 'localStorage', serial: 1, reason: 'quota', key: 'yours', refused: { text: 'y'.repeat(36), length: 36 }, present: null }]);
});
