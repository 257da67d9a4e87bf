import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Programs that install the globals themselves, in another way than the door does. */
const withoutDoor = new Set(['files']);

/** Starts one step of a program in a process of its own, with the globals over `root`. */
export function startStep(root: string, program: string, ...args: string[]): ChildProcess {
  const path = fileURLToPath(new URL(`programs/${program}.mjs`, import.meta.url));
  return spawn(process.execPath, [...(withoutDoor.has(program) ? [] : ['--import', 'holdfast/globals']), path, ...args], {
    cwd: fileURLToPath(new URL('../..', import.meta.url)),
    env: { ...process.env, HOLDFAST_ROOT: root, HOLDFAST_ORIGIN: 'https://app.example' },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Runs a step to its end. Gives what it printed last; it may print nothing to stderr. */
export async function step(root: string, program: string, ...args: string[]): Promise<unknown> {
  const child = startStep(root, program, ...args);
  const [lines, errors]: [string[], string[]] = [[], []];
  const collect = (stream: NodeJS.ReadableStream | null, into: string[]) => stream && createInterface({ input: stream }).on('line', (line) => into.push(line));
  collect(child.stdout, lines);
  collect(child.stderr, errors);
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0 || errors.length > 0) throw new Error(`${program} ${args.join(' ')} ended with ${code}: ${errors.join('\n')}`);
  return JSON.parse(lines.at(-1) ?? 'null');
}

/** Runs a step until it prints a line, kills it there, and gives the line. */
export async function killedStep(root: string, program: string, ...args: string[]): Promise<unknown> {
  const child = startStep(root, program, ...args);
  if (child.stdout === null || child.stderr === null) throw new Error('the streams of a step are pipes');
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text));
  const closed = once(child, 'close');
  const line = (await Promise.race([once(createInterface({ input: child.stdout }), 'line'), closed])) as [unknown];
  if (typeof line[0] !== 'string') throw new Error(`${program} ended by itself: ${errors}`);
  child.kill('SIGKILL');
  await closed;
  return JSON.parse(line[0]);
}
