import fs from 'node:fs';
import { expect, test } from 'vitest';
import { bundleMutant, type Mutant } from '../support/mutant.ts';
import { faultAfter, lastLosses, record } from './power-loss.ts';

/** What may be lost with the power right after an origin was encrypted, where something is not synced in time. */
const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'files are not', fault: 'it cannot be read|another content', file: 'disk/tree/file-tree.ts', from: '    if (this.#isStrict || times !== undefined) await swap.sync();\n', to: '' },
  { what: 'responses are not', fault: 'it cannot be read|another content', file: 'disk/caches/response-files.ts', from: '      await copy.sync();\n', to: '' },
  { what: 'names are not', fault: 'plain: |it cannot be read|another content', file: 'host/encryption/vault.ts', from: '    syncDirectories(this.directory);\n', to: '' },
];

test.each(mutants)('it would be noticed if $what on the disk before plain is refused', async ({ fault, ...mutant }) => {
  const fixture = await bundleMutant(new URL('power-loss.fixture.ts', import.meta.url), mutant);
  const recorded = await record(fixture, { work: 'encrypt', rounds: 0, durability: 'relaxed' });
  fs.rmSync(fixture);
  const faults: (string | null)[] = [];
  for (const loss of lastLosses(recorded, 0)) faults.push(await faultAfter(recorded, loss));
  expect(faults.join('\n')).toMatch(new RegExp(fault));
});
