import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import type { Stub } from '../../src/host/coordinator/index.ts';
import { tracesIn } from '../../src/disk/encryption/traces.ts';
import { handleCalls, isWrite } from '../crash/support/fault-layer.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import { some } from '../support/thorough.ts';
import type { Keeper } from './coordinators.ts';
import type * as Product from './coordinators-move.product.ts';
import * as product from './coordinators-move.product.ts';
import { CLASS, encryptAll, fillCoordinators, NAMES, plainIn, wrongIn } from './coordinators-moved.ts';
import { codeOf, key, ORIGIN } from './operator.ts';
import { idsIn } from './support.ts';
import { DONE, Trial as TrialOf } from './trial.ts';

type Variant = typeof Product;
type Host = InstanceType<Variant['StorageHost']>;

const home = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-move-'));

/** A root that is plain, with coordinators that nobody runs, and one that was. */
beforeAll(async () => {
  const [plain, encrypted] = [path.join(home, 'plain'), path.join(home, 'encrypted')];
  await fillCoordinators(plain);
  fs.cpSync(plain, encrypted, { recursive: true });
  await encryptAll(encrypted);
  return () => fs.rmSync(home, { recursive: true });
}, 300_000);

/** A copy of it, and what the variant does with it. */
class Trial extends TrialOf<Variant> {
  constructor(variant: Variant, of: 'plain' | 'encrypted') {
    super(variant, path.join(home, of));
  }

  /** Calls each coordinator once. */
  wake(): Promise<string> {
    return this.run(async (host) => {
      const coordinators = new this.variant.Coordinators(host, { [CLASS]: this.variant.Keeper });
      try {
        for (const name of NAMES) await (coordinators.get(ORIGIN, CLASS, name) as unknown as Keeper).count();
      } finally {
        await coordinators.close();
      }
    }, 'migrate');
  }
}

/** The coordinators whose alarms the product finds in a host's root. */
function alarmsOf(host: InstanceType<typeof product.StorageHost>): string[] {
  const index = new product.AlarmIndex(product.ownerOf(host).root);
  try {
    index.look();
    return index.due(Infinity).map(({ name }) => name);
  } finally {
    index.close();
  }
}

/** The first thing that is wrong with what a variant does; null: nothing is. */
const faults = { encrypting: encryptionFault, renaming: renamingFault, waking: wakingFault, leaving: leavingFault, forgetting: forgettingFault } as const;

async function encryptionFault(variant: Variant): Promise<string | null> {
  const trial = new Trial(variant, 'plain');
  if ((await trial.encrypt()) !== DONE) return 'it does not end';
  return plainIn(trial.root) ?? wrongIn(trial.root);
}

/** Killed at any write while the alarms of an origin that is encrypted now are renamed, each is known still. */
async function renamingFault(variant: Variant): Promise<string | null> {
  for (let writes = 0, isDone = false; !isDone; writes += 1) {
    const trial = new Trial(product, 'plain');
    // It has keys from now on.
    await trial.run(async (each) => each.origin(ORIGIN).localStorage.setItem('k', 'v'), 'migrate');
    const host = new variant.StorageHost({ root: trial.root, encryption: { key, plain: 'migrate' } });
    isDone = renamesWithin(variant, host, writes);
    await host.close();
    const after = new product.StorageHost({ root: trial.root, encryption: { key, plain: 'migrate' } });
    const found = new Set(alarmsOf(after));
    await after.close();
    if (!NAMES.every((name) => found.has(name))) return 'an alarm is lost';
  }
  return null;
}

/** Whether it is done after so many writes; each one more is refused. */
function renamesWithin({ AlarmIndex, ownerOf }: Variant, host: Host, writes: number): boolean {
  const index = new AlarmIndex(ownerOf(host).root);
  let count = 0;
  handleCalls(path.join(host.root, 'coordinators'), { before: (call) => (isWrite(call) && (count += 1) > writes ? { code: 'EIO', late: false } : undefined) });
  try {
    index.rename(ORIGIN);
    return true;
  } catch {
    return false;
  } finally {
    handleCalls('', null);
    index.close();
  }
}

