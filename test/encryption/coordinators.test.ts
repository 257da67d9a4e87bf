import fs from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { Coordinators } from '../../src/host/coordinator/index.ts';
import type { Stub } from '../../src/host/coordinator/index.ts';
import type { EncryptionOptions } from '../../src/host/encryption/options.ts';
import { closeAll, Keeper, keeperOf } from './coordinators.ts';
import { Canaries, key, newRoot, open, ORIGIN, until, within } from './parts.ts';
import { codeLater, snapshotOf } from './support.ts';

afterEach(closeAll);

/** A host's coordinators, of one class; `close()` ends both. */
function hostOf(root: string, className: string, encryption: EncryptionOptions | null = { key }): ReturnType<typeof keeperOf> {
  const host = open(root, encryption);
  const { keeper, close } = keeperOf(host, className);
  return { keeper, close: () => close().then(() => host.close()) };
}

describe('a coordinator of an encrypted origin', () => {
  test.each(['encrypted', 'visible'] as const)('keeps all that it has, with names %s', async (names) => {
    const root = newRoot();
    const canaries = new Canaries();
    const [item = '', value = '', name = '', file = '', text = '', lock = '', url = '', body = '', className = ''] = Array.from({ length: 9 }, () => canaries.new());
    const kept = names === 'encrypted' ? canaries : new Canaries();
    const first = hostOf(root, className, { key, names });
    const keeper = first.keeper(name);
    expect(await keeper.set(item, value)).toBe(value);
    await keeper.writeFile(file, text);
    expect(await keeper.lock(lock)).toBe(lock);
    expect(await keeper.respond(`https://a.example/${url}`, body)).toBe(body);
    await keeper.setAlarm(Date.now() + 1e6);
    await expect(keeper.fail(canaries.new())).rejects.toMatchObject({ name: 'RangeError', remote: true });
    expect(kept.foundIn(root)).toEqual([]);
    await first.close();
    expect(kept.foundIn(root)).toEqual([]);

    const again = hostOf(root, className, { key, names }).keeper(name);
    expect([await again.get(item), await again.readFile(file), await again.getAlarm()]).toEqual([value, text, expect.any(Number)]);
    expect(kept.foundIn(root)).toEqual([]);
    expect(fs.existsSync(within(root, 'coordinators', className))).toBe(names === 'visible' && className === className.toLowerCase());
  });

  test('is called whatever it is called', async () => {
    const root = newRoot();
    const names = ['a', 'A', 'ü'.repeat(512), '\ud800', '..', 'x'.repeat(512), 'con', ' .', '/'];
    const first = hostOf(root, 'Keeper');
    for (const name of names) await first.keeper(name).set('name', name);
    await first.close();
    const { keeper } = hostOf(root, 'Keeper');
    for (const name of names) expect(await keeper(name).get('name')).toBe(name);
    const listed = new Coordinators(open(root), {});
    const found: (string | null)[] = [];
    for await (const each of listed.list()) found.push(each.name);
    await listed.close();
    expect(found.sort()).toEqual(names.sort());
  });

  test('is one of the classes that a process serves, and of one origin', async () => {
    const root = newRoot();
    const host = open(root);
    const coordinators = new Coordinators(host, { One: Keeper, Other: class extends Keeper {} });
    try {
      for (const origin of [ORIGIN, 'https://b.example']) for (const of of ['One', 'Other']) await (coordinators.get(origin, of, 'n') as unknown as Stub<Keeper>).set('whose', `${origin} ${of}`);
      for (const origin of [ORIGIN, 'https://b.example']) for (const of of ['One', 'Other']) expect(await (coordinators.get(origin, of, 'n') as unknown as Stub<Keeper>).get('whose')).toBe(`${origin} ${of}`);
      const directories = fs.readdirSync(within(root, 'coordinators')).flatMap((each) => fs.readdirSync(within(root, 'coordinators', each)));
      expect(new Set(directories).size).toBe(2);
    } finally {
      await coordinators.close();
    }
  });

  test('is found by who only calls, though no file says which classes are served', async () => {
    const root = newRoot();
    const { keeper } = hostOf(root, 'Keeper');
    const caller = new Coordinators(open(root), {});
    try {
      const stub = caller.get(ORIGIN, 'Keeper', 'a') as unknown as Stub<Keeper>;
      expect([await stub.count(), await keeper('a').count(), await stub.count()]).toEqual([1, 2, 3]);
      for (const card of fs.readdirSync(path.join(root, 'coordinators/s')).filter((name) => name.endsWith('.json'))) {
        expect(fs.readFileSync(path.join(root, 'coordinators/s', card), 'utf8')).not.toContain('Keeper');
      }
      const nobody = caller.get(ORIGIN, 'Nobody', 'a') as unknown as Stub<Keeper>;
      expect(await Promise.race([nobody.count().catch(() => 'refused'), new Promise((resolve) => setTimeout(resolve, 300, 'waits'))])).toBe('waits');
    } finally {
      await caller.close();
    }
  });
});

