import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { encrypted } from '../support/sealed.ts';

// Locks of several hosts over a journal on the disk, asked for in every wrong way.

/** The condition decides; this is only how long a loaded machine may need. */
const PATIENCE = { timeout: 30_000, interval: 5 };
let directory: string;
const hosts: StorageHost[] = [];

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-hosts-'));
});

afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()));
  fs.rmSync(directory, { recursive: true, force: true });
});

type Locks = ReturnType<StorageHost['origin']>['locks'];

function open(): Locks {
  const host = new StorageHost({ root: path.join(directory, 'root') , ...encrypted });
  hosts.push(host);
  return host.origin('https://app.example').locks;
}

/** Nobody holds or waits for anything, as every host sees it. */
async function expectNothingLeft(...all: Locks[]): Promise<void> {
  for (const locks of all) expect(await locks.query()).toEqual({ held: [], pending: [] });
}

describe('a name', () => {
  it.each(['\ud800', '\udc00\ud800', 'a\ud800', '', '\0', '\ufffd'])('%j is kept exact among hosts, and is nobody else\'s', async (name) => {
    const [one, other] = [open(), open()];
    await one.request(name, async (lock) => {
      expect(lock?.name).toBe(name);
      expect(await other.request(name, { ifAvailable: true }, (refused) => refused)).toBeNull();
      expect(await other.request(`${name}\ufffd`, { ifAvailable: true }, (granted) => granted?.name)).toBe(`${name}\ufffd`);
      expect((await other.query()).held).toMatchObject([{ name }]);
    });
    await expectNothingLeft(one, other);
  });

  it('that starts with a hyphen is refused, and leaves nothing', async () => {
    const [one, other] = [open(), open()];
    for (const name of ['-', '-a', '-\ud800']) {
      await expect(one.request(name, () => {})).rejects.toMatchObject({ name: 'NotSupportedError' });
    }
    await expectNothingLeft(one, other);
  });
});

it.each([
  ['steal with ifAvailable', { steal: true, ifAvailable: true }],
  ['steal with shared', { steal: true, mode: 'shared' }],
  ['steal with a signal', { steal: true, signal: new AbortController().signal }],
] as const)('%s is refused, and the holder keeps its lock', async (_, options) => {
  const [one, other] = [open(), open()];
  await one.request('a', async () => {
    await expect(other.request('a', options, () => {})).rejects.toMatchObject({ name: 'NotSupportedError' });
    expect((await one.query()).held).toHaveLength(1);
  });
  await expectNothingLeft(one, other);
});

it('a signal that has aborted, or aborts while waiting, leaves no request behind', async () => {
  const [one, other] = [open(), open()];
  await one.request('a', async () => {
    await expect(other.request('a', { signal: AbortSignal.abort('early') }, () => {})).rejects.toBe('early');
    const controller = new AbortController();
    const waiting = other.request('a', { signal: controller.signal }, () => {});
    await vi.waitFor(async () => expect((await one.query()).pending).toHaveLength(1), PATIENCE);
    controller.abort('late');
    await expect(waiting).rejects.toBe('late');
    expect((await one.query()).pending).toEqual([]);
  });
  await expectNothingLeft(one, other);
});

describe('a callback', () => {
  const failure = new Error('mine');
  it.each([
    ['throws at once', () => { throw failure; }],
    ['rejects', () => Promise.reject(failure)],
    ['gives a thenable that throws', () => ({ then: () => { throw failure; } })],
    ['gives an object whose then cannot be read', () => ({ get then() { throw failure; } })],
  ])('that %s releases its lock to whoever waits elsewhere', async (_, callback: () => unknown) => {
    const [one, other] = [open(), open()];
    let next: Promise<unknown> = Promise.resolve();
    const first = one.request('a', async () => {
      next = other.request('a', () => 'next');
      await vi.waitFor(async () => expect((await one.query()).pending).toHaveLength(1), PATIENCE);
      return callback();
    });
    await expect(first).rejects.toBe(failure);
    expect(await next).toBe('next');
    await expect(one.request('b', callback)).rejects.toBe(failure);
    await expectNothingLeft(one, other);
  });
});
