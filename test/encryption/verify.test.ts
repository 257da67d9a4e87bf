import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { runHere } from '../cli/support.ts';
import { key, filledRoot, ORIGIN, otherKey } from './operator.ts';
import { filesIn, snapshotOf } from './support.ts';

interface Verified {
  readonly sound: boolean;
  readonly unauthenticated: readonly string[];
  readonly findings: readonly { readonly kind: string; readonly path: string; readonly message: string }[];
}

const keyFile = (root: string, bytes: Uint8Array): string => {
  const file = path.join(path.dirname(root), 'key');
  fs.writeFileSync(file, bytes);
  return file;
};

async function verified(root: string, ...args: readonly string[]): Promise<Verified & { readonly code: number }> {
  const { code, out } = await runHere(root, ['verify', '--json', ...args]);
  return { code: Number(code), ...(JSON.parse(out) as Verified) };
}

test('with its key an encrypted origin is found sound; without one it is said that nothing was authenticated; nothing is changed', async () => {
  const { root, host } = await filledRoot();
  await host.close();
  const before = snapshotOf(root);
  expect(await verified(root, '--key-file', keyFile(root, key))).toMatchObject({ code: 0, sound: true, findings: [], unauthenticated: [] });
  expect(await verified(root)).toMatchObject({ code: 0, sound: true, findings: [], unauthenticated: [ORIGIN] });
  expect((await runHere(root, ['verify'])).out).toContain('1 encrypted origin without a key that opens it: checksums and structure were looked at, and nothing was authenticated.');
  const wrong = await verified(root, '--key-file', keyFile(root, otherKey));
  expect(wrong).toMatchObject({ code: 1, unauthenticated: [ORIGIN], findings: [{ kind: 'unreadable', message: expect.stringContaining('is not that of') }] });
  expect(snapshotOf(root)).toEqual(before);
});

test('a byte that was changed anywhere in journals, files, names and keys is found with the key', async () => {
  const { root, host } = await filledRoot();
  await host.close();
  const args = ['--key-file', keyFile(root, key)];
  const origin = path.join(root, 'origins/https_a.example');
  const files = filesIn(origin).filter((name) => !/origin\.json$|\/wake\/|\/swap\//.test(name) && fs.statSync(path.join(origin, name)).size > 0);
  expect(files.filter((name) => name.includes('files.0/')).length).toBeGreaterThan(3);
  for (const name of files) {
    const file = path.join(origin, name);
    const bytes = fs.readFileSync(file);
    for (const at of new Set([0, Math.floor(bytes.length / 2), bytes.length - 1])) {
      const changed = Buffer.from(bytes);
      changed[at] = (changed[at] ?? 0) ^ 1;
      fs.writeFileSync(file, changed);
      const { findings } = await verified(root, ...args);
      expect(findings.map((finding) => finding.path).some((found) => found === file || path.dirname(found) === path.dirname(file)), `${name}, byte ${at} of ${bytes.length}`).toBe(true);
    }
    fs.writeFileSync(file, bytes);
  }
  const [one, two] = files.filter((name) => name.includes('caches/responses/') || name.includes('files.0/'));
  const directory = path.join(origin, path.dirname(one ?? ''));
  fs.renameSync(path.join(origin, one ?? ''), path.join(directory, `0${path.basename(two ?? '').slice(1)}0`));
  expect((await verified(root, ...args)).findings.length).toBeGreaterThan(0);
});

test('what is wrong with the account of an encrypted origin is counted again with the key', async () => {
  const { root, host } = await filledRoot();
  await host.close();
  const quota = path.join(root, 'origins/https_a.example/default/quota');
  for (const name of fs.readdirSync(quota).filter((each) => /^\d+$/.test(each))) {
    const bytes = fs.readFileSync(path.join(quota, name));
    bytes[bytes.length - 1] = (bytes.at(-1) ?? 0) ^ 1;
    bytes[40] = (bytes[40] ?? 0) ^ 1;
    fs.writeFileSync(path.join(quota, name), bytes);
  }
  const args = ['--key-file', keyFile(root, key)];
  expect((await verified(root, ...args)).sound).toBe(false);
  await verified(root, '--repair', ...args);
  expect(await verified(root, ...args)).toMatchObject({ sound: true, findings: [] });
});
