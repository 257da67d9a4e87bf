// Runs one program on the bench's Node and returns the JSON that it prints.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { binaries } from './peers.mjs';

export function alone(program, ...args) {
  const path = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  const { status, stdout, stderr } = spawnSync(binaries.node, ['--no-warnings', '--expose-gc', path, ...args], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${program} failed: ${stderr}`);
  return JSON.parse(stdout);
}

export const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
