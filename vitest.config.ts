import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/support/parts.ts'],
    pool: 'forks',
    // Many tests wait for other processes and for the disk.
    maxWorkers: availableParallelism() + 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // What is waited for comes in moments; on a loaded machine, in seconds.
    expect: { poll: { timeout: 30_000 } },
  },
});
