import { expect, onTestFinished, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import type { Sync } from '../../src/inspector/messages.ts';
import { MemoryEngine, memoryHub } from '../support/memory-hub.ts';
import { inspected, ORIGIN, temporary, write } from './support.ts';

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

test('of a file in conflict both versions can be read: the one that has the place, and the one that lost it', async () => {
  const engine = new MemoryEngine();
  const root = temporary();
  const hostOf = (region: string, at: string): StorageHost => {
    const host = new StorageHost({ root: at, sync: { hub: memoryHub(engine), region, files: 'eager' } });
    onTestFinished(() => host.close());
    return host;
  };
  const [elsewhere, here] = [hostOf('eu-west', temporary()), hostOf('us-east', root)];
  await write(elsewhere, ['report.txt'], 'agreed on');
  await elsewhere.origin(ORIGIN).sync?.flush();
  await here.origin(ORIGIN).sync?.caughtUp();
  engine.away = true;
  await write(elsewhere, ['report.txt'], 'theirs, written while the hub was away');
  await write(here, ['report.txt'], 'ours, at the same time');
  engine.away = false;
  await elsewhere.origin(ORIGIN).sync?.flush();
  await here.origin(ORIGIN).sync?.flush();
  await here.origin(ORIGIN).sync?.caughtUp();

  // One whose host follows no hub has it as an option, as the command has --hub.
  const { ask, content } = inspected({ hub: memoryHub(engine) }, root);
  const { conflicts } = await ask<Sync>('sync', { origin: ORIGIN });
  expect(conflicts).toMatchObject([{ path: ['report.txt'], canRead: true }]);
  const [row] = conflicts;
  const [present, lost] = await Promise.all([content('file', { origin: ORIGIN, path: ['report.txt'] }), content('conflict', { origin: ORIGIN, serial: row?.serial })]);
  const versions = new Map([[row?.winner?.region, await present.text()], [row?.lost.region, await lost.text()]]);
  expect(Object.fromEntries(versions)).toEqual({ 'eu-west': 'theirs, written while the hub was away', 'us-east': 'ours, at the same time' });
  expect(row?.lost.size).toBe(versions.get(row?.lost.region)?.length);
  expect(lost.headers.get('content-disposition')).toContain('report.txt');
  // Without the hub it is named, and where it is.
  const blind = inspected({}, root);
  expect((await blind.ask<Sync>('sync', { origin: ORIGIN })).conflicts).toMatchObject([{ canRead: false }]);
});
