import { spawn, type ChildProcess } from 'node:child_process';
import fs from 'node:fs';
import { Worker } from 'node:worker_threads';

/** What a peer says: the answer to a call, or that something has happened. */
export interface PeerMessage {
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

export type PeerKind = 'process' | 'worker' | 'namespace';

/** What a peer can be told to do, by name. */
export type Commands = Record<string, (...args: never[]) => unknown>;

/**
 * A realm elsewhere, which does what it is told: in another process, in a thread of this one, or in another PID
 * namespace. Its side is `peer-service.ts`.
 */
export class Peer<C extends Commands> {
  readonly #target: ChildProcess | Worker;
  readonly #calls = new Map<number, (message: PeerMessage) => void>();
  readonly #events: PeerMessage[] = [];
  #waiters: (() => void)[] = [];
  #callCount = 0;
  readonly exited: Promise<number | null>;

  private constructor(target: ChildProcess | Worker) {
    this.#target = target;
    target.on('message', (message: PeerMessage) => this.#receive(message));
    this.exited = new Promise((resolve) => target.once('exit', (code: number | null) => resolve(code)));
  }

  /** Starts a realm that runs `file`, and waits until it is ready. */
  static async start<C extends Commands>(kind: PeerKind, file: string, options: unknown): Promise<Peer<C>> {
    const peer = new Peer<C>(launch(kind, file, options));
    await peer.event('ready');
    return peer;
  }

  async call<Name extends keyof C>(name: Name, ...args: Parameters<C[Name]>): Promise<Awaited<ReturnType<C[Name]>>> {
    const call = ++this.#callCount;
    const answer = new Promise<PeerMessage>((resolve) => this.#calls.set(call, resolve));
    this.#send({ call, name, args });
    const { result, error } = await answer;
    if (error !== undefined) throw new Error(error);
    return result as Awaited<ReturnType<C[Name]>>;
  }

  /** The next event of that name, about `id` if given; what has come already counts, once. */
  async event(name: string, id?: number): Promise<PeerMessage> {
    for (;;) {
      const index = this.#events.findIndex((message) => message.event === name && (id === undefined || message.id === id));
      const [found] = index < 0 ? [] : this.#events.splice(index, 1);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#waiters.push(resolve));
    }
  }

  /** How many events of that name about `id` have come and were not taken. */
  count(name: string, id: number): number {
    return this.#events.filter((message) => message.event === name && message.id === id).length;
  }

  /** Sends a signal to the process that is the peer, which in a namespace is the child of the one that was started. */
  signal(signal: NodeJS.Signals): void {
    if (this.#target instanceof Worker) throw new Error('a worker takes no signals');
    process.kill(pidOf(this.#target), signal);
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

  #receive(message: PeerMessage): void {
    if (message.call !== undefined) return this.#calls.get(message.call)?.(message);
    this.#events.push(message);
    for (const waiter of this.#waiters.splice(0)) waiter();
  }
}

function pidOf({ pid = 0, spawnfile }: ChildProcess): number {
  if (spawnfile !== 'unshare') return pid;
  return Number(fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim());
}

function launch(kind: PeerKind, file: string, options: unknown): ChildProcess | Worker {
  if (kind === 'worker') return new Worker(file, { workerData: options });
  const node = [process.execPath, file, JSON.stringify(options)];
  const [command = '', ...args] = kind === 'process' ? node : ['unshare', '--pid', '--fork', '--kill-child', '--mount-proc', ...node];
  // Some versions of unshare complain on stderr when their child is killed.
  const stderr = kind === 'namespace' ? 'ignore' : 'inherit';
  return spawn(command, args, { stdio: ['ignore', 'inherit', stderr, 'ipc'] });
}
