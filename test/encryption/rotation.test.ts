import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { StorageHost } from '../../src/index.ts';
import { bundleFixture } from '../support/bundle.ts';
import { temporaryDirectory } from '../journal/support/place.ts';
import { CANARY, ORIGIN } from './rotation.ts';
import { treeHas } from './support.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 6);

const keys = [randomBytes(32), randomBytes(32)] as const;
const running: Worker[] = [];

/** A process that goes on until it is killed. */
class Worker {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #told = '';
  #heard = (): void => {};

  constructor(fixture: string, work: 'write' | 'change', root: string, name: string) {
    this.#child = spawn(process.execPath, [fixture, work, root, name, ...keys.map((key) => key.toString('hex'))], { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    this.#child.stdio[3]?.on('data', (bytes: Buffer) => {
      this.#told += bytes.toString();
      this.#heard();
    });
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve)).then(() => this.#heard());
    running.push(this);
  }

  get #lines(): string[] {
    return this.#told.split('\n').slice(0, -1);
  }

  /** Resolves when it has told of so many more steps. */
  async steps(count: number): Promise<void> {
    const goal = this.#lines.length + count;
    while (this.#lines.length < goal) {
      if (this.#child.exitCode !== null) throw new Error(`it has ended with ${this.#child.exitCode}`);
      await new Promise<void>((resolve) => (this.#heard = resolve));
    }
  }

  /** Kills it; the last thing that it has told. */
  async kill(): Promise<string> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    return this.#lines.at(-1) ?? '';
  }
}

afterEach(async () => {
  for (const worker of running.splice(0)) await worker.kill();
});

test('killed while keys change and two processes write, each keeps what was told, and nothing is plain', async () => {
  const fixture = await bundleFixture(new URL('rotation.fixture.ts', import.meta.url));
  const root = temporaryDirectory();
  const names = ['one', 'two'];
  const start = (name: string): Worker => new Worker(fixture, 'write', root, name);
  let writers = names.map(start);
  await Promise.all(writers.map((writer) => writer.steps(1)));
  for (let kill = 0; kill < KILLS; kill += 1) {
    const changer = new Worker(fixture, 'change', root, '');
    await changer.steps(1 + ((kill * 5) % 7));
    // Writers went on meanwhile, and go on after it is killed.
    await Promise.all(writers.map((writer) => writer.steps(2)));
    expect(await changer.kill()).toBe('changed');
    await Promise.all(writers.map((writer) => writer.steps(2)));
    forgetLock(root);
    if (kill % 3 !== 2) continue;
    const told = await Promise.all(writers.map((writer) => writer.kill()));
    await requireAll(root, names, told);
    expect(treeHas(root, CANARY)).toEqual([]);
    writers = names.map(start);
    await Promise.all(writers.map((writer) => writer.steps(1)));
  }
  fs.rmSync(fixture);
}, 600_000);

/** That of whoever was killed is anybody's in ten seconds, which nobody needs to wait for here. */
function forgetLock(root: string): void {
  const lock = path.join(root, 'maintenance.lock');
  if (fs.existsSync(lock)) fs.utimesSync(lock, 0, 0);
}

/** The last version that each has told of is there, or one more. */
async function requireAll(root: string, names: readonly string[], told: readonly string[]): Promise<void> {
  const host = new StorageHost({ root, encryption: { key: keys[0], previous: [keys[1]] } });
  const { localStorage } = host.origin(ORIGIN);
  for (const [index, name] of names.entries()) {
    const [version = '', value] = localStorage.getItem(name)?.split(':') ?? [];
    expect([0, 1]).toContain(Number(version) - Number(told[index]));
    expect(value).toBe(CANARY.repeat(200));
  }
  await host.close();
}
