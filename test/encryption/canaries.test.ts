import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { expect, test } from 'vitest';
import { temporaryDirectory } from '../journal/support/place.ts';
import { bundleFixture } from '../support/bundle.ts';
import { foundIn, type Kind, KINDS, marksOf } from './canaries.ts';
import { key } from './parts.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 2);

/** What a root without encryption is given to show each mark at least once: some are there for moments only. */
const MOST = 12;

/** Some of what is in copies, too. */
const COPIED: Kind[] = ['item', 'file', 'content', 'value', 'blob', 'body', 'content of a bucket', 'item of a coordinator'];

const ended = (child: ChildProcess): Promise<unknown> => new Promise((resolve) => child.once('close', resolve));

/** Kills a process at any moment of what it does after it has come round so often, for as long as it took to come round last. */
function killLater(child: ChildProcess, rounds: number): void {
  let [told, at] = [0, performance.now()];
  child.stdio[3]?.on('data', (bytes: Buffer) => {
    const took = performance.now() - at;
    at += took;
    const isDue = told < rounds && (told += bytes.toString().split('\n').length - 1) >= rounds;
    if (isDue) setTimeout(() => child.kill('SIGKILL'), Math.random() * took);
  });
}

const PLACES = ['root', 'backups', 'archive'] as const;
type Found = Record<(typeof PLACES)[number], Kind[]>;

/**
 * What is found of all marks in each place while two processes that use everything are killed again and again, each time
 * that both are gone.
 */
async function foundAfterKills(keyText: string, isEnough: (kills: number, found: Found) => boolean): Promise<Found> {
  const fixture = await bundleFixture(new URL('canaries.fixture.ts', import.meta.url));
  const [place, seed] = [temporaryDirectory(), randomBytes(16).toString('hex')];
  const found: Found = { root: [], backups: [], archive: [] };
  for (let kill = 0; !isEnough(kill, found); kill += 1) {
    const [one, other] = ['copies', 'removes'].map((role) => spawn(process.execPath, [fixture, place, keyText, seed, role], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })) as [ChildProcess, ChildProcess];
    killLater(one, 1 + (kill % 3));
    await Promise.all([one, other].map(ended));
    for (const at of PLACES) {
      const now = foundIn(path.join(place, at), marksOf(seed));
      found[at] = KINDS.filter((kind) => now.includes(kind) || found[at].includes(kind));
    }
  }
  return found;
}

test('of an encrypted origin nothing is in root, backups or archive, whenever who writes is killed', { timeout: 240_000 }, async () => {
  const found = await foundAfterKills(Buffer.from(key).toString('hex'), (kills) => kills === KILLS);
  expect(found).toEqual({ root: [], backups: [], archive: [] });
});

test('of one without encryption all of it is, so that it would be found', { timeout: 240_000 }, async () => {
  const isShown = ({ root, ...copies }: Found): boolean => root.length === KINDS.length && Object.values(copies).every((copy) => COPIED.every((kind) => copy.includes(kind)));
  const { root, backups, archive } = await foundAfterKills('', (kills, found) => kills === MOST || (kills > 0 && isShown(found)));
  expect(root).toEqual(KINDS);
  for (const copy of [backups, archive]) expect(copy).toEqual(expect.arrayContaining(COPIED));
});
