import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { afterEach, expect, test } from 'vitest';
import '../../src/host/indexed-db/provided.ts';
import { bundleFixture } from '../support/bundle.ts';
import { mulberry32 } from '../support/mulberry32.ts';
import { closeAll, keeperOf } from './coordinators.ts';
import { Canaries, key, newRoot, open, ORIGIN, until } from './parts.ts';

/** More behind an environment variable; see CONTRIBUTING.md. */
const KILLS = Number(process.env['HOLDFAST_KILLS'] ?? 4);

/** Kills of one root, after which it is encrypted. */
const OF_ROOT = 4;

afterEach(closeAll);

class Worker {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  said = '';
  #errors = '';

  constructor(fixture: string, work: 'fill' | 'write' | 'encrypt', root: string, canary: string) {
    this.#child = spawn(process.execPath, [fixture, work, root, Buffer.from(key).toString('hex'), canary], { stdio: ['ignore', 'inherit', 'pipe', 'pipe'] });
    this.#child.stdio[3]?.on('data', (bytes: Buffer) => (this.said += bytes.toString()));
    this.#child.stderr?.on('data', (bytes: Buffer) => (this.#errors += bytes.toString()));
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  get lines(): string[] {
    return this.said.split('\n').slice(0, -1);
  }

  async more(count: number): Promise<void> {
    const goal = this.lines.length + count;
    await until(() => this.lines.length >= goal || this.#child.exitCode !== null);
    this.#requireWell();
  }

  /** Resolves when it has ended by itself, or by a kill. */
  async end(): Promise<void> {
    await this.#ended;
    this.#requireWell();
  }

  kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    return this.end();
  }

  #requireWell(): void {
    if ((this.#child.exitCode ?? 0) !== 0) throw new Error(`a process has failed: ${this.#errors}`);
  }
}

/** As if its owner had been dead for a while. */
function forgetLock(root: string): void {
  const lock = path.join(root, 'maintenance.lock');
  if (fs.existsSync(lock)) fs.utimesSync(lock, 0, 0);
}

test('killed while coordinators are encrypted and two processes run them: all that was told is there, no call fails, and nothing is plain in the end', { timeout: 30_000 * KILLS }, async () => {
  const fixture = await bundleFixture(new URL('coordinators-move.fixture.ts', import.meta.url));
  const random = mulberry32(KILLS);
  for (let kills = 0; kills < KILLS; kills += OF_ROOT) {
    const root = newRoot();
    const canaries = new Canaries();
    const canary = canaries.new();
    const told = new Map<string, number>();
    const note = ({ lines }: Worker): void => {
      for (const [name = '', version = ''] of lines.map((line) => line.split(' '))) told.set(name, Math.max(told.get(name) ?? 0, Number(version)));
    };
    const filler = new Worker(fixture, 'fill', root, canary);
    await filler.end();
    note(filler);
    const start = (): Worker => new Worker(fixture, 'write', root, canary);
    const writers = [start(), start()];
    for (let kill = 0; kill < OF_ROOT; kill += 1) {
      const encrypting = new Worker(fixture, 'encrypt', root, canary);
      await encrypting.more(1);
      await new Promise((resolve) => setTimeout(resolve, random() * 200));
      await encrypting.kill();
      forgetLock(root);
      const at = Math.floor(random() * writers.length);
      const writer = writers[at] as Worker;
      await writer.kill();
      note(writer);
      writers[at] = start();
      await Promise.all(writers.map((each) => each.more(1)));
    }
    for (const writer of writers) {
      await writer.kill();
      note(writer);
    }
    await open(root, { key, plain: 'migrate' }).encrypt(ORIGIN);
    expect(canaries.foundIn(root)).toEqual([]);
    const { keeper, close } = keeperOf(open(root), canary);
    for (const [at, version] of told) {
      const found = keeper(at === '0' ? canary : canary.repeat(20));
      expect(Number(await found.get('count'))).toBeGreaterThanOrEqual(version);
      expect(await found.get(canary)).toMatch(new RegExp(`^(${canary} \\d+ ){300}$`));
      expect(await found.readFile(`${canary} file`)).toMatch(new RegExp(`^(${canary} \\d+ ){300}$`));
      // What was set last has fired, or fires.
      await until(async () => (await found.getAlarm()) === null);
      expect(await found.alarms()).toBeGreaterThan(0);
    }
    for (let n = 0; n < 12; n += 1) expect(await keeper(`${canary} rest ${n}`).get(canary)).toBe(canary);
    await close();
    expect(canaries.foundIn(root)).toEqual([]);
  }
  fs.rmSync(fixture);
});
