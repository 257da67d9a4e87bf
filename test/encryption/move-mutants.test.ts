import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { some } from '../support/thorough.ts';
import type * as Product from './move.product.ts';
import * as product from './move.product.ts';
import { CANARY, codeOf, contentOf, fill, fillDatabase, key, ORIGIN, otherKey, recordOf } from './operator.ts';
import { idsIn, snapshotOf, treeHas } from './support.ts';
import { DONE, Trial as TrialOf, using } from './trial.ts';

type Variant = Pick<typeof Product, 'StorageHost'>;

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-move-'));
let content: unknown;

/** A root that is plain, with everything, and one that was. */
beforeAll(async () => {
  const [plain, encrypted] = [path.join(home, 'plain'), path.join(home, 'encrypted')];
  content = await using(new product.StorageHost({ root: plain }), async (host) => {
    const client = host.origin(ORIGIN);
    await fill(client, 'before');
    await fillDatabase(client);
    for (let round = 0; round < 3; round += 1) client.localStorage.setItem(CANARY, `${CANARY} ${round}`.repeat(20_000));
    client.localStorage.setItem(CANARY, CANARY);
    return contentOf(client);
  });
  fs.cpSync(plain, encrypted, { recursive: true });
  await using(new product.StorageHost({ root: encrypted, encryption: { key, plain: 'migrate' } }), (host) => host.encrypt(ORIGIN));
  return () => fs.rmSync(home, { recursive: true });
});

/** A copy of it, and what the variant and the product have of it. */
class Trial extends TrialOf<Variant> {
  constructor(variant: Variant, of: 'plain' | 'encrypted') {
    super(variant, path.join(home, of));
  }

  /** Whether the product finds all that was there. */
  async isWhole(): Promise<boolean> {
    return using(new product.StorageHost({ root: this.root, encryption: { key } }), async (host) => {
      const client = host.origin(ORIGIN);
      return isDeepStrictEqual(await contentOf(client), content) && isDeepStrictEqual(await recordOf(client), [CANARY, CANARY.repeat(1_000)]);
    }).catch(() => false);
  }
}

/** The first thing that is wrong with what a variant does; null: nothing is. */
const faults = {
  encrypting: encryptionFault,
  opening: keyFault,
  rotating: rotationFault,
} as const;

async function encryptionFault(variant: Variant): Promise<string | null> {
  const trial = new Trial(variant, 'plain');
  const left = trial.within('default/swap/notes');
  fs.writeFileSync(left, CANARY);
  if ((await trial.encrypt()) === DONE) return 'it ends while something is plain';
  fs.rmSync(left);
  if ((await trial.encrypt()) !== DONE) return 'it does not end';
  if (treeHas(trial.root, CANARY).length > 0) return 'plain';
  return (await trial.isWhole()) ? null : 'something is lost';
}

async function keyFault({ StorageHost }: Variant): Promise<string | null> {
  const { root } = new Trial(product, 'encrypted');
  const before = snapshotOf(root);
  const code = await codeOf(using(new StorageHost({ root, encryption: { key: otherKey } }), async (host) => host.origin(ORIGIN).localStorage.length));
  return code === 'key-wrong' && isDeepStrictEqual(snapshotOf(root), before) ? null : 'another key is not called wrong';
}

async function rotationFault(variant: Variant): Promise<string | null> {
  const trial = new Trial(variant, 'encrypted');
  const files = trial.within('default/files.0');
  const [name = ''] = fs.readdirSync(files).filter((each) => fs.statSync(path.join(files, each)).size > 1_000);
  // Nobody can read its name, so nobody rewrites it.
  fs.cpSync(path.join(files, name), path.join(files, 'nobody'));
  if ((await trial.rotate()) !== DONE || (await trial.rotate()) !== DONE) return 'it does not rotate';
  if (!isDeepStrictEqual(idsIn(trial.root), [1, 3])) return 'a key is forgotten that a file bears';
  fs.rmSync(path.join(files, 'nobody'));
  fs.writeFileSync(trial.within('default/unfinished'), '');
  if ((await trial.rotate()) === DONE || idsIn(trial.root).length < 3) return 'a key is forgotten that a file may get';
  fs.rmSync(trial.within('default/unfinished'));
  if ((await trial.rotate()) !== DONE || !isDeepStrictEqual(idsIn(trial.root), [5])) return 'keys are not forgotten';
  return (await trial.isWhole()) ? null : 'something is lost by rotation';
}

const vault = 'host/encryption/vault.ts';
const mutants: readonly (Mutant & { readonly while: keyof typeof faults; readonly fault: string })[] = [
  { what: 'older generations are kept', while: 'encrypting', fault: 'it does not end', file: 'host/operations/move-journals.ts', from: "name === 'local-storage' && !isPurged ?", to: "name === 'local-storage' && keys !== undefined ?" },
  { what: 'files are not rewritten', while: 'encrypting', fault: 'it does not end', file: 'host/operations/rewrite-files.ts', from: '    await system.tree.renew(locator);\n', to: '' },
  { what: 'names are not rewritten', while: 'encrypting', fault: 'it does not end', file: 'host/operations/rewrite-files.ts', from: '    system.tree.respell(locator);\n    return { changed: false, value: undefined };\n  });\n}\n\n/**', to: '    return { changed: false, value: undefined };\n  });\n}\n\n/**' },
  { what: 'a temporary file is plain', while: 'encrypting', fault: 'it does not end', file: 'disk/tree/swap.ts', from: 'sealing && (() => sealing.draft(descriptor, path, form))', to: 'sealing && undefined' },
  { what: 'it ends although something is plain', while: 'encrypting', fault: 'it ends while something is plain', file: vault, from: 'if (left.length === 0 && this.keys.isMigrating) this.#settle((keys) => keys.migrated());\n    return left;', to: 'if (this.keys.isMigrating) this.#settle((keys) => keys.migrated());\n    return [];' },
  { what: 'keys that files bear are forgotten', while: 'rotating', fault: 'a key is forgotten that a file bears', file: 'disk/encryption/origin-keys.ts', from: 'id === this.activeId || ids.has(id)', to: 'id === this.activeId || ids.has(-id)' },
  { what: 'keys are forgotten while files are unfinished', while: 'rotating', fault: 'a key is forgotten that a file may get', file: vault, from: 'if (left.length === 0 && this.keys.ids.some(', to: 'if (left.length >= 0 && this.keys.ids.some(' },
  { what: 'keys are never forgotten', while: 'rotating', fault: 'keys are not forgotten', file: vault, from: '!ids.has(id) && id !== this.keys.activeId', to: 'ids.has(id) && id !== this.keys.activeId' },
  { what: 'the check value is skipped', while: 'opening', fault: 'another key is not called wrong', file: 'host/encryption/open-keys.ts', from: 'rootKeys.all.find((each) => isKeyOf(each, file, origin))', to: 'rootKeys.all.find((each) => isKeyOf(each, file, origin) || each !== undefined)' },
];

test.each(Object.entries(faults))('the product itself has no fault while %s', async (_, faultOf) => {
  expect(await faultOf(product)).toBeNull();
});

test.each(some(mutants, 'move'))('it would be noticed while $while if $what', async ({ while: work, fault, ...mutant }) => {
  expect(await faults[work](await loadMutant<typeof Product>(new URL('move.product.ts', import.meta.url), mutant))).toBe(fault);
});
