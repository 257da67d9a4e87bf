import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The test that runs now, as the end of a command that runs it alone: its file, and its name as a pattern. */
export function thisTest(): string {
  const { testPath = '', currentTestName = '' } = expect.getState();
  const name = currentTestName.split(' > ').at(-1) ?? '';
  const pattern = name.replaceAll(/[$()*+.?[\\\]^{|}]/g, '\\$&').replaceAll("'", '.');
  return `${path.relative(root, testPath)} -t '${pattern}'`;
}
