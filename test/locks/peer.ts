import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';
import { bundleFixture } from '../support/bundle.ts';
import type { commands, PeerOptions } from './peer-fixture.ts';

type Commands = typeof commands;

interface Message {
  readonly call?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly event?: string;
  readonly id?: number;
  readonly message?: string;
}

export type PeerKind = 'process' | 'worker' | 'namespace';

const fixture = bundleFixture(new URL('./peer-fixture.ts', import.meta.url));

/** A realm elsewhere: in another process, in a thread of this one, or in another PID namespace. */
export class Peer {
  readonly #target: ChildProcess | Worker;
  readonly #calls = new Map<number, (message: Message) => void>();
  readonly #events: Message[] = [];
  #waiters: (() => void)[] = [];
  #callCount = 0;
  readonly exited: Promise<number | null>;

  private constructor(target: ChildProcess | Worker) {
    this.#target = target;
    target.on('message', (message: Message) => this.#receive(message));
    this.exited = new Promise((resolve) => target.once('exit', (code: number | null) => resolve(code)));
  }

  static async start(kind: PeerKind, options: PeerOptions): Promise<Peer> {
    const peer = new Peer(await launch(kind, options));
    await peer.event('ready');
    return peer;
  }

  async call<Name extends keyof Commands>(name: Name, ...args: Parameters<Commands[Name]>): Promise<Awaited<ReturnType<Commands[Name]>>> {
    const call = ++this.#callCount;
    const answer = new Promise<Message>((resolve) => this.#calls.set(call, resolve));
    this.#send({ call, name, args });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return result as Awaited<ReturnType<Commands[Name]>>;
  }

  /** The next event of that name, about `id` if given; what has come already counts, once. */
  async event(name: string, id?: number): Promise<Message> {
    for (;;) {
      const index = this.#events.findIndex((message) => message.event === name && (id === undefined || message.id === id));
      const [found] = index < 0 ? [] : this.#events.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  has(name: string, id: number): boolean {
    return this.#events.some((message) => message.event === name && message.id === id);
  }

  /** Sends a signal to the process that is the peer, which in a namespace is the child of the one that was started. */
  signal(signal: NodeJS.Signals): void {
    if (this.#target instanceof Worker) throw new Error('a worker takes no signals');
    process.kill(this.#pid(this.#target), signal);
  }

  /** Ends it without giving it a chance to do anything. */
  async kill(): Promise<void> {
    if (this.#target instanceof Worker) await this.#target.terminate();
    else if (this.#target.exitCode === null && this.#target.signalCode === null) this.signal('SIGKILL');
    await this.exited;
  }

  #pid(child: ChildProcess): number {
    const { pid = 0 } = child;
    if (child.spawnfile !== 'unshare') return pid;
    return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
  }

  #send(message: unknown): void {
    if (this.#target instanceof Worker) this.#target.postMessage(message);
    else this.#target.send(message as object);
  }

  #receive(message: Message): void {
    if (message.call !== undefined) {
      this.#calls.get(message.call)?.(message);
      return;
    }
    this.#events.push(message);
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}

async function launch(kind: PeerKind, options: PeerOptions): Promise<ChildProcess | Worker> {
  const file = await fixture;
  if (kind === 'worker') return new Worker(file, { workerData: options });
  const node = [process.execPath, file, JSON.stringify(options)];
  const [command = '', ...args] = kind === 'process' ? node : ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...node];
  // Some versions of unshare complain on stderr when their child is killed.
  const stderr = kind === 'namespace' ? 'ignore' : 'inherit';
  return spawn(command, args, { stdio: ['ignore', 'inherit', stderr, 'ipc'] });
}
