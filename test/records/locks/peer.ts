import { spawn, type ChildProcess } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import { bundleFixture } from '../../support/bundle.ts';
import type { commands } from './peer-fixture.ts';

type Commands = typeof commands;

interface Message {
  readonly call?: number;
  readonly result?: unknown;
  readonly error?: string;
  readonly event?: string;
  readonly id?: number;
  readonly message?: string;
  readonly newVersion?: number | null;
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
}

export type PeerKind = 'process' | 'worker';

const fixture = bundleFixture(new URL('./peer-fixture.ts', import.meta.url));

/** A realm elsewhere: in another process, or in a thread of this one. */
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

  static async start(kind: PeerKind, bucket: string): Promise<Peer> {
    const file = await fixture;
    const target =
      kind === 'worker' ? new Worker(file, { workerData: bucket }) : spawn(process.execPath, [file, bucket], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const peer = new Peer(target);
    await peer.event('ready', 0);
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

  /** The next event of that name about `id`; what has come already counts, once. */
  async event(name: string, id: number): Promise<Message> {
    for (;;) {
      const index = this.#events.findIndex((message) => message.event === name && message.id === id);
      const [found] = index < 0 ? [] : this.#events.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** How many events of that name about `id` have come and were not taken. */
  count(name: string, id: number): number {
    return this.#events.filter((message) => message.event === name && message.id === id).length;
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#target instanceof Worker) throw new Error('a worker takes no signals');
    this.#target.kill(signal);
  }

  /** Ends it without giving it a chance to do anything. */
  async kill(): Promise<void> {
    if (this.#target instanceof Worker) await this.#target.terminate();
    else if (this.#target.exitCode === null && this.#target.signalCode === null) this.signal('SIGKILL');
    await this.exited;
  }

  #send(message: object): void {
    if (this.#target instanceof Worker) this.#target.postMessage(message);
    else this.#target.send(message);
  }

  #receive(message: Message): void {
    if (message.call !== undefined) return this.#calls.get(message.call)?.(message);
    this.#events.push(message);
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}
