import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { FOR, ORIGIN, runHere, temporary } from './support.ts';

const B = 'https://b.example';
const PLAIN = 'https://plain.example';

/** A root with two encrypted origins and a plain one, and files with the key of both and another key. */
async function world(): Promise<{ root: string; old: string; fresh: string; open(file: string): StorageHost }> {
  const place = temporary();
  const [root, old, fresh] = ['root', 'old', 'fresh'].map((name) => path.join(place, name)) as [string, string, string];
  for (const file of [old, fresh]) fs.writeFileSync(file, randomBytes(32).toString('hex'));
  const open = (file: string): StorageHost => new StorageHost({ root, encryption: { key: Buffer.from(fs.readFileSync(file, 'latin1'), 'hex') } });
  for (const [host, origins] of [[open(old), [ORIGIN, B]], [new StorageHost({ root }), [PLAIN]]] as const) {
    for (const origin of origins) host.origin(origin).localStorage.setItem('k', origin);
    await host.close();
  }
  return { root, old, fresh, open };
}

test('rekey --all wraps what is encrypted with the new key, says what it did, and may be run again', async () => {
  const { root, old, fresh, open } = await world();
  const args = ['rekey', '--all', '--key-file', fresh, '--previous-key-file', old];
  const { code, out } = await runHere(root, [...args, '--json']);
  expect(code).toBe(0);
  const sorted = (text: string): { origin: string }[] => (JSON.parse(text) as { origin: string }[]).sort((one, other) => (one.origin < other.origin ? -1 : 1));
  expect(sorted(out)).toEqual([{ origin: ORIGIN, outcome: 'rewrapped' }, { origin: B, outcome: 'rewrapped' }, { origin: PLAIN, outcome: 'plain' }]);
  const again = await runHere(root, args);
  expect(again.code).toBe(0);
  expect(again.out).toContain(`${B}: its keys were wrapped with the new key already\n`);
  expect(again.out).toContain(`${PLAIN}: it is not encrypted\n`);
  const host = open(fresh);
  for (const origin of [ORIGIN, B]) expect(host.origin(origin).localStorage.getItem('k')).toBe(origin);
  await host.close();
});

test('rekey --data-key gives a new data key each time, with the same key too', async () => {
  const { root, old, open } = await world();
  for (let id = 2; id < 4; id += 1) {
    const { code, out } = await runHere(root, ['rekey', ...FOR, '--key-file', old, '--data-key', '--json']);
    expect({ code, result: JSON.parse(out) as unknown }).toEqual({ code: 0, result: [{ origin: ORIGIN, outcome: 'renewed' }] });
    const journal = path.join(root, 'origins/https_a.example/default/local-storage');
    const newest = Math.max(...fs.readdirSync(journal).map(Number).filter((number) => !Number.isNaN(number)));
    expect(fs.readFileSync(path.join(journal, String(newest))).readUInt32LE(12)).toBe(id);
  }
  const host = open(old);
  expect(host.origin(ORIGIN).localStorage.getItem('k')).toBe(ORIGIN);
  await host.close();
});

test('rekey of one origin leaves others; what does not open is named, and the exit code is 1', async () => {
  const { root, old, fresh } = await world();
  expect(await runHere(root, ['rekey', ...FOR, '--key-file', fresh, '--previous-key-file', old])).toMatchObject({ code: 0, out: `${ORIGIN}: its keys are wrapped with the new key\n` });
  const { code, out } = await runHere(root, ['rekey', '--all', '--key-file', fresh]);
  expect(code).toBe(1);
  expect(out).toContain(`${ORIGIN}: its keys were wrapped with the new key already\n`);
  expect(out).toContain(`${B}: nothing was changed: The key that was given is not that of ${B}`);
  expect(await runHere(root, ['rekey', '--origin', PLAIN, '--key-file', fresh])).toMatchObject({ code: 1, out: `${PLAIN}: it is not encrypted\n` });
  const nobody = await runHere(root, ['rekey', '--origin', 'https://nobody.example', '--key-file', fresh]);
  expect(nobody).toMatchObject({ code: 1, out: '' });
  expect(nobody.err).toContain('has nothing of https://nobody.example');
});

test('a file without a key is refused without a word of what is in it', async () => {
  const { root, old } = await world();
  const file = path.join(root, '..', 'wrong');
  fs.writeFileSync(file, 'secret'.repeat(9));
  const { code, err } = await runHere(root, ['rekey', '--all', '--key-file', old, '--previous-key-file', file]);
  expect(code).toBe(1);
  expect(err).toContain("of --previous-key-file has no key");
  expect(err).not.toContain('secret');
});
