import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bundleFixture } from '../support/bundle.ts';

const fixture = bundleFixture(new URL('./hub-fixture.ts', import.meta.url));

/**
 * What a process that uses a hub has said when it has ended by itself.
 *
 * @param meanwhile what is done between what it says first and its going on, when it is to wait
 */
export async function runHubProcess(program: string, engine: string, options: object, what: string, meanwhile?: () => Promise<void>): Promise<string> {
  const child = spawn(process.execPath, [program, engine, JSON.stringify(options), what], { stdio: ['pipe', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (text: Buffer) => (output += text.toString()));
  const exit = once(child, 'exit');
  if (meanwhile !== undefined) {
    await once(child.stdout, 'data');
    await meanwhile();
    child.stdin.end('go on');
  }
  const [code, signal] = (await exit) as [number | null, string | null];
  return code === 0 ? output.trim() : `exit ${code ?? signal}: ${output}`;
}

export function hubProgram(): Promise<string> {
  return fixture;
}

/** The same program where no package can be found. */
export async function hubProgramAlone(): Promise<string> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-alone-'));
  const copy = path.join(folder, 'program.mjs');
  fs.copyFileSync(await fixture, copy);
  return copy;
}
