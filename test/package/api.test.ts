import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { repository } from './packed.ts';

const page = readFileSync(join(repository, 'docs/API.md'), 'utf8');
const source = (path: string): string => readFileSync(join(repository, 'src', path), 'utf8');

/** The first cells of the page's rows under a heading. */
function rows(heading: string): string[] {
  const section = page.split(/^## /m).find((each) => each.startsWith(heading)) ?? '';
  return [...section.matchAll(/^\| `([^`]+)` \|/gm)].map(([, cell = '']) => cell);
}

/** What a pattern finds in a stretch of a source file. */
function found(text: string, from: RegExp, to: RegExp, pattern: RegExp): string[] {
  const begun = text.slice(text.search(from));
  const stretch = begun.slice(0, begun.slice(1).search(to) + 1);
  const names = [...stretch.matchAll(pattern)].map(([, name = '']) => name);
  expect(names.length).toBeGreaterThan(2);
  return names;
}

const members = /^ {2}readonly (\w+)\??:/gm;
const codes = /^ {2}\| '([\w-]+)'/gm;

describe('docs/API.md names', () => {
  test('every option of a host, and every method', () => {
    const options = found(source('host/options.ts'), /export interface StorageHostOptions/, /^}/m, members);
    const methods = found(source('host/storage-host.ts'), /export class StorageHost/, /^}/m, /^ {2}(?:get |async \*?)?([a-z]\w+)(?:<.*>)?\(/gm);
    const told = rows('`new StorageHost(options)`');
    expect(told.filter((name) => !name.startsWith('host.'))).toEqual(options);
    const toldMethods = told.filter((name) => name.startsWith('host.')).map((name) => /^host\.(\w+)/.exec(name)?.[1]);
    expect(new Set(toldMethods)).toEqual(new Set(methods.filter((name) => name !== 'constructor')));
  });

  test('every option of inspector()', () => {
    expect(rows('`holdfast/inspector`')).toEqual(found(source('inspector/inspector.ts'), /export interface InspectorOptions/, /^}/m, members));
  });

  test('every option of install()', () => {
    const options = found(source('host/install/options.ts'), /export interface InstallOptions/, /^}/m, members);
    expect(rows('`install(options)`').sort()).toEqual(options.sort());
  });

  test('every code of an error and of a warning', () => {
    expect(rows('Errors')).toEqual(found(source('runtime/holdfast-error.ts'), /export type HoldfastErrorCode/, /;$/m, codes));
    expect(rows('Warnings')).toEqual(found(source('runtime/warning.ts'), /export type StorageWarningCode/, /;/, codes));
  });

  test('every variable and every channel', () => {
    const environment = source('host/install/environment.ts');
    expect(new Set(rows('`holdfast/globals`'))).toEqual(new Set([...environment.matchAll(/'(HOLDFAST_[A-Z_]+)'/g)].map(([, name = '']) => name)));
    expect(rows('Diagnostics').sort()).toEqual([...(source('runtime/channels.ts') + source('runtime/more-channels.ts')).matchAll(/'(holdfast:\w+)'/g)].map(([, name = '']) => name).sort());
  });
});

test('the links of README and guides lead to files that are in the package', () => {
  const { files } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { files: string[] };
  const guides = ['README.md', ...readdirSync(join(repository, 'docs')).map((name) => `docs/${name}`)];
  for (const guide of guides) {
    const text = readFileSync(join(repository, guide), 'utf8');
    for (const [, link = ''] of text.matchAll(/\]\(([\w/-]+\.(?:md|mjs))\)/g)) {
      const target = join(guide.startsWith('docs/') ? 'docs' : '', link);
      const isPacked = files.includes(target) || files.some((folder) => target.startsWith(`${folder}/`)) || target === 'README.md';
      if (isPacked) readFileSync(join(repository, target));
      else expect(['ARCHITECTURE.md', 'CONTRIBUTING.md', 'wpt/RESULTS.md', 'wpt/README.md']).toContain(target);
    }
  }
});
