import fs from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import '../../src/host/indexed-db/provided.ts';
import { AlarmIndex } from '../../src/disk/coordinator/alarm-index.ts';
import { CoordinatorPlace } from '../../src/disk/coordinator/coordinator-place.ts';
import { OwnedJournal } from '../../src/disk/coordinator/owned-journal.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { Stub } from '../../src/host/coordinator/index.ts';
import type { Durability } from '../../src/disk/root/durable.ts';
import { ownerOf, StorageHost } from '../../src/host/storage-host.ts';
import { Keeper } from './coordinators.ts';
import { CANARY, key, ORIGIN } from './operator.ts';
import { treeHas } from './support.ts';

/** A class, and two coordinators of it: one has a name that no directory takes. */
export const CLASS = CANARY;
export const NAMES = [CANARY, CANARY.repeat(15)] as const;

const [ITEM, FILE] = [`${CANARY} item`, `${CANARY} file`];
const TEXT = `${CANARY} text `.repeat(300);
const ALARM = 8e12;

/** A call that has changed something, and what became of it. */
const CALL = { caller: 7, number: 3 };
const FATE = { kind: 'value', bytes: new TextEncoder().encode(CANARY) } as const;

const stubOf = (coordinators: Coordinators, name: string): Stub<Keeper> => coordinators.get(ORIGIN, CLASS, name) as unknown as Stub<Keeper>;

async function using<T>(host: StorageHost, body: (host: StorageHost) => Promise<T>): Promise<T> {
  try {
    return await body(host);
  } finally {
    await host.close();
  }
}

/** A plain root with coordinators that have all that one can have, and whom nobody runs. */
export async function fillCoordinators(root: string, durability: Durability = 'relaxed'): Promise<void> {
  await using(new StorageHost({ root, durability }), async (host) => {
    const coordinators = new Coordinators(host, { [CLASS]: Keeper });
    for (const name of NAMES) {
      const keeper = stubOf(coordinators, name);
      await keeper.set(ITEM, TEXT);
      await keeper.writeFile(FILE, TEXT);
      await keeper.setAlarm(ALARM);
    }
    await coordinators.close();
    for (const name of NAMES) rememberCall(host, name, durability);
  });
}

function rememberCall(host: StorageHost, name: string, durability: Durability): void {
  const journal = journalOf(host, name, durability);
  journal.look();
  journal.claim('nobody');
  journal.settle({ steps: [], alarm: undefined, got: [], begun: [], ended: [{ ...CALL, fate: FATE }] });
  journal.leave();
  journal.close();
}

function journalOf(host: StorageHost, name: string, durability: Durability = 'relaxed'): OwnedJournal {
  return new OwnedJournal(new CoordinatorPlace(ownerOf(host).root, { origin: ORIGIN, className: CLASS, name }), { durability, quota: Infinity });
}

/** What a root has of it in clear: in the index of alarms, or elsewhere. Null: nothing. */
export function plainIn(root: string): string | null {
  const found = treeHas(root, CANARY);
  if (found.length === 0) return null;
  return found.every((name) => name.startsWith('coordinators/')) ? 'the index of alarms is plain' : 'plain';
}

/** What the product finds wrong with what a root has of it, given the key; null: nothing. */
export async function wrongIn(root: string, plain: 'migrate' | 'refuse' = 'refuse'): Promise<string | null> {
  forgetLock(root);
  try {
    return await using(new StorageHost({ root, durability: 'relaxed', encryption: { key, plain } }), async (host) => (await wrongNames(host)) ?? wrongAlarms(host) ?? wrongContents(host, plain));
  } catch (error) {
    return `something cannot be read: ${String(error)}`;
  }
}

/** As if whoever had it had been dead for a while. */
function forgetLock(root: string): void {
  const lock = `${root}/maintenance.lock`;
  if (fs.existsSync(lock)) fs.utimesSync(lock, 0, 0);
}

async function wrongNames(host: StorageHost): Promise<string | null> {
  const coordinators = new Coordinators(host, {});
  const found: (string | null)[] = [];
  for await (const { className, name } of coordinators.list({ origin: ORIGIN })) if (className === CLASS) found.push(name);
  await coordinators.close();
  return isDeepStrictEqual(found.sort(), [...NAMES].sort()) ? null : 'a name is lost';
}

function wrongAlarms(host: StorageHost): string | null {
  const index = new AlarmIndex(ownerOf(host).root);
  try {
    index.look();
    const found = new Set(index.due(Infinity).map(({ name }) => name));
    return NAMES.every((name) => found.has(name)) ? null : 'an alarm is lost';
  } finally {
    index.close();
  }
}

async function wrongContents(host: StorageHost, plain: 'migrate' | 'refuse'): Promise<string | null> {
  const coordinators = new Coordinators(host, { [CLASS]: Keeper });
  try {
    for (const name of NAMES) {
      const keeper = stubOf(coordinators, name);
      const found = [await keeper.get(ITEM), await keeper.readFile(FILE), await keeper.getAlarm()];
      if (!isDeepStrictEqual(found, [TEXT, TEXT, ALARM])) return 'something is lost';
    }
  } finally {
    await coordinators.close();
  }
  // They have moved by now, with `plain` 'migrate' too.
  for (const name of NAMES) if (!knowsCall(host, name)) return `what became of a call is not known, with plain ${plain}`;
  return null;
}

function knowsCall(host: StorageHost, name: string): boolean {
  const journal = journalOf(host, name);
  try {
    journal.look();
    return isDeepStrictEqual(journal.ledger.fate(CALL), FATE);
  } finally {
    journal.close();
  }
}

/** Has the product encrypt what a root has. @throws as `encrypt()` */
export async function encryptAll(root: string): Promise<void> {
  forgetLock(root);
  await using(new StorageHost({ root, durability: 'relaxed', encryption: { key, plain: 'migrate' } }), (host) => host.encrypt(ORIGIN));
}
