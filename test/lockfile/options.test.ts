import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { StorageHost, type StorageHostOptions } from '../../src/index.ts';
import { runHere } from '../cli/support.ts';
import { bundleFixture } from '../support/bundle.ts';
import { encrypted } from '../support/sealed.ts';

const fixture = bundleFixture(new URL('./loading-fixture.ts', import.meta.url));
let directory: string;

beforeEach(() => {
  directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-lockfile-'));
});

afterEach(() => {
  vi.restoreAllMocks();
  fs.rmSync(directory, { recursive: true, force: true });
});

function thrownBy(body: () => unknown): unknown {
  try {
    return body();
  } catch (error) {
    return error;
  }
}

/** When each step of the program has proper-lockfile loaded. */
function loading(program: string, options: object): unknown {
  const text = execFileSync(process.execPath, [program, path.join(directory, crypto.randomUUID()), JSON.stringify(options)], { encoding: 'utf8' });
  return JSON.parse(text);
}

it('loads the package at the first change, and only where it is asked for; the program then ends by itself', async () => {
  expect(loading(await fixture, {})).toEqual({ made: false, read: false, written: false, locked: false });
  expect(loading(await fixture, { shared: 'lockfile' })).toEqual({ made: false, read: false, written: true, locked: true });
});

it('says so when the package is missing, before anything is touched', async () => {
  const elsewhere = path.join(directory, 'program.mjs');
  fs.copyFileSync(await fixture, elsewhere);
  expect(loading(elsewhere, { shared: 'lockfile' })).toEqual({
    code: 'bad-option',
    message: "Option 'shared: lockfile' needs the package proper-lockfile, which is not installed.",
  });
  expect(fs.readdirSync(directory)).toEqual(['program.mjs']);
});

it.each(['nfs', true, null, ''])('refuses %j', (shared) => {
  const options = { root: directory, shared } as unknown as StorageHostOptions;
  expect(thrownBy(() => new StorageHost(options))).toMatchObject({ code: 'bad-option' });
});

const NFS = 0x6969;

it('lifts the refusal of a network disk, which names the way out', async () => {
  const statfs = fs.statfsSync(directory);
  vi.spyOn(fs, 'statfsSync').mockReturnValue({ ...statfs, type: NFS });
  const root = path.join(directory, 'root');
  const refused = new StorageHost({ root }).origin('https://app.example');
  expect(thrownBy(() => refused.localStorage.setItem('k', 'v'))).toMatchObject({
    cause: {
      code: 'disk-unsupported',
      message: `The root ${root} is on a network disk (NFS), where appends are not atomic. Put it on a local disk, or set the option shared: 'lockfile'.`,
    },
  });
  expect(fs.existsSync(root)).toBe(false);
  await using host = new StorageHost({ root, shared: 'lockfile' });
  const { localStorage } = host.origin('https://app.example');
  localStorage.setItem('k', 'v');
  expect(localStorage.getItem('k')).toBe('v');
});

it('brings a backup back to a network disk, and in the place of what is there', async () => {
  const statfs = fs.statfsSync(directory);
  const [root, backups, restored] = ['root', 'backups', 'restored'].map((name) => path.join(directory, name)) as [string, string, string];
  await using host = new StorageHost({ root, shared: 'lockfile', ...encrypted });
  host.origin('https://app.example').localStorage.setItem('k', 'v');
  await host.backup(backups);
  host.origin('https://app.example').localStorage.setItem('k', 'later');
  vi.spyOn(fs, 'statfsSync').mockReturnValue({ ...statfs, type: NFS });
  await expect(StorageHost.restore({ from: backups, root: restored })).rejects.toMatchObject({ code: 'disk-unsupported' });
  await StorageHost.restore({ from: backups, root, shared: 'lockfile', replace: true, ...encrypted });
  await expect.poll(() => host.origin('https://app.example').localStorage.getItem('k')).toBe('v');
  expect(await runHere(restored, ['restore', '--from', backups, '--shared', 'lockfile'])).toMatchObject({ code: 0, err: '' });
  await using other = new StorageHost({ root: restored, shared: 'lockfile', ...encrypted });
  expect(other.origin('https://app.example').localStorage.getItem('k')).toBe('v');
});

it('still refuses a disk without hard links', () => {
  vi.spyOn(fs, 'linkSync').mockImplementation(() => {
    throw Object.assign(new Error('EPERM: link'), { code: 'EPERM', syscall: 'link' });
  });
  const { localStorage } = new StorageHost({ root: path.join(directory, 'root'), shared: 'lockfile' }).origin('https://app.example');
  expect(thrownBy(() => localStorage.setItem('k', 'v'))).toMatchObject({ cause: { code: 'disk-unsupported' } });
});
