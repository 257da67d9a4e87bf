import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { packed, repository } from './packed.ts';

const manifest = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as {
  readonly exports: Record<string, string | Record<string, string>>;
  readonly dependencies?: object;
  readonly peerDependencies: Record<string, string>;
  readonly peerDependenciesMeta: Record<string, { readonly optional: boolean }>;
  readonly scripts: Record<string, string>;
};

const wanted = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^docs\/[A-Z-]+\.md$/,
  /^examples\/(frameworks\/)?[\w-]+\.mjs$/,
  /^dist\/(index|globals|sync|sync-contract|following|caches|broadcast-channel|indexed-db|storage-buckets|transaction|encryption|coordinator|inspector|cli)\.js$/,
  /^dist\/chunks\/[\w-]+\.js$/,
  /^dist\/types\/[\w/-]+\.d\.ts$/,
];

test('users get the modules, the types and the documents, and nothing else', async () => {
  const paths = (await packed()).files.map(({ path }) => path);
  expect(paths.filter((path) => !wanted.some((pattern) => pattern.test(path)))).toEqual([]);
  expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js', 'dist/globals.js', 'docs/DEVIATIONS.md']));
});

test('everything that package.json exports is there', async () => {
  const paths = new Set((await packed()).files.map(({ path }) => `./${path}`));
  const targets = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [target] : Object.values(target)));
  expect(targets.length).toBeGreaterThan(4);
  expect(targets.filter((target) => !paths.has(target))).toEqual([]);
});

test('there are no types but those that a door leads to, and all of those', async () => {
  const doors = Object.values(manifest.exports).flatMap((target) => (typeof target === 'string' ? [] : [join(repository, target.types ?? '')]));
  const { reachable } = (await import(new URL('../../scripts/prune-types.mjs', import.meta.url).href)) as { readonly reachable: (doors: readonly string[]) => Set<string> };
  const types = (await packed()).files.map(({ path }) => join(repository, path)).filter((path) => path.endsWith('.d.ts'));
  expect(doors.length).toBeGreaterThan(4);
  expect(types.sort()).toEqual([...reachable(doors)].sort());
});

test('modules have no source maps, and import nothing but each other and the runtime; optional peers when they are asked for', async () => {
  const modules = (await packed()).files.map(({ path }) => path).filter((path) => path.endsWith('.js'));
  const imports = new Set<string>();
  const later = new Set<string>();
  for (const path of modules) {
    const text = readFileSync(join(repository, path), 'utf8');
    expect(text).not.toContain('sourceMappingURL');
    for (const [, , specifier = ''] of text.matchAll(/^(?:import|export)\s([^'"()]*?\sfrom\s*)?["']([^"']+)["']/gm)) imports.add(specifier);
    for (const [, specifier = ''] of text.matchAll(/\bimport\(["']([^"']+)["']\)/g)) later.add(specifier);
  }
  const isForeign = (specifier: string): boolean => !/^(node:|\.)/.test(specifier);
  const peers = Object.keys(manifest.peerDependencies).filter((name) => manifest.peerDependenciesMeta[name]?.optional === true);
  expect(imports.size).toBeGreaterThan(3);
  expect([...imports].filter(isForeign)).toEqual([]);
  expect([...later].filter((specifier) => isForeign(specifier) && !peers.includes(specifier))).toEqual([]);
});

test('installing it installs what maintains whole trees and roots besides, and runs nothing', () => {
  expect(Object.keys(manifest.dependencies ?? {})).toEqual(['fs-extra', 'proper-lockfile']);
  expect(Object.keys(manifest.scripts).filter((name) => /^(pre|post)?install$/.test(name))).toEqual([]);
});
