import fs from 'node:fs';
import { expect, test } from 'vitest';
import { bundleFixture } from '../support/bundle.ts';
import { bundleMutant, type Mutant } from '../support/mutant.ts';
import { some } from '../support/thorough.ts';
import { CANARY } from './operator.ts';
import { faultAfter, lastLosses, lossesWhen, record, type Loss, type Record } from './power-loss.ts';

/** What may be lost with the power right after an origin was encrypted, where something is not synced in time. */
const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'files are not', fault: 'it cannot be read|another content', file: 'disk/tree/file-tree.ts', from: '    if (this.#isStrict || times !== undefined) await swap.sync();\n', to: '' },
  { what: 'responses are not', fault: 'it cannot be read|another content', file: 'disk/caches/response-files.ts', from: '      await copy.sync();\n', to: '' },
  { what: 'names are not', fault: 'plain: |it cannot be read|another content', file: 'host/encryption/vault.ts', from: '    syncDirectories(this.directory);\n', to: '' },
];

const fixture = new URL('power-loss.fixture.ts', import.meta.url);

async function recordOf(script: string): Promise<Record> {
  return record(script, { work: 'encrypt', rounds: 0, durability: 'relaxed' });
}

async function faultsAfter(recorded: Record, chosen: readonly Loss[]): Promise<string> {
  const faults: (string | null)[] = [];
  for (const loss of chosen) faults.push(await faultAfter(recorded, loss));
  return faults.filter((fault) => fault !== null).join('\n');
}

test.each(some(mutants, 'power', 1))('it would be noticed if $what on the disk before plain is refused', { timeout: 300_000 }, async ({ fault, ...mutant }) => {
  const script = await bundleMutant(fixture, mutant);
  const recorded = await recordOf(script);
  fs.rmSync(script);
  expect(await faultsAfter(recorded, lastLosses(recorded, 0))).toMatch(new RegExp(fault));
});

/** What may be lost by a kill, or with the power, at the moment when a plain database goes: what is in order before that. */
const whenPlainGoes = (recorded: Record): Loss[] => lossesWhen(recorded, `${CANARY}-database`, 8);

const lost = 'it cannot be read|another record|it cannot be ended';
const databases = 'disk/records/databases.ts';
const ordered: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'it goes before the encrypted one has its place', fault: lost, file: databases, from: '        fs.renameSync(draft, home);\n        syncPath(this.#path);\n      });\n    }\n', to: '        await this.#deleteNow(before);\n        fs.renameSync(draft, home);\n        syncPath(this.#path);\n      });\n      return;\n    }\n' },
  { what: 'it goes before the disk knows the place of the encrypted one', fault: lost, file: databases, from: '        syncPath(this.#path);\n      });\n', to: '      });\n' },
  { what: 'it goes before the disk has the encrypted one', fault: lost, file: 'disk/records/renewal.ts', from: '  syncTree(draft);\n', to: '' },
];

test('whoever is killed, or loses power, when a plain database goes has the encrypted one', { timeout: 300_000 }, async () => {
  const recorded = await recordOf(await bundleFixture(fixture));
  expect(await faultsAfter(recorded, whenPlainGoes(recorded))).toBe('');
});

test.each(some(ordered, 'order', 1))('it would be noticed if of a plain database $what', { timeout: 300_000 }, async ({ fault, ...mutant }) => {
  const script = await bundleMutant(fixture, mutant);
  const recorded = await recordOf(script);
  fs.rmSync(script);
  expect(await faultsAfter(recorded, whenPlainGoes(recorded))).toMatch(new RegExp(fault));
});
