import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { bundleFixture } from '../support/bundle.ts';
import type { commands, RealmOptions } from './realm-fixture.ts';

type Commands = typeof commands;

const fixture = bundleFixture(new URL('./realm-fixture.ts', import.meta.url));

/** A host in another process. */
export class Realm {
  readonly #child: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #calls = new Map<number, (message: { result?: unknown; error?: string }) => void>();
  #count = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    this.#exit = once(child, 'exit');
    child.on('message', (message: { call: number; result?: unknown; error?: string }) => this.#calls.get(message.call)?.(message));
  }

  /** `preload`: a module that is imported before. */
  static async start(options: RealmOptions, preload?: string): Promise<Realm> {
    const execArgv = preload === undefined ? [] : ['--import', preload];
    return new Realm(fork(await fixture, [JSON.stringify(options)], { execArgv, serialization: 'advanced' }));
  }

  async ask<Name extends keyof Commands>(name: Name, ...args: Parameters<Commands[Name]>): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const call = ++this.#count;
    const { result, error } = await new Promise<{ result?: unknown; error?: string }>((resolve) => {
      this.#calls.set(call, resolve);
      this.#child.send({ call, name, args });
    });
    if (error !== undefined) throw new Error(error);
    return result as Awaited<ReturnType<Commands[Name]>>;
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}
