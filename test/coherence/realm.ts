import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { bundleFixture } from '../support/bundle.ts';
import type { commands, RealmOptions } from './realm-fixture.ts';

type Commands = typeof commands;
type Name = keyof Commands;

interface Answer {
  readonly call: number;
  readonly result?: unknown;
  readonly error?: string;
}

const fixture = bundleFixture(new URL('./realm-fixture.ts', import.meta.url));

/** A host in another process, or in another thread of this one. */
export class Realm {
  readonly #target: ChildProcess | Worker;
  readonly #calls = new Map<number, (answer: Answer) => void>();
  #count = 0;
  /** With what it ends. */
  readonly exit: Promise<unknown>;

  private constructor(target: ChildProcess | Worker) {
    this.#target = target;
    this.exit = once(target, 'exit').then(([code]) => code as unknown);
    target.on('message', (answer: Answer) => this.#calls.get(answer.call)?.(answer));
  }

  /** `preload`: a module that is imported before. */
  static async start(options: RealmOptions, preload?: string): Promise<Realm> {
    const execArgv = preload === undefined ? [] : ['--import', preload];
    return new Realm(fork(await fixture, [JSON.stringify(options)], { execArgv, serialization: 'advanced' }));
  }

  static async startThread(options: RealmOptions): Promise<Realm> {
    return new Realm(new Worker(await fixture, { workerData: options, execArgv: [] }));
  }

  async ask<N extends Name>(name: N, ...args: Parameters<Commands[N]>): Promise<Awaited<ReturnType<Commands[N]>>> {
    const call = ++this.#count;
    const { result, error } = await new Promise<Answer>((resolve) => {
      this.#calls.set(call, resolve);
      this.#send({ call, name, args });
    });
    if (error !== undefined) throw new Error(error);
    return result as Awaited<ReturnType<Commands[N]>>;
  }

  #send(message: object): void {
    if (this.#target instanceof Worker) this.#target.postMessage(message);
    else this.#target.send(message);
  }

  async kill(): Promise<void> {
    if (this.#target instanceof Worker) await this.#target.terminate();
    else this.#target.kill('SIGKILL');
    await this.exit;
  }
}
