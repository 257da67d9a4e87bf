import { describe, expect, test } from 'vitest';
import { nodeWithSqlite, runFixture } from './support/other-node.ts';

const model = new URL('core/model-run.ts', import.meta.url);

describe("databases on the runtime's own SQLite", () => {
  test.runIf(nodeWithSqlite !== null)('hold what a simple model of the standard holds, whatever is done to them', async () => {
    expect(await runFixture(model, nodeWithSqlite ?? '', { RUNS: '60' })).toMatch(/^ok/m);
  });
});

describe('databases on SQLite in WebAssembly', () => {
  test('hold what a simple model of the standard holds, whatever is done to them', async () => {
    expect(await runFixture(model, process.execPath, { RUNS: '12', DRIVER: 'wasm' })).toMatch(/^ok/m);
  });
});