/** Whoever runs one with the key encrypts it first; what all have in common stays for `encrypt()`. */
async function wakingFault(variant: Variant): Promise<string | null> {
  const trial = new Trial(variant, 'plain');
  if ((await trial.wake()) !== DONE) return 'it does not wake';
  const all = trial.within('coordinators');
  const directories = fs.readdirSync(all).flatMap((each) => fs.readdirSync(path.join(all, each)).map((name) => path.join(all, each, name)));
  if (directories.some((each) => tracesIn(path.join(each, 'turns')).plain.length > 0)) return 'its turns are plain';
  if (fs.existsSync(path.join(all, CLASS))) return fs.readdirSync(path.join(all, CLASS)).length > 0 ? 'a name is plain' : 'a class is plain';
  return wrongIn(trial.root, 'migrate');
}

/** One that somebody runs without the key stays his. */
async function leavingFault(variant: Variant): Promise<string | null> {
  const trial = new Trial(variant, 'plain');
  const host = new product.StorageHost({ root: trial.root });
  const coordinators = new product.Coordinators(host, { [CLASS]: product.Keeper });
  const keeper = coordinators.get(ORIGIN, CLASS, NAMES[0]) as unknown as Stub<Keeper>;
  try {
    await keeper.writeFile('its own', 'before');
    if ((await trial.encrypt()) !== 'root-busy') return 'it ends while somebody runs one without the key';
    if (!alarmsOf(host).includes(NAMES[0])) return 'its alarm is not found without the key';
    if ((await codeOf(Promise.resolve(keeper.count()))) !== DONE) return 'it is taken from its owner';
    if ((await codeOf(Promise.resolve(keeper.readFile('its own')))) !== DONE) return 'its files are taken from its owner';
  } finally {
    await coordinators.close();
    await host.close();
  }
  if ((await trial.encrypt()) !== DONE) return 'it does not end';
  return plainIn(trial.root) ?? wrongIn(trial.root);
}

/** No key is forgotten that a coordinator bears, or one that somebody is about to put where it goes; each other one is. */
async function forgettingFault(variant: Variant): Promise<string | null> {
  const trial = new Trial(variant, 'encrypted');
  const all = trial.within('coordinators');
  const [className = ''] = fs.readdirSync(all);
  const [name = ''] = fs.readdirSync(path.join(all, className));
  const draft = path.join(trial.root, 'new/8d6b1bb2-6f0a-4c53-9c08-0c1f4a1f6e55');
  fs.cpSync(path.join(all, className, name), draft, { recursive: true });
  if ((await trial.rotate()) !== DONE) return 'it does not rotate';
  if (!idsIn(trial.root).includes(1)) return 'the key of a draft is forgotten';
  fs.rmSync(draft, { recursive: true });
  if ((await trial.rotate()) !== DONE || idsIn(trial.root).length > 1) return 'keys are not forgotten';
  return plainIn(trial.root) ?? wrongIn(trial.root);
}

