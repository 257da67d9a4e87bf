import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { checkBackups } from '../../src/disk/backup/check.ts';
import { StorageHost } from '../../src/index.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { bundleFixture } from '../support/bundle.ts';
import { CANARY, filledRoot, key, open, ORIGIN, write } from './operator.ts';
import { treeHas } from './support.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 3);

/** Kills a process some milliseconds after it has begun to back up. */
async function killed(fixture: string, args: readonly string[], delay: number): Promise<void> {
  const child = spawn(process.execPath, [fixture, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  child.stdio[3]?.once('data', () => setTimeout(() => child.kill('SIGKILL'), delay));
  await new Promise((resolve) => child.once('close', resolve));
  expect(child.signalCode).toBe('SIGKILL');
}

const textOf = (version: number): string => `${version} ${CANARY.repeat(3_000)} ${version}`;

test('a backup of an encrypted origin that is killed amid writing leaves a repository that is whole, shows nothing, and in which the next one goes on', { timeout: 600_000 }, async () => {
  const fixture = await bundleFixture(new URL('backup.fixture.ts', import.meta.url));
  const { root, backups, client } = await filledRoot();
  let [version, isOver] = [0, false];
  const writing = (async () => {
    while (!isOver) {
      version += 1;
      client.localStorage.setItem('before', textOf(version));
      await write(client, 'version', textOf(version));
      client.localStorage.setItem('after', textOf(version));
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  })();
  try {
    for (let kill = 0; kill < KILLS; kill += 1) {
      await killed(fixture, [root, backups, Buffer.from(key).toString('hex')], (kill * 83) % 240);
      if (fs.existsSync(backups)) expect(treeHas(backups, CANARY)).toEqual([]);
      // What a lock becomes after a while, which nobody waits for here.
      for (const lock of [path.join(backups, 'lock'), path.join(root, 'maintenance.lock')]) fs.rmSync(lock, { recursive: true, force: true });
      if (fs.existsSync(path.join(backups, 'backups'))) expect((await checkBackups(backups, () => undefined)).damage).toEqual([]);
      const least = version - 1;
      expect(await open(root).backup(backups)).toMatchObject({ problems: [] });
      expect((await checkBackups(backups, () => undefined)).damage).toEqual([]);
      expect(treeHas(backups, CANARY)).toEqual([]);
      const restored = path.join(temporaryDirectory(), 'restored');
      await StorageHost.restore({ from: backups, root: restored, encryption: { key } });
      const there = open(restored).origin(ORIGIN);
      const text = await (await (await (await there.storage.getDirectory()).getFileHandle('version')).getFile()).text();
      const [before = '', after = ''] = ['before', 'after'].map((name) => there.localStorage.getItem(name) ?? '');
      const found = Number.parseInt(text, 10);
      expect(text).toBe(textOf(found));
      expect(found).toBeGreaterThanOrEqual(least);
      // As of one moment: whoever writes the next one writes it here first, and there last.
      expect([textOf(found), textOf(found + 1)]).toContain(before);
      expect([textOf(found), textOf(found - 1)]).toContain(after);
      fs.rmSync(restored, { recursive: true });
    }
  } finally {
    isOver = true;
    await writing;
  }
});
