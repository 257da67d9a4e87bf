import { describe, expect, test } from 'vitest';
import { nodeWithSqlite, runFixture } from '../records/support/other-node.ts';
import { isEncrypted } from '../support/sealed.ts';

// Each fixture runs in this Node and in one that has SQLite built in, and tells what became of each of its cases.

interface Told {
  readonly name: string;
  readonly error: string | null;
}

async function told(fixture: string, node: string): Promise<Told[]> {
  const output = await runFixture(new URL(`core/${fixture}.ts`, import.meta.url), node);
  const lines = output.split('\n').filter((line) => line.startsWith('{'));
  return lines.map((line) => JSON.parse(line) as Told);
}

/** On Node 20 this one has SQLite as WebAssembly. */
const nodes = [...new Set([process.execPath, nodeWithSqlite ?? process.execPath])];

describe.each(nodes)('IndexedDB on %s', (node) => {
  test.each([
    ['events', 7],
    ['requests', 8],
    ['databases', isEncrypted ? 14 : 15],
    ['processes', 4],
    ['model', 15],
  ])('%s', { timeout: 240_000 }, async (fixture, count) => {
    const cases = await told(fixture, node);
    expect(cases.filter(({ error }) => error !== null)).toEqual([]);
    expect(cases).toHaveLength(count);
  });
});

// No encrypted database is one of the built-in SQLite's.
describe.runIf(nodeWithSqlite !== null && !isEncrypted)('a database of the built-in SQLite whose disk is full', () => {
  test('loses nothing, and says so by name', { timeout: 120_000 }, async () => {
    const cases = await told('full', nodeWithSqlite ?? '');
    expect(cases.filter(({ error }) => error !== null)).toEqual([]);
    expect(cases).toHaveLength(3);
  });
});
