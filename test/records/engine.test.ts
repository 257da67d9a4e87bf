import { describe, expect, test } from 'vitest';
import { isThorough } from '../support/thorough.ts';
import { nodeWithSqlite, runFixture } from './support/other-node.ts';

const model = new URL('core/model-run.ts', import.meta.url);
const suite = new URL('core/suite-run.ts', import.meta.url);

/** Runs of the model. */
const runs = isThorough ? { 'built-in': '60', wasm: '12', sealed: '6' } : { 'built-in': '15', wasm: '4', sealed: '3' };

/** On a loaded machine. */
const patience = { timeout: 240_000 };

/** Which checks of the suite failed; it says of each what became of it. */
async function failuresOn(node: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  const said = await runFixture(suite, node, env).catch(String);
  expect(said.match(/^ok /gm)?.length).toBeGreaterThan(15);
  return said.replaceAll(/^ok .*$/gm, '').trim();
}

describe.runIf(nodeWithSqlite !== null)("databases on the runtime's own SQLite", () => {
  test('hold what a simple model of the standard holds, whatever is done to them', patience, async () => {
    expect(await runFixture(model, nodeWithSqlite ?? '', { RUNS: runs['built-in'] })).toMatch(/^ok/m);
  });

  test('keep files, names, snapshots and schemas, and say what is damaged', patience, async () => {
    expect(await failuresOn(nodeWithSqlite ?? '')).toBe('');
  });
});

describe('databases on SQLite in WebAssembly', () => {
  test('hold what a simple model of the standard holds, whatever is done to them', patience, async () => {
    expect(await runFixture(model, process.execPath, { RUNS: runs.wasm, DRIVER: 'wasm' })).toMatch(/^ok/m);
  });

  test('keep files, names, snapshots and schemas, and say what is damaged', patience, async () => {
    expect(await failuresOn(process.execPath, { DRIVER: 'wasm' })).toBe('');
  });
});

describe('databases that are encrypted', () => {
  test('hold what a simple model of the standard holds, whatever is done to them', patience, async () => {
    expect(await runFixture(model, process.execPath, { RUNS: runs.sealed, DRIVER: 'sealed' })).toMatch(/^ok/m);
  });

  test('keep files, names, snapshots and schemas, and say what is damaged', patience, async () => {
    expect(await failuresOn(process.execPath, { DRIVER: 'sealed' })).toBe('');
  });
});
