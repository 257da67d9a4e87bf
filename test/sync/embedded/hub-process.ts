import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { bundleFixture } from '../../support/bundle.ts';

const cli = bundleFixture(new URL('../../../src/cli/main.ts', import.meta.url));

export interface HubProcessOptions {
  readonly root?: string;
  readonly args?: readonly string[];
  readonly token?: string;
  /** How many it may have open, by the shell's `ulimit`. */
  readonly descriptors?: number;
}

/** `holdfast hub` in a process of its own, over a temporary root. */
export class HubProcess {
  readonly token: string;
  readonly folder: string;
  readonly root: string;
  url = '';
  /** What it has printed so far, on both streams. */
  output = '';
  #child: ChildProcess | null = null;
  readonly #args: readonly string[];
  readonly #descriptors: number | undefined;

  private constructor({ root, args = [], token = `token-${crypto.randomUUID()}`, descriptors }: HubProcessOptions) {
    this.#descriptors = descriptors;
    this.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-hub-'));
    this.root = root ?? path.join(this.folder, 'root');
    this.token = token;
    this.#args = args;
    fs.writeFileSync(this.tokenFile, `${token}\n`, { mode: 0o600 });
  }

  /** Rejects when it ends instead of listening. */
  static async start(options: HubProcessOptions = {}): Promise<HubProcess> {
    const hub = new HubProcess(options);
    await hub.#start('0');
    return hub;
  }

  get tokenFile(): string {
    return path.join(this.folder, 'token');
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  async #start(port: string): Promise<void> {
    const args = [await cli, 'hub', '--root', this.root, '--token-file', this.tokenFile, '--port', port, ...this.#args];
    const limited = this.#descriptors === undefined ? [process.execPath, ...args] : ['bash', '-c', `ulimit -n ${this.#descriptors}; exec "$@"`, 'bash', process.execPath, ...args];
    const [command = '', ...rest] = limited;
    const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const before = this.output.length;
    const line = new Promise<string>((resolve, reject) => {
      const look = (chunk: Buffer): void => {
        this.output += chunk.toString();
        const [, url] = /listening on (\S+), /.exec(this.output.slice(before)) ?? [];
        if (url !== undefined) resolve(url);
      };
      child.stdout.on('data', look);
      child.stderr.on('data', look);
      child.once('close', () => reject(new Error(`the hub ended: ${this.output.slice(before)}`)));
    });
    this.url = await line;
  }

  /** Kills it as a crash would, and starts it again on the same data and port. */
  async crash(): Promise<void> {
    await this.kill();
    await this.#start(new URL(this.url).port);
  }

  async kill(): Promise<void> {
    await this.signal('SIGKILL');
  }

  /** Resolves to the exit code once it has ended. */
  async signal(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.#child;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const closed = once(child, 'close');
    child.kill(signal);
    await closed;
    return child.exitCode;
  }

  /** Kills it and deletes what it had. */
  async remove(): Promise<void> {
    await this.kill();
    fs.rmSync(this.folder, { recursive: true, force: true });
  }
}
