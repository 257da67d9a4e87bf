import { Seal } from '../../../src/sync/sealed/seal.ts';
import { splitWitness } from '../../../src/sync/sealed/history.ts';
import { SealedLog } from '../../../src/sync/sealed/sealed-log.ts';
import { FIRST_SEALED_VERSION } from '../../../src/sync/sealed-version.ts';
import { testKeys } from '../../support/sealed.ts';
import { HEALTHY } from './mutants.ts';
import type { Mutant } from './mutants.ts';

const NAME = 'a log';
const keys = testKeys();
const shared = { known: keys, open: () => Promise.resolve(keys), refresh: () => Promise.resolve(keys), name: () => Promise.resolve('') };
const seal = new Seal(NAME);
const opened = new WeakMap<Uint8Array, Uint8Array>();

/** What sealing adds to an entry, at most. */
export const SEALED_ROOM = 64;

/** As HEALTHY, with everything encrypted that comes to the hub. */
export const SEALED: Mutant = {
  ...HEALTHY,
  log: (log) => new SealedLog({ keys: shared, name: NAME, hubName: 'simulated', logOf: () => log, onDiscord: () => undefined }),
};

export function isSealed([version = 0]: Uint8Array): boolean {
  return version >= FIRST_SEALED_VERSION;
}

/** An entry as regions have it. */
export function plainEntry(bytes: Uint8Array): Uint8Array {
  if (!isSealed(bytes)) return bytes;
  let plain = opened.get(bytes);
  if (plain === undefined) opened.set(bytes, (plain = splitWitness(open(bytes, 'entry')).bytes));
  return plain;
}

/** What regions have of a blob that an encrypted entry names. */
export function openedBlob(bytes: Uint8Array): Uint8Array {
  return open(bytes, 'blob');
}

function open(bytes: Uint8Array, kind: 'entry' | 'blob'): Uint8Array {
  const plain = seal.open(bytes, [kind], keys, keys.activeId);
  if (plain === null) throw new Error(`The hub has ${kind === 'entry' ? 'an entry' : 'a blob'} that does not open.`);
  return plain;
}
