import { type ChildProcess, execFile, spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { run } from '../../src/cli/run.ts';
import { bundleFixture } from '../support/bundle.ts';

export const ORIGIN = 'https://a.example';
export const FOR = ['--origin', ORIGIN] as const;

const program = bundleFixture(new URL('./program.ts', import.meta.url));
const neighbour = bundleFixture(new URL('./neighbour-fixture.ts', import.meta.url));

export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export function temporary(): string {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-cli-'));
  onTestFinished(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The command, run in a root's environment. */
export function commandOf(root: string): (...args: readonly string[]) => Promise<Ended> {
  return (...args) => runCommand(root, args);
}

export async function runCommand(root: string, args: readonly string[], input?: string | Buffer): Promise<Ended> {
  const file = await program;
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [file, ...args], { env: { ...process.env, HOLDFAST_ROOT: root }, encoding: 'utf8', maxBuffer: 2 ** 28 }, (error, out, err) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1, out, err });
    });
    if (input !== undefined) child.stdin?.end(input);
  });
}

/** The command as a process that goes on. */
export async function startCommand(root: string, args: readonly string[]): Promise<RunningProcess> {
  return new RunningProcess(spawn(process.execPath, [await program, ...args], { env: { ...process.env, HOLDFAST_ROOT: root }, stdio: 'pipe' }));
}

/** A process whose output is awaited. */
export class RunningProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  output = '';
  errors = '';
  #heard = (): void => {};

  constructor(child: ChildProcess) {
    this.child = child;
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.output += text;
      this.#heard();
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.errors += text;
      this.#heard();
    });
    this.ended = new Promise((resolve) => child.once('exit', (code) => {
      resolve(code);
      this.#heard();
    }));
    onTestFinished(() => void child.kill('SIGKILL'));
  }

  /** Resolves when what was put out so far fulfils it. */
  async until<T>(found: () => T | null | undefined | false): Promise<T> {
    for (;;) {
      const result = found();
      if (result) return result;
      if (this.child.exitCode !== null) throw new Error(`it has ended: ${this.errors}`);
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }
}

/** Another process that uses a root's origin. */
export class Neighbour extends RunningProcess {
  #taken = 0;

  static async start(root: string, origin: string = ORIGIN): Promise<Neighbour> {
    const started = new Neighbour(spawn(process.execPath, [await neighbour, root, origin], { stdio: 'pipe' }));
    await started.#next();
    return started;
  }

  /** What it has heard. */
  get events(): unknown[] {
    return this.#lines().flatMap(({ event }) => (event === undefined ? [] : [event]));
  }

  async tell(...order: readonly string[]): Promise<unknown> {
    this.child.stdin?.write(`${JSON.stringify(order)}\n`);
    const { result, error } = await this.#next();
    if (error !== undefined) throw Object.assign(new Error(`it failed: ${error}`), { name: error });
    return result;
  }

  async #next(): Promise<{ result?: unknown; error?: string }> {
    const answer = await this.until(() => this.#lines().filter(({ event }) => event === undefined)[this.#taken]);
    this.#taken += 1;
    return answer;
  }

  #lines(): { event?: unknown; result?: unknown; error?: string }[] {
    return this.output.split('\n').slice(0, -1).map((line) => JSON.parse(line) as { event?: unknown });
  }
}

/** In this process: what prints lines only, or is refused, needs no other. */
export async function runHere(root: string, args: readonly string[]): Promise<{ code: number; err: string; out: string }> {
  const [log, error, before] = [console.log, console.error, process.env['HOLDFAST_ROOT']];
  const said = { out: '', err: '' };
  console.log = (text: string) => (said.out += `${text}\n`);
  console.error = (text: string) => (said.err += `${text}\n`);
  process.env['HOLDFAST_ROOT'] = root;
  try {
    return { code: await run(args, () => '0'), ...said };
  } finally {
    [console.log, console.error] = [log, error];
    if (before === undefined) delete process.env['HOLDFAST_ROOT'];
    else process.env['HOLDFAST_ROOT'] = before;
  }
}
