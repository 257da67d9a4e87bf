import fs from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { isHarmless } from '../../src/disk/verify/finding.ts';
import { StorageHost } from '../../src/host/storage-host.ts';
import { bucketOf, ORIGIN, sampleRoot, verify } from './sample.ts';

async function withLongName(): Promise<{ root: string; files: string }> {
  const root = await sampleRoot();
  const host = new StorageHost({ root });
  await (await host.origin(ORIGIN).storage.getDirectory()).getFileHandle('l'.repeat(400), { create: true });
  await host.close();
  return { root, files: path.join(bucketOf(root), 'files.0') };
}

/** But that the account does not know of what a test puts there. */
const found = (root: string): [string, string][] => verify(root).findings.filter(({ kind }) => kind !== 'quota').map(({ kind, path: at }) => [kind, path.basename(at)]);

function age(file: string): void {
  const before = Date.now() / 1000 - 3600;
  fs.utimesSync(file, before, before);
}

test('files with long names, and all that a root holds, are sound', async () => {
  expect(found((await withLongName()).root)).toEqual([]);
});

test('links, pipes and names that Holdfast gives to nothing are told of, and harmless', async () => {
  const { root, files } = await withLongName();
  fs.symlinkSync('/etc/passwd', path.join(files, 'link'));
  fs.writeFileSync(path.join(files, 'a:b'), 'foreign');
  expect(found(root)).toEqual([['foreign', 'a:b'], ['foreign', 'link']]);
  expect(verify(root).findings.every(isHarmless)).toBe(true);
});

test('of a long name the file that keeps it is needed, and an old one without an entry is not', async () => {
  const { root, files } = await withLongName();
  const spelling = fs.readdirSync(files).find((name) => name.startsWith('%~')) ?? '';
  const orphan = path.join(files, `%~${'0'.repeat(64)}`);
  fs.writeFileSync(orphan, 'x');
  expect(found(root)).toEqual([]);
  age(orphan);
  expect(found(root)).toEqual([['orphan', path.basename(orphan)]]);
  fs.rmSync(path.join(files, spelling));
  const findings = verify(root).findings.filter((finding) => !isHarmless(finding));
  expect(findings).toMatchObject([{ kind: 'damaged', path: path.join(files, fs.readdirSync(files).find((name) => name.startsWith('lll')) ?? '') }]);
});

test('what killed processes have left in swap, in trash and in the workshop is told of', async () => {
  const { root } = await withLongName();
  const session = '0d3f1a52-7b6e-4c1d-9a8f-2e5b7c4d6f10';
  fs.mkdirSync(path.join(bucketOf(root), 'swap', session));
  fs.writeFileSync(path.join(bucketOf(root), 'swap', session, '1-x'), 'x');
  fs.writeFileSync(path.join(bucketOf(root), 'trash', `${session}.1-x`), 'x');
  fs.mkdirSync(path.join(root, 'new', session));
  age(path.join(root, 'new', session));
  expect(found(root).sort()).toEqual([['orphan', 'new'], ['orphan', 'swap'], ['orphan', 'trash']]);
  expect(verify(root).findings.every(isHarmless)).toBe(true);
});
