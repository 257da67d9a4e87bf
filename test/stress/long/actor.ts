import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import { now, type Death } from '../history.ts';
import type { ActorOptions, Order } from './actor-fixture.ts';

/** A process that works. It does one order after another. */
export class Actor {
  readonly name: string;
  readonly exit: Promise<readonly [code: number | null, signal: string | null]>;
  readonly #child: ChildProcess;
  #last: Promise<void>;
  #isWorking = false;
  #orders = 0;
  /** Whether it was killed from here. */
  isKilled = false;

  constructor(program: string, options: ActorOptions) {
    this.name = options.realm;
    this.#child = fork(program, [JSON.stringify(options)], { execArgv: [] });
    this.#child.on('error', () => {}); // Such as a message to one that is dead by now.
    this.exit = once(this.#child, 'exit') as Promise<[number | null, string | null]>;
    this.#last = this.#answer();
    void this.exit.then(() => (this.#isWorking = false));
  }

  /** Whether its threads are at work, and nothing else is asked of it. */
  get isWorking(): boolean {
    return this.#isWorking && this.#orders === 0;
  }

  /** Resolves when it is done, or the process has ended. */
  tell(order: Order): Promise<void> {
    this.#orders++;
    this.#last = this.#last.then(() => this.#obey(order));
    return this.#last;
  }

  async #obey(order: Order): Promise<void> {
    if (this.#child.connected) {
      this.#child.send(order);
      await this.#answer();
    }
    this.#orders--;
    if (order !== 'terminate') this.#isWorking = order.phase === 'work';
  }

  async #answer(): Promise<void> {
    const end = new AbortController();
    await Promise.race([once(this.#child, 'message', { signal: end.signal }).catch(() => {}), this.exit]);
    end.abort();
  }

  async kill(): Promise<Death> {
    const signalled = now();
    this.isKilled = true;
    this.#child.kill('SIGKILL');
    await this.exit;
    return { signalled, gone: now() };
  }

  stop(): void {
    this.#child.kill('SIGSTOP');
  }

  resume(): void {
    this.#child.kill('SIGCONT');
  }

  /** Whether each of its threads stands still; only Linux tells. */
  get isStill(): boolean {
    const tasks = `/proc/${this.#child.pid}/task`;
    try {
      return fs.readdirSync(tasks).every((task) => /^State:\s+[TtZX]/m.test(fs.readFileSync(`${tasks}/${task}/status`, 'utf8')));
    } catch {
      return false;
    }
  }
}
