import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { StorageHost } from '../../src/index.ts';
import { closeAll, filled, Keeper, keeperOf, type Filled } from './coordinators.ts';
import { Canaries, key, newRoot, open, ORIGIN, until, within } from './parts.ts';
import { codeOf } from './operator.ts';

afterEach(closeAll);

const migrating = { key, plain: 'migrate' } as const;

/** What a coordinator has, as whoever calls it sees it. */
async function contentOf(host: StorageHost, { className, name, item, file }: Filled): Promise<unknown> {
  const { keeper, close } = keeperOf(host, className);
  const content = [await keeper(name).get(item), await keeper(name).readFile(file), await keeper(name).getAlarm()];
  await close();
  return content;
}

const expected = ({ value, alarm }: Filled): unknown => [value, value, alarm];

/** A plain origin with two coordinators that nobody runs, one of them with all that one can have. */
async function plainRoot(canaries: Canaries): Promise<{ readonly root: string; readonly all: readonly Filled[] }> {
  const root = newRoot();
  const host = open(root, null);
  const all = [await filled(host, canaries), await filled(host, canaries)];
  const { className, name } = all[0] as Filled;
  const { keeper, close } = keeperOf(host, className);
  await keeper(name).lock(canaries.new());
  await keeper(name).respond(`https://a.example/${canaries.new()}`, canaries.new());
  for (let round = 0; round < 3; round += 1) await keeper(canaries.new().repeat(12)).count();
  await close();
  await host.close();
  return { root, all };
}

test('coordinators are encrypted in place: nothing plain of them is left, they have what they had, and may be woken', async () => {
  const canaries = new Canaries();
  const { root, all } = await plainRoot(canaries);
  expect(canaries.foundIn(root).length).toBeGreaterThan(20);
  expect(await open(root, migrating).encrypt(ORIGIN)).toBe(true);
  expect(canaries.foundIn(root)).toEqual([]);
  expect(await open(root, migrating).encrypt(ORIGIN)).toBe(false);
  const host = open(root);
  for (const each of all) expect(await contentOf(host, each)).toEqual(expected(each));
  expect(canaries.foundIn(root)).toEqual([]);
  const { keeper } = keeperOf(open(root, null), (all[0] as Filled).className);
  expect(await codeOf(keeper('any').count())).toBe('key-missing');
});

test("with names 'visible' directories are called as before, and all else is encrypted", async () => {
  const canaries = new Canaries();
  const { root, all } = await plainRoot(canaries);
  await open(root, { ...migrating, names: 'visible' }).encrypt(ORIGIN);
  const contents = new Canaries();
  for (const { item, value } of all) contents.take(item, value);
  expect(contents.foundIn(root)).toEqual([]);
  for (const each of all) expect(await contentOf(open(root), each)).toEqual(expected(each));
});

test('whoever runs one with the key encrypts it first, and nobody has to wait for encrypt()', async () => {
  const canaries = new Canaries();
  const { root, all } = await plainRoot(canaries);
  const [first, second] = all as [Filled, Filled];
  const host = open(root, migrating);
  expect(await contentOf(host, first)).toEqual(expected(first));
  const isPlain = ({ className, name }: Filled): boolean => fs.existsSync(within(root, 'coordinators', className, name));
  expect([first, second].map(isPlain)).toEqual([false, true]);
  // While it lives, and goes on.
  const { keeper } = keeperOf(host, second.className);
  expect(await keeper(second.name).count()).toBe(1);
  const counting = (async () => {
    for (let n = 2; n < 60; n += 1) expect(await keeper(second.name).count()).toBe(n);
  })();
  await open(root, migrating).encrypt(ORIGIN);
  await counting;
  expect(await keeper(second.name).readFile(second.file)).toBe(second.value);
  expect(canaries.foundIn(root)).toEqual([]);
});

test('an alarm that was set before fires after, whether its coordinator was moved by encrypt() or not', async () => {
  for (const how of ['encrypt', 'wake'] as const) {
    const canaries = new Canaries();
    const root = newRoot();
    const className = canaries.new();
    const plain = keeperOf(open(root, null), className);
    const time = Date.now() + 100;
    await plain.keeper(className).setAlarm(time);
    await plain.close();
    if (how === 'encrypt') await open(root, migrating).encrypt(ORIGIN);
    const coordinators = new Coordinators(open(root, migrating), { [className]: Keeper });
    await until(async () => (await (coordinators.get(ORIGIN, className, className) as unknown as Keeper).alarms()) === 1);
    await coordinators.close();
    await open(root, migrating).encrypt(ORIGIN);
    expect(canaries.foundIn(root)).toEqual([]);
  }
});

test('one that a process without the key runs is named and left: no call fails; it is encrypted once that process ends', async () => {
  const canaries = new Canaries();
  const { root, all } = await plainRoot(canaries);
  const [first, second] = all as [Filled, Filled];
  const plain = keeperOf(open(root, null), first.className);
  expect(await plain.keeper(first.name).count()).toBe(1);
  const host = open(root, migrating);
  await expect(host.encrypt(ORIGIN)).rejects.toMatchObject({ code: 'root-busy', message: expect.stringContaining(first.name) });
  expect(canaries.foundIn(within(root, 'coordinators')).join()).not.toContain(second.className);
  // Both reach the one that runs it.
  const keyed = keeperOf(host, first.className);
  expect(await plain.keeper(first.name).count()).toBe(2);
  expect(await keyed.keeper(first.name).count()).toBe(3);
  await plain.keeper(first.name).writeFile(first.file, first.value);
  await plain.close();
  expect(await keyed.keeper(first.name).count()).toBe(4);
  expect(await keyed.keeper(first.name).readFile(first.file)).toBe(first.value);
  expect(await host.encrypt(ORIGIN)).toBe(false);
  expect(canaries.foundIn(root)).toEqual([]);
});

test('what is no coordinator\'s is refused, and nothing is changed', async () => {
  const canaries = new Canaries();
  const { root } = await plainRoot(canaries);
  const [place = ''] = fs.readdirSync(within(root, 'coordinators')).map((className) => within(root, 'coordinators', className));
  fs.writeFileSync(path.join(place, fs.readdirSync(place)[0] ?? '', 'other'), 'x');
  expect(await codeOf(open(root, migrating).encrypt(ORIGIN))).toBe('encryption-unsupported');
  expect(fs.existsSync(within(root, 'keys'))).toBe(false);
});
