import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { compiledSource, leadToSource } from './test/support/compiled.ts';

/** With HOLDFAST_TEST_KEY=1 what stores anything is tested once more, encrypted: test/support/sealed.ts */
const isEncrypted = process.env.HOLDFAST_TEST_KEY === '1';

/** Which part is tried of what could be tried: test/support/thorough.ts. One for all processes of a run. */
if (process.env.HOLDFAST_SAMPLE === undefined) {
  process.env.HOLDFAST_SAMPLE = String(Math.floor(Math.random() * 2 ** 31));
  if (process.env.HOLDFAST_THOROUGH !== '1') console.log(`Of what can be enumerated a part is tried; the same again: HOLDFAST_SAMPLE=${process.env.HOLDFAST_SAMPLE}`);
}

const stores = [
  'backup', 'broadcast-channel', 'buckets', 'cache-storage', 'coherence', 'coordinator', 'crash', 'faults', 'file-system', 'full-disk', 'globals', 'host', 'indexed-db', 'journal',
  'libraries', 'locks', 'lockfile/contract*', 'map', 'quota', 'records', 'storage', 'structured-clone', 'sync/host', 'transaction', 'tree', 'web-locks', 'web-storage',
];

/** What encrypted origins do not have, and simulations that write nothing; CONTRIBUTING.md has the reasons. */
const withoutKey = ['file-system/elsewhere*', '**/*simulation*', 'coordinator/region*'];

const include = isEncrypted ? stores.map((part) => `test/${part}${part.endsWith('*') ? '' : '/**/*'}.test.ts`) : ['test/**/*.test.ts'];
const exclude = isEncrypted ? withoutKey.map((part) => `test/${part}.test.ts`) : [];

/** The tests that mock modules of the source: Vitest has to load it for them, which takes longer. */
const mocking = readdirSync(new URL('test', import.meta.url), { recursive: true, encoding: 'utf8' })
  .map((file) => `test/${file}`)
  .filter((file) => file.endsWith('.test.ts') && /\bvi\.(?:mock|doMock)\(/.test(readFileSync(new URL(file, import.meta.url), 'utf8')));
const isIncluded = (file: string): boolean => !isEncrypted || stores.some((part) => file.startsWith(`test/${part.replace('*', '')}`));

export default defineConfig({
  test: {
    projects: [
      { extends: true, plugins: [compiledSource()], test: { name: 'tests', include, exclude: [...exclude, ...mocking] } },
      { extends: true, test: { name: 'mocking', include: mocking.filter(isIncluded), exclude } },
    ],
    // For programs that install the globals, and for commands: the key that the hosts of tests have.
    env: isEncrypted ? { HOLDFAST_KEY_FILE: fileURLToPath(new URL('test/support/test.key', import.meta.url)) } : {},
    setupFiles: ['test/support/parts.ts'],
    onStackTrace: leadToSource,
    pool: 'forks',
    // Many tests wait for other processes and for the disk.
    maxWorkers: availableParallelism() + 1,
    // Only a hang takes as long as these: what is waited for comes in moments, on a loaded machine in seconds.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
