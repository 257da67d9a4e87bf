import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { crc32 } from '../../src/disk/journal/checksum.ts';
import { HEADER_BYTES, TRAILER_BYTES } from '../../src/disk/journal/frame.ts';
import type { Stub } from '../../src/host/coordinator/index.ts';
import type { StorageHost } from '../../src/host/storage-host.ts';
import { loadMutant, type Mutant } from '../support/mutant.ts';
import type * as Product from './coordinators.product.ts';
import * as product from './coordinators.product.ts';
import { Canaries, key, newRoot, open, ORIGIN, within } from './parts.ts';
import { codeOfCause } from './support.ts';

type Variant = Pick<typeof Product, 'Coordinators' | 'StorageHost' | 'Keeper'>;
type Keeper = InstanceType<(typeof Product)['Keeper']>;

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

/** Coordinators of one class on a root, until they are closed. */
function using({ Coordinators, StorageHost, Keeper }: Variant, root: string, className = 'Keeper'): { keeper(name: string): Stub<Keeper>; close(): Promise<void> } {
  const host = new StorageHost({ root, encryption: { key } });
  const coordinators = new Coordinators(host, { [className]: Keeper });
  const close = (): Promise<void> => coordinators.close().then(() => host.close());
  closing.push(close);
  return { keeper: (name) => coordinators.get(ORIGIN, className, name) as unknown as Stub<Keeper>, close };
}

/** The directories of an origin's coordinators. */
function directories(root: string): string[] {
  const all = within(root, 'coordinators');
  return fs.readdirSync(all).flatMap((each) => fs.readdirSync(path.join(all, each)).map((name) => path.join(all, each, name)));
}

/** The newest generation of the only coordinator's journal. */
function turnsIn(directory: string): string {
  const numbers = fs.readdirSync(path.join(directory, 'turns')).map(Number).filter((number) => !Number.isNaN(number));
  return path.join(directory, 'turns', String(Math.max(...numbers)));
}

test('no byte of a coordinator\'s turns can be changed, with all checksums repaired', async () => {
  const root = newRoot();
  const { keeper, close } = using(product, root);
  await keeper('a').set('k', 'first');
  await keeper('a').set('k', 'other');
  await close();
  const file = turnsIn(directories(root)[0] ?? '');
  const whole = fs.readFileSync(file);
  const magic = whole.subarray(16, 32);
  const frames: [number, number][] = [];
  for (let at = whole.indexOf(magic, 36); at >= 0; ) {
    const next = whole.indexOf(magic, at + 1);
    frames.push([at, next < 0 ? whole.length : next]);
    at = next;
  }
  // Of the snapshot its two frames, then OWN, two turns, LEAVE.
  expect(frames.length).toBeGreaterThanOrEqual(5);
  const seen = new Set<unknown>();
  const host = open(root);
  let changes = 0;
  for (const [start, end] of frames) {
    for (let at = start + 16; at < end - TRAILER_BYTES; at += 1) {
      const bytes = Buffer.from(whole);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (at % 8));
      const header = crc32(bytes, start + 16, start + 40);
      bytes.writeUInt32LE(header, start + 40);
      bytes.writeUInt32LE(crc32(bytes, start + HEADER_BYTES, end - TRAILER_BYTES, header), end - TRAILER_BYTES);
      seen.add(read(host, file, bytes));
      changes += 1;
    }
  }
  expect(changes).toBeGreaterThan(300);
  // A length that is wrong is a torn write: what follows is there, and the turn is not.
  expect([...seen].filter((each) => !['journal-damaged', 'first', 'other', null].includes(each as string))).toEqual([]);
  expect(seen).toContain('journal-damaged');
});

/** What the journal says with these bytes: a value, or the code of an error. */
function read(host: StorageHost, file: string, bytes: Uint8Array): unknown {
  fs.writeFileSync(file, bytes);
  try {
    return product.storedIn(host, ORIGIN, 'Keeper', 'a', 'k');
  } catch (error) {
    return codeOfCause(error);
  }
}

/** A part of one coordinator that another one has as well, and what uses it. */
const parts = [
  ['turns', (keeper: Stub<Keeper>): Promise<unknown> => keeper.count()],
  ['storage/locks', (keeper: Stub<Keeper>): Promise<unknown> => keeper.lock('any')],
] as const;

