import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** With HOLDFAST_TEST_KEY=1 what stores anything is tested once more, encrypted: test/support/sealed.ts */
const isEncrypted = process.env.HOLDFAST_TEST_KEY === '1';

const stores = [
  'backup', 'broadcast-channel', 'buckets', 'cache-storage', 'coherence', 'coordinator', 'crash', 'faults', 'file-system', 'full-disk', 'globals', 'host', 'indexed-db', 'journal',
  'libraries', 'locks', 'lockfile/contract*', 'map', 'quota', 'records', 'storage', 'structured-clone', 'sync/host', 'transaction', 'tree', 'web-locks', 'web-storage',
];

/** What encrypted origins do not have, and simulations that write nothing; CONTRIBUTING.md has the reasons. */
const withoutKey = ['file-system/elsewhere*', '**/*simulation*', 'coordinator/region*'];

export default defineConfig({
  test: {
    include: isEncrypted ? stores.map((part) => `test/${part}${part.endsWith('*') ? '' : '/**/*'}.test.ts`) : ['test/**/*.test.ts'],
    exclude: isEncrypted ? withoutKey.map((part) => `test/${part}.test.ts`) : [],
    // For programs that install the globals, and for commands: the key that the hosts of tests have.
    env: isEncrypted ? { HOLDFAST_KEY_FILE: fileURLToPath(new URL('test/support/test.key', import.meta.url)) } : {},
    setupFiles: ['test/support/parts.ts'],
    pool: 'forks',
    // Many tests wait for other processes and for the disk.
    maxWorkers: availableParallelism() + 1,
    // Only a hang takes as long as these: what is waited for comes in moments, on a loaded machine in seconds.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 60_000 } },
  },
});
