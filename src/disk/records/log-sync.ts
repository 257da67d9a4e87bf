import fs from 'node:fs';
import { fdatasyncLater } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { syncPath } from '../root/durable.ts';

/**
 * Has the disk keep a database's write-ahead log, in the thread pool. One sync is under way at a time; all who ask
 * meanwhile share the next, since one that has begun may miss what they wrote. The log may be opened by us: SQLite puts
 * no locks on it.
 */
export class LogSync {
  readonly #log: string;
  readonly #directory: string;
  #descriptor: number | null = null;
  #running: Promise<void> | null = null;
  #next: Promise<void> | null = null;

  constructor(log: string, directory: string) {
    this.#log = log;
    this.#directory = directory;
  }

  /** Resolves when what is in the log now is on the disk. */
  sync(): Promise<void> {
    if (this.#running === null) return (this.#running = this.#run());
    return (this.#next ??= this.#afterRunning(this.#running));
  }

  async #afterRunning(running: Promise<void>): Promise<void> {
    await running.catch(() => undefined);
    this.#next = null;
    await (this.#running = this.#run());
  }

  async #run(): Promise<void> {
    try {
      await fdatasyncLater(this.#open());
    } finally {
      this.#running = null;
    }
  }

  /** The log is there as long as a connection is; its name is on the disk from the first sync on. */
  #open(): number {
    if (this.#descriptor !== null) return this.#descriptor;
    const descriptor = withDescriptor(() => fs.openSync(this.#log, 'r'));
    this.#descriptor = descriptor;
    syncPath(this.#directory);
    return descriptor;
  }

  /** To be called while no sync is under way, or before what it syncs matters no more. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    if (descriptor === null) return;
    const close = (): void => fs.closeSync(descriptor);
    if (this.#running === null) close();
    else void this.#running.then(close, close);
  }
}
