import { describe, expect, test } from 'vitest';
import { nodeWithSqlite, runFixture } from '../records/support/other-node.ts';
import { isEncrypted } from '../support/sealed.ts';
import { thisTest } from '../support/this-test.ts';

/** On Node 20 this one has SQLite as WebAssembly, all of whose calls are ours. */
const nodes = [...new Set([process.execPath, nodeWithSqlite ?? process.execPath])];

describe.each(nodes)('with %s', (node) => {
  test('what meets a disk that is full or broken is aborted by name, and everything works again', { timeout: 3_600_000 }, async () => {
    const output = await runFixture(new URL('core/fault-run.ts', import.meta.url), node, { TEST: thisTest() });
    const told = output.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as { error: string | null });
    expect(told).toHaveLength(2);
    expect(told.filter(({ error }) => error !== null)).toEqual([]);
  });
});

// An encrypted database has no such log, but a journal: test/records/kills.test.ts.
test.runIf(nodeWithSqlite !== null && !isEncrypted)('a log that was torn or damaged anywhere gives whole transactions, and others go on', { timeout: 300_000 }, async () => {
  expect(await runFixture(new URL('core/torn-run.ts', import.meta.url), nodeWithSqlite ?? '')).toMatch(/^ok \d+ states of \d+ trials\n$/);
});