/** The first thing that is wrong with a variant; null: nothing is. */
async function firstFault(variant: Variant): Promise<string | null> {
  const root = newRoot();
  const canaries = new Canaries();
  const [className = '', name = '', other = '', item = '', value = '', file = ''] = Array.from({ length: 6 }, () => canaries.new());
  const fill = async (keeper: Stub<Keeper>): Promise<void> => {
    await keeper.set(item, value);
    await keeper.writeFile(file, value);
    await keeper.setAlarm(Date.now() + 1e7);
  };
  const isThere = async (keeper: Stub<Keeper>): Promise<boolean> => (await keeper.get(item)) === value && (await keeper.readFile(file)) === value;
  const tried = async <T>(body: (keeper: (of: string) => Stub<Keeper>) => Promise<T>): Promise<T | null> => {
    const { keeper, close } = using(variant, root, className);
    try {
      return await body(keeper);
    } catch {
      return null;
    } finally {
      await close().catch(() => undefined);
    }
  };
  let isPlain = false;
  const own = await tried(async (keeper) => {
    await fill(keeper(name));
    const [found = ''] = directories(root);
    await fill(keeper(other));
    // While it listens, too.
    isPlain = canaries.foundIn(root).length > 0;
    return found;
  });
  if (isPlain || canaries.foundIn(root).length > 0) return 'plain';
  if (own === null || (await tried((keeper) => isThere(keeper(name)))) !== true) return 'does not work';
  const [another = ''] = directories(root).filter((each) => each !== own);
  for (const [part, use] of parts) {
    const [to, kept] = [path.join(own, part), `${root}.kept`];
    fs.renameSync(to, kept);
    fs.cpSync(path.join(another, part), to, { recursive: true });
    if ((await tried((keeper) => use(keeper(name)))) !== null) return `${part} of another`;
    fs.rmSync(to, { recursive: true });
    fs.renameSync(kept, to);
  }
  return null;
}

const mutants: readonly (Mutant & { readonly fault: string })[] = [
  { what: 'a turns journal begins plain', fault: 'does not work', file: 'disk/coordinator/coordinator-place.ts', from: 'new OwnedMachine().snapshot(), this.encryption?.journal(TURNS));', to: 'new OwnedMachine().snapshot());' },
  { what: 'turns are plain', fault: 'plain', file: 'disk/coordinator/coordinator-place.ts', from: 'vault?.place(this.#sealed.directory);', to: 'undefined;' },
  { what: 'all coordinators have the journals of one', fault: 'turns of another', file: 'disk/coordinator/coordinator-place.ts', from: 'vault?.place(this.#sealed.directory);', to: 'vault?.place(typeof key);' },
  { what: 'all buckets within have the journals of one', fault: 'storage/locks of another', file: 'disk/coordinator/coordinator-place.ts', from: 'vault?.place(`${this.#sealed.directory}/${STORAGE}`);', to: 'vault?.place(STORAGE);' },
  { what: 'the bucket within has no keys', fault: 'plain', file: 'disk/coordinator/nested-bucket.ts', from: 'return this.#root.vaults === undefined ? undefined : this.#coordinator.storageEncryption;', to: 'return this.#root.vaults === undefined ? undefined : undefined;' },
  { what: 'alarms are noted by plain names', fault: 'plain', file: 'disk/coordinator/alarm-keys.ts', from: 'return names.areEncrypted ?', to: 'return names.areEncrypted && key.origin === key.name ?' },
  { what: 'directories have plain names', fault: 'plain', file: 'disk/coordinator/coordinator-names.ts', from: 'return keys.sealing.names(visible);', to: 'return keys.sealing === undefined ? visible : visible;' },
  { what: 'cards say which classes are served', fault: 'plain', file: 'coordinator/sockets/socket-transport.ts', from: 'namesClasses ? classes : null', to: 'namesClasses ? classes : classes' },
];

test('the product itself has no fault', async () => {
  expect(await firstFault(product)).toBeNull();
});

test.each(mutants)('it would be noticed if $what', async ({ fault, ...mutant }) => {
  expect(await firstFault(await loadMutant<typeof Product>(new URL('coordinators.product.ts', import.meta.url), mutant))).toBe(fault);
});