describe('an alarm of an encrypted origin', () => {
  test('is run in a process that was not there when it was set', async () => {
    const root = newRoot();
    const first = hostOf(root, 'Keeper');
    await first.keeper('a').setAlarm(Date.now() + 150);
    await first.close();
    const { keeper } = hostOf(root, 'Keeper');
    await until(async () => (await keeper('a').alarms()) === 1);
    expect(await keeper('a').getAlarm()).toBeNull();
  });

  test('waits for whoever has the key, and nobody else stumbles over it', async () => {
    const root = newRoot();
    const first = hostOf(root, 'Keeper');
    await first.keeper('a').setAlarm(Date.now() + 10);
    await first.close();
    const other = keeperOf(open(root, null), 'Keeper').keeper('b', 'https://plain.example');
    await other.setAlarm(Date.now() + 10);
    await until(async () => (await other.alarms()) === 1);
    const { keeper } = hostOf(root, 'Keeper', { keyFor: () => new Promise((resolve) => setTimeout(resolve, 50, key)) });
    await until(async () => (await keeper('a').alarms()) === 1);
  });
});

describe('without the right key', () => {
  const refusals: readonly (readonly [string, EncryptionOptions | null, string])[] = [
    ['no key', null, 'key-missing'],
    ['another key', { key: new Uint8Array(32).fill(3) }, 'key-wrong'],
    ['a provider that fails', { keyFor: () => Promise.reject(new Error('away')) }, 'key-missing'],
  ];

  test.each(refusals)('%s: a call is refused, and nothing is written', async (_, encryption, code) => {
    const root = newRoot();
    const first = hostOf(root, 'Keeper');
    await first.keeper('a').count();
    await first.close();
    const before = snapshotOf(path.join(root, 'origins'));
    const { keeper } = hostOf(root, 'Keeper', encryption);
    for (const name of ['a', 'b']) expect(await codeLater(keeper(name).count())).toBe(code);
    expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);
  });

  test('a plain origin is refused, and left as it is', async () => {
    const root = newRoot();
    const first = hostOf(root, 'Keeper', null);
    await first.keeper('a').count();
    await first.close();
    const before = snapshotOf(path.join(root, 'origins'));
    expect(await codeLater(hostOf(root, 'Keeper').keeper('a').count())).toBe('not-encrypted');
    expect(snapshotOf(path.join(root, 'origins'))).toEqual(before);
  });

  test('a call waits for a key that a promise brings', async () => {
    const root = newRoot();
    const given: ((key: Uint8Array) => void)[] = [];
    const { keeper } = hostOf(root, 'Keeper', { keyFor: () => new Promise<Uint8Array>((resolve) => given.push(resolve)) });
    const counted = keeper('a').count();
    await until(() => given.length > 0);
    expect(fs.existsSync(within(root))).toBe(false);
    given[0]?.(key);
    expect(await counted).toBe(1);
  });
});
