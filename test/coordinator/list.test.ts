import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { CoordinatorPlace } from '../../src/disk/coordinator/coordinator-place.ts';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { Coordinator, Coordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorListing } from '../../src/host/coordinator/index.ts';
import { ownerOf } from '../../src/host/storage-host.ts';
import { openHost } from '../host/support.ts';

const origin = 'https://app.example';
let release: () => void = () => undefined;

class Work extends Coordinator {
  static override readonly concurrency = 'serial';

  put(value: string): void {
    this.localStorage.setItem('key', value);
  }

  wake(time: number): void {
    this.state.setAlarm(time);
  }

  override alarm(): void {}

  async hold(): Promise<void> {
    await new Promise<void>((resolve) => (release = resolve));
  }
}

async function listed(coordinators: Coordinators, options?: { readonly origin: string }): Promise<Record<string, CoordinatorListing>> {
  const all: Record<string, CoordinatorListing> = {};
  for await (const each of coordinators.list(options)) all[`${each.origin} ${each.name?.slice(0, 8)}`] = each;
  return all;
}

test('coordinators are listed: who has each, its alarm, what it has stored, and what it is doing', async () => {
  const host = openHost();
  const [here, looker] = [new Coordinators(host, { Work }), new Coordinators(openHost({ root: host.root }), {})];
  onTestFinished(async () => void (await Promise.all([here.close(), looker.close()])));
  expect(await listed(looker)).toEqual({});

  const long = `long${'\u00e9'.repeat(300)}`;
  const time = Date.now() + 60_000;
  await here.get(origin, Work, 'alarmed').wake(time);
  await here.get(origin, Work, long).put('value');
  await here.get('https://other.example', Work, 'busy').put('x');
  const held = [1, 2, 3].map(() => here.get('https://other.example', Work, 'busy').hold());
  await expect.poll(async () => (await listed(here))['https://other.example busy']?.live).toMatchObject({ waiting: 2, running: 1 });
  // Somebody who has ended without a word.
  const { root } = ownerOf(host);
  const gone = new OwnedJournal(new CoordinatorPlace(root, { origin, className: 'Work', name: 'gone' }), { durability: 'relaxed', quota: 1e6 });
  gone.look();
  gone.claim('0gone');
  gone.close();

  for (const from of [here, looker]) {
    const all = await listed(from);
    expect(Object.keys(all).sort()).toEqual([`${origin} alarmed`, `${origin} gone`, `${origin} long\u00e9\u00e9\u00e9\u00e9`, 'https://other.example busy']);
    const busy = all['https://other.example busy'];
    expect(busy).toMatchObject({ className: 'Work', epoch: 1, owner: { process: process.pid, answers: true }, alarm: null, bytes: 8, items: 1, live: { waiting: 2, running: 1, failures: 0 } });
    expect(path.relative(host.root, busy?.path ?? '').startsWith(`origins${path.sep}`)).toBe(true);
    expect(all[`${origin} alarmed`]).toMatchObject({ alarm: { time, attempt: 0 }, bytes: 0, live: { waiting: 0, running: 0 } });
    expect(all[`${origin} long\u00e9\u00e9\u00e9\u00e9`]?.name).toBe(long);
    expect(all[`${origin} gone`]).toMatchObject({ owner: { address: '0gone', process: null, answers: false }, live: null });
    expect(Object.keys(await listed(from, { origin }))).toHaveLength(3);
  }

  let isOver = false;
  void Promise.all(held).then(() => (isOver = true));
  while (!isOver) {
    release();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await here.close();
  expect((await listed(looker))[`${origin} alarmed`]).toMatchObject({ owner: null, live: null, alarm: { time } });
});
