import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { CoordinatorListing } from '../../src/host/coordinator/index.ts';
import { startHub } from '../../src/sync/index.ts';
import { type Region, folder, held, HUB_TOKEN, ORIGIN, startRegions } from '../coordinator/regions-support.ts';
import { runHere } from './support.ts';

function fileWith(text: string): string {
  const file = path.join(folder(), 'token');
  fs.writeFileSync(file, `${text}\n`, { mode: 0o600 });
  return file;
}

test('coordinators that a hub keeps are listed: the region that has each, what waits in processes beside the root, alarms', async () => {
  const { regions, hub } = await startRegions(['eu', 'us']);
  const [eu, us] = regions as [Region, Region];
  await eu.counter('a').increment();
  await us.counter('b').wakeIn(3_600_000);
  const isHeld = held();
  const hold = eu.counter('a').hold();
  const release = await isHeld;
  const ask = (root: string, ...args: readonly string[]): ReturnType<typeof runHere> => runHere(root, ['coordinators', '--origin', ORIGIN, '--hub', hub.url, '--hub-token-file', fileWith(HUB_TOKEN), ...args]);

  const { code, out, err } = await ask(eu.root);
  const [heads, ...rows] = out.trimEnd().split('\n').map((line) => line.split(/ {2,}/));
  expect([code, err]).toEqual([0, '']);
  expect(heads).toEqual(['origin', 'class', 'name', 'region', 'owner', 'running', 'waiting', 'used', 'alarm', 'failed', 'items', 'localStorage']);
  expect(rows).toEqual([
    [ORIGIN, 'Counter', 'a', 'eu', String(process.pid), '1', '0', expect.stringMatching(/^\d+s$/), '-', '0', '1', '4 B'],
    [ORIGIN, 'Counter', 'b', 'us', '?', '-', '-', '-', expect.stringMatching(/^20\d\d-\d\d-\d\dT[\d:]+Z$/), '0', '0', '0 B'],
  ]);

  // From a machine without any root: nobody is asked what runs, and nothing is made.
  const nowhere = path.join(folder(), 'none');
  const found = (await ask(nowhere, '--json')).out.trimEnd().split('\n').map((line) => JSON.parse(line) as CoordinatorListing);
  expect(found.sort((a, b) => String(a.name).localeCompare(String(b.name)))).toMatchObject([
    { origin: ORIGIN, className: 'Counter', name: 'a', path: `${ORIGIN} coordinator Counter=a`, epoch: 1, owner: { region: 'eu', process: null, answers: null }, alarm: null, live: null },
    { name: 'b', owner: { region: 'us' }, alarm: { time: expect.any(Number) as number, attempt: 0 } },
  ]);
  expect(fs.existsSync(nowhere)).toBe(false);
  release();
  await hold;

  // Whoever has ended says nothing, and the hub knows no more than that it has had it last.
  await eu.coordinators.close();
  await expect(ask(eu.root)).resolves.toMatchObject({ out: expect.stringMatching(/ a +eu +\? +- +- +- /) as string });
});

test('whoever may only read the hub lists too, and makes no log in it', async () => {
  const tokens = fileWith(`read operator ${'r'.repeat(40)}`);
  const hub = await startHub({ root: path.join(folder(), 'hub'), tokenFile: tokens });
  try {
    const { code, out } = await runHere('none', ['coordinators', '--origin', 'https://other.example', '--hub', hub.url, '--hub-token-file', fileWith('r'.repeat(40))]);
    expect([code, out]).toEqual([0, expect.stringMatching(/^The hub .* keeps no coordinators of https:\/\/other\.example\.\n$/)]);
  } finally {
    await hub.close();
  }
});

test('what cannot be asked is said', async () => {
  const { hub } = await startRegions([]);
  const [right, wrong] = [fileWith(HUB_TOKEN), fileWith('x'.repeat(20))];
  const misuses: [args: readonly string[], code: number, says: RegExp][] = [
    [['--hub', hub.url, '--hub-token-file', right], 2, /'--hub' needs '--origin'/],
    [['--origin', ORIGIN, '--hub-token-file', right], 2, /'--hub-token-file' needs '--hub'/],
    [['--origin', ORIGIN, '--hub', 'ftp://hub.example'], 2, /'--hub' takes a url/],
    [['--origin', 'nothing', '--hub', hub.url, '--hub-token-file', right], 1, /'nothing' is not an origin/],
    [['--origin', ORIGIN, '--hub', hub.url, '--hub-token-file', wrong], 1, /token/],
    [['--origin', ORIGIN, '--hub', hub.url, '--hub-token-file', '/nowhere/token'], 1, /The token file \/nowhere\/token cannot be read/],
    [['--origin', ORIGIN, '--hub', hub.url, '--hub-token-file', right, '--root', '/nowhere/root'], 1, /There is no root at \/nowhere\/root/],
    [['--origin', ORIGIN, '--hub', 'http://127.0.0.1:9', '--hub-token-file', right], 1, /127\.0\.0\.1:9/],
  ];
  for (const [args, code, says] of misuses) {
    expect.soft(await runHere('none', ['coordinators', ...args]), args.join(' ')).toEqual({ code, out: '', err: expect.stringMatching(says) as string });
  }
});
