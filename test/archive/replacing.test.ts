import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { encodeOrigin } from '../../src/disk/names/origin.ts';
import { handleCalls } from '../crash/support/fault-layer.ts';
import { verify } from '../verify/sample.ts';
import { A, archiveOf, itemsOf, openHost, temporary } from './support.ts';

/*
 * An origin that another is to replace: whatever fails or is killed between the two renames, it is not lost.
 */

afterEach(() => handleCalls('/', null));

/** A root with `new` in it, and the failure of an import of `old` in its place, where renames into `origins/` fail so often. */
async function failedReplacement(failures: number): Promise<string> {
  const root = path.join(temporary(), 'root');
  const host = openHost(root);
  host.origin(A).localStorage.setItem('k', 'old');
  const archive = await archiveOf(host);
  host.origin(A).localStorage.setItem('k', 'new');
  let left = failures;
  const place = placeIn(root);
  handleCalls(root, {
    before: ({ name, parameters }) => (name === 'renameSync' && parameters[1] === place && left-- > 0 ? { code: 'EIO', late: false } : undefined),
  });
  await expect(host.importOrigin(new Blob([new Uint8Array(archive)]).stream(), { existing: 'replace' })).rejects.toMatchObject({ code: 'disk-failed' });
  handleCalls(root, null);
  await host.close();
  return root;
}

const placeIn = (root: string): string => path.join(root, 'origins', encodeOrigin(A));
const kept = (root: string): string[] => fs.readdirSync(path.join(root, 'new')).filter((name) => name.endsWith('.replaced'));

test('is put back where the other cannot take its place', async () => {
  const root = await failedReplacement(1);
  expect(kept(root)).toEqual([]);
  expect(itemsOf(openHost(root).origin(A))).toEqual([['k', 'new']]);
});

test('stays in the workshop where that fails too; no sweep takes it, and verify tells', async () => {
  const root = await failedReplacement(2);
  const [name = ''] = kept(root);
  const aside = path.join(root, 'new', name);
  fs.utimesSync(aside, 1, 1);
  openHost(root).origin('https://sweeper.example').localStorage.setItem('k', 'v');
  expect(verify(root).findings.map(({ kind, path: at }) => [kind, at])).toContainEqual(['foreign', aside]);
  fs.renameSync(aside, placeIn(root));
  expect(itemsOf(openHost(root).origin(A))).toEqual([['k', 'new']]);
});