const operator = 'host/operations/coordinators.ts';
const index = 'disk/coordinator/alarm-index.ts';
const mover = 'disk/coordinator/move-coordinator.ts';
const mutants: readonly (Mutant & { readonly while: keyof typeof faults; readonly fault: string })[] = [
  { what: 'the index of alarms keeps its plain rows', while: 'encrypting', fault: 'the index of alarms is plain', file: index, from: '    for (const key of this.#machine.readableOf(origin)) this.#rename(key);\n', to: '' },
  { what: 'the index of alarms keeps its history', while: 'encrypting', fault: 'the index of alarms is plain', file: index, from: '    leaveHistory(this.#journal);\n', to: '' },
  { what: 'the index of alarms has them under both names', while: 'encrypting', fault: 'the index of alarms is plain', file: index, from: '      this.#append(FORGET, before);\n', to: '' },
  { what: 'the index of alarms has them under no name', while: 'encrypting', fault: 'an alarm is lost', file: index, from: '      this.#append(NOTE, { ...before, key: named });\n', to: '' },
  { what: 'an alarm goes before it is called as it will be', while: 'renaming', fault: 'an alarm is lost', file: index, from: '      this.#append(NOTE, { ...before, key: named });\n      this.#append(FORGET, before);\n', to: '      this.#append(FORGET, before);\n      this.#append(NOTE, { ...before, key: named });\n' },
  { what: 'what became of calls is not carried over', while: 'encrypting', fault: 'what became of a call is not known, with plain refuse', file: mover, from: 'new Journal(directory, new OwnedMachine(), {', to: 'new Journal(directory, Object.defineProperty(new OwnedMachine(), "ledger", { value: Object.assign(Object.create(new OwnedMachine().ledger), { records: () => [], restore() {}, begin() {}, end() {}, acknowledge() {}, clear() {} }) }), {' },
  { what: 'alarms are not carried over', while: 'encrypting', fault: 'something is lost', file: 'disk/coordinator/owned-machine.ts', from: 'payload: encodeState(this) }', to: 'payload: encodeState({ epoch: this.epoch, owner: this.owner, alarm: null }) }' },
  { what: 'a long name stays beside its journal', while: 'encrypting', fault: 'it does not end', file: mover, from: '  respell(move);\n', to: '' },
  { what: 'a class keeps its directory', while: 'encrypting', fault: 'it does not end', file: mover, from: '    fs.rmdirSync(directory);\n', to: '' },
  { what: 'coordinators stay where they are', while: 'encrypting', fault: 'it does not end', file: operator, from: '  place.move();\n', to: '' },
  { what: 'files of coordinators are not rewritten', while: 'encrypting', fault: 'it does not end', file: 'host/operations/operations.ts', from: ', ...(await rewriteCoordinators(host, this.#root, origin, vault))', to: '' },
  { what: 'whoever wakes one leaves it under its name', while: 'waking', fault: 'a name is plain', file: 'disk/coordinator/keyed-journal.ts', from: 'place !== null && place.unmoved !== null', to: 'place !== null && place.path === this.#root.path' },
  { what: 'one that is live is taken', while: 'leaving', fault: 'it ends while somebody runs one without the key', file: operator, from: 'owner !== null && live.has(owner.address)', to: 'owner !== null && live.has(typeof owner.address)' },
  { what: 'the turns of one that is live are moved', while: 'leaving', fault: 'it is taken from its owner', file: operator, from: 'each.keys !== undefined && !isLeft(each.path, vault)', to: 'each.keys !== undefined' },
  { what: 'the files of one that is live are moved', while: 'leaving', fault: 'its files are taken from its owner', file: operator, from: 'isDirectory(storage) && !isLeft(directory, vault) ?', to: 'isDirectory(storage) ?' },
  { what: 'the alarm of one that is live is renamed', while: 'leaving', fault: 'its alarm is not found without the key', file: operator, from: '  if (!isLeft) renameAlarms(root, origin);', to: '  renameAlarms(root, isLeft ? origin : origin);' },
  { what: 'the keys of drafts are forgotten', while: 'forgetting', fault: 'the key of a draft is forgotten', file: 'host/encryption/vault.ts', from: 'tracesIn(this.directory, made)', to: 'tracesIn(this.directory, [...made].slice(made.size))' },
  { what: 'coordinators keep their keys', while: 'forgetting', fault: 'keys are not forgotten', file: 'host/operations/operations.ts', from: '    await moveCoordinators(this.#root, origin, vault, isPurged);\n', to: '' },
];

test.each(Object.entries(faults))('the product itself has no fault while %s', async (_, faultOf) => {
  expect(await faultOf(product)).toBeNull();
});

test.each(some(mutants, 'coordinators-move'))('it would be noticed while $while if $what', async ({ while: work, fault, ...mutant }) => {
  expect(await faults[work](await loadMutant<typeof Product>(new URL('coordinators-move.product.ts', import.meta.url), mutant))).toBe(fault);
});
