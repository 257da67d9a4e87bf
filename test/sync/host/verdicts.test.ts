import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { StorageHost } from '../../../src/index.ts';
import type { OriginSync, StorageClient } from '../../../src/index.ts';
import { TOLD } from '../../../src/disk/replica/replica-kinds.ts';
import { encodeTold } from '../../../src/disk/replica/replica-records.ts';
import { MapJournal } from '../../../src/disk/map/map-journal.ts';
import { HoldfastError } from '../../../src/runtime/holdfast-error.ts';
import type { Hub, HubCapabilities } from '../../../src/sync/hub.ts';
import { MemoryEngine, memoryHub } from '../../support/memory-hub.ts';
import { encrypted } from '../../support/sealed.ts';

const ORIGIN = 'https://app.example';
const endings: (() => unknown)[] = [];

afterEach(async () => {
  vi.restoreAllMocks();
  for (const end of endings.splice(0).reverse()) await end();
});

type Synced = StorageClient & { readonly sync: OriginSync };

function open(hub: Hub, files: 'lazy' | 'off' = 'off'): Synced {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-verdicts-'));
  endings.push(() => fs.rmSync(root, { recursive: true, force: true }));
  const host = new StorageHost({ root, sync: { hub, region: 'eu', files }, ...encrypted });
  endings.push(() => host.close());
  return host.origin(ORIGIN) as Synced;
}

describe('compareAndSet', () => {
  test('says true to one of 1,500 that ask at once; every refusal is kept until it is acknowledged', async () => {
    const { sync, localStorage } = open(memoryHub(new MemoryEngine()));
    const told = await Promise.all(Array.from({ length: 1500 }, (_, index) => sync.compareAndSet('lock', null, `w${index}`)));
    expect(told.filter(Boolean)).toHaveLength(1);
    expect(localStorage.getItem('lock')).toBe(`w${told.indexOf(true)}`);
    expect(sync.rejections()).toHaveLength(1499);
    expect(sync.status().rejected).toBe(1499);
    sync.acknowledge(sync.rejections()[1498] ?? { area: 'localStorage', serial: 0 });
    expect(sync.rejections()).toEqual([]);
  });

  test('never says true because nothing is known against it', async () => {
    const engine = new MemoryEngine();
    const { sync } = open(memoryHub(engine));
    await sync.caughtUp();
    engine.away = true;
    const submit = vi.spyOn(MapJournal.prototype, 'compareAndSet');
    const journals = vi.spyOn(MapJournal.prototype, 'current');
    const asked = sync.compareAndSet('lock', 'another', 'w');
    await vi.waitFor(() => expect(submit).toHaveBeenCalled(), 30_000);
    const submission = submit.mock.results[0]?.value as ReturnType<MapJournal['compareAndSet']>;
    const map = journals.mock.contexts[0] as MapJournal;
    engine.away = false;
    const journal = map.replicaJournal();
    // As if somebody had told it already, or so many had asked since that it was dropped.
    const stop = journal.watch(() => {
      if (submission.accepted && journal.current().verdicts.of(submission.id) !== undefined) journal.append(TOLD, encodeTold([submission.id]));
    });
    endings.push(stop);
    const outcome = await asked.catch((error: unknown) => error);
    // Whoever comes first has it: the verdict itself, or that nobody knows.
    if (outcome !== false) expect(outcome).toMatchObject({ name: 'HoldfastError', code: 'outcome-unknown' });
  });

  test('leaves nothing behind of what was told', async () => {
    const { sync } = open(memoryHub(new MemoryEngine()));
    const journals = vi.spyOn(MapJournal.prototype, 'current');
    await Promise.all(Array.from({ length: 100 }, (_, index) => sync.compareAndSet(`k${index}`, null, 'w')));
    const map = journals.mock.contexts[0] as MapJournal;
    await vi.waitFor(() => expect(map.replicaJournal().current().verdicts.size).toBe(0), 30_000);
  });
});

/** Refuses everybody until it is told otherwise. */
class StrictHub implements Hub {
  readonly name = 'strict';
  refuses = true;
  readonly #hub = memoryHub(new MemoryEngine());

  async connect(): Promise<HubCapabilities> {
    if (this.refuses) throw new HoldfastError('hub-unauthorized', 'The token is wrong.');
    return this.#hub.connect();
  }

  log(name: string): ReturnType<Hub['log']> {
    return this.#hub.log(name);
  }

  close(): Promise<void> {
    return this.#hub.close();
  }
}

describe.each(['lazy', 'off'] as const)('a wrong token (files: %s)', (files) => {
  test('rejects every call that waits, and is shown and told of; the right one ends that', async () => {
    const hub = new StrictHub();
    const { sync, localStorage } = open(hub, files);
    const told: string[] = [];
    sync.addEventListener('syncproblem', (event) => told.push((event as CustomEvent<string>).detail));
    localStorage.setItem('k', 'v');
    const refused = { code: 'hub-unauthorized', name: 'HoldfastError' };
    await expect(sync.flush()).rejects.toMatchObject(refused);
    await expect(sync.caughtUp()).rejects.toMatchObject(refused);
    await expect(sync.read(() => 1)).rejects.toMatchObject(refused);
    await expect(sync.compareAndSet('k', 'v', 'w')).rejects.toMatchObject(refused);
    expect(sync.status()).toMatchObject({ connected: false, problem: 'The token is wrong.' });
    await vi.waitFor(() => expect(told).toContain('The token is wrong.'), 30_000);
    hub.refuses = false;
    await vi.waitFor(() => sync.flush(), { timeout: 60_000, interval: 100 });
    expect(sync.status()).toMatchObject({ connected: true, problem: '', pending: 0 });
  });
});
