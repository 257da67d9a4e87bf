import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { fates, imageOf, restore } from '../crash/support/disk-images.ts';
import type { DiskHistory } from '../crash/support/disk-log.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { bundleFixture } from '../support/bundle.ts';
import { bundleMutant, type Mutant } from '../support/mutant.ts';
import { CLASS, encryptAll, fillCoordinators, plainIn, wrongIn } from './coordinators-moved.ts';
import { key } from './operator.ts';
import { killed, type Loss } from './power-loss.ts';

/** So many disks, or `all`; by default some, and what a loss right after it may leave. */
const asked = process.env['HOLDFAST_LOSSES'];
const SOME = asked === undefined ? 16 : Number(asked);

const fixture = new URL('coordinators-loss.fixture.ts', import.meta.url);

/** What was done to the disk of a root while its coordinators were encrypted. */
async function record(script: string): Promise<DiskHistory> {
  const place = temporaryDirectory();
  const watched = path.join(place, 'watched');
  fs.mkdirSync(watched);
  await fillCoordinators(path.join(watched, 'root'), 'strict');
  const outcome = path.join(place, 'history.json');
  await promisify(execFile)(process.execPath, [script, watched, outcome, Buffer.from(key).toString('hex')]);
  return JSON.parse(fs.readFileSync(outcome, 'utf8')) as DiskHistory;
}

/** At each change of a name, which is what is in order here, a kill, and the disks that a power loss may leave. */
function losses({ entries }: DiskHistory, seeds: number): Loss[] {
  const start = entries.findIndex(({ type }) => type === 'prepared');
  const moments = entries.flatMap((entry, index) => (index > start && (entry.type === 'acknowledged' || (entry.type === 'name' && !(Number(entry.half) > index))) ? [index + 1] : []));
  return moments.flatMap((length) => [killed, ...fates(length, seeds)].map((fate) => ({ length, fate })));
}

const isLast = ({ entries }: DiskHistory, { length }: Loss): boolean => length === entries.length;

/** What is wrong with a disk that is left: all is there, it can be ended, and nothing is plain then. Null: nothing. */
async function faultAfter(history: DiskHistory, { length, fate }: Loss): Promise<string | null> {
  const place = temporaryDirectory();
  restore(imageOf(history, length, fate), place);
  const root = path.join(place, 'root');
  try {
    if (length < history.entries.length) {
      const fault = await wrongIn(root, 'migrate');
      if (fault !== null) return fault;
      await encryptAll(root);
    }
    return plainIn(root) ?? (await wrongIn(root));
  } catch (error) {
    return `it cannot be ended: ${String(error)}`;
  } finally {
    fs.rmSync(place, { recursive: true });
  }
}

async function faultsAfter(history: DiskHistory, chosen: readonly Loss[]): Promise<string[]> {
  const faults: string[] = [];
  for (const loss of chosen) {
    const fault = await faultAfter(history, loss);
    if (fault !== null) faults.push(`${loss.length} of ${history.entries.length}, ${loss.fate.label}: ${fault}`);
  }
  return faults;
}

test('killed or without power at any time while coordinators are encrypted, they have all, it can be ended, and nothing is plain then', { timeout: 3_600_000 }, async () => {
  const history = await record(await bundleFixture(fixture));
  const all = losses(history, 2);
  const step = asked === 'all' ? 1 : Math.max(1, Math.floor(all.length / SOME));
  const chosen = all.filter((loss, index) => index % step === 0 || isLast(history, loss));
  const faults = await faultsAfter(history, chosen);
  if (asked !== undefined) console.log(`${chosen.length} of ${all.length} disks, ${faults.length} faults`);
  expect(faults).toEqual([]);
});

/** What may be lost with the power right after, where something is not on the disk before what it stands for goes. */
const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'journals go before the next ones are on the disk', fault: 'something cannot be read|something is lost', file: 'disk/journal/candidate.ts', from: '      fsync(descriptor, this.path);\n      syncDirectory(dirname(this.path));\n', to: '' },
  { what: 'the index of alarms from before may come back', fault: 'the index of alarms is plain', file: 'disk/coordinator/alarm-index.ts', from: '    syncDirectory(this.#journal.directory);\n', to: '' },
  { what: 'a long name is in its place before it is on the disk', fault: 'a name is lost', file: 'disk/coordinator/move-coordinator.ts', from: '    syncPath(draft);\n', to: '' },
];

/** Power is lost when the directory of a class has gone, and the disk has kept one of the names of which it has promised nothing. */
function oneNameKept({ entries }: DiskHistory, which: number): Loss {
  let seen = 0;
  const names = (possible: number): number => (possible > 0 && seen++ === which ? possible : 0);
  return { length: 1 + entries.findLastIndex((entry) => entry.type === 'name' && entry.name === CLASS && entry.inode === null), fate: { label: `none but name ${which}`, names, data: () => 'kept' } };
}

/** Where a name that the disk keeps means nothing without another. */
const paired: readonly Mutant[] = [
  { what: 'one goes into a class that the disk does not know yet', file: 'disk/coordinator/move-coordinator.ts', from: '    syncPath(path.dirname(path.dirname(to)));\n', to: '' },
  { what: 'a class goes before the disk knows that its last one has moved', file: 'disk/coordinator/move-coordinator.ts', from: '    syncPath(directory);\n', to: '' },
];

test.each(paired)('it would be noticed if $what', { timeout: 300_000 }, async (mutant) => {
  const script = await bundleMutant(fixture, mutant);
  const history = await record(script);
  fs.rmSync(script);
  const faults: string[] = [];
  for (let which = 0; which < 12 && faults.length === 0; which += 1) faults.push(...(await faultsAfter(history, [oneNameKept(history, which)])));
  expect(faults.join('\n')).toMatch(/a name is lost/);
});

test.each(mutants)('it would be noticed if $what', { timeout: 300_000 }, async ({ fault, ...mutant }) => {
  const script = await bundleMutant(fixture, mutant);
  const history = await record(script);
  fs.rmSync(script);
  expect((await faultsAfter(history, losses(history, 0).filter((loss) => isLast(history, loss)))).join('\n')).toMatch(new RegExp(fault));
});
