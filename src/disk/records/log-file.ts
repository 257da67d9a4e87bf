import fs from 'node:fs';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { fdatasyncLater } from '../../runtime/more-descriptor-calls.ts';
import { syncPath } from '../root/durable.ts';
import { closeQuietly } from '../tree/open-plain.ts';

/**
 * A database's write-ahead log: its size, and having the disk keep it, in the thread pool. One sync is under way at a time; all who ask
 * meanwhile share the next, since one that has begun may miss what they wrote. The log may be opened by us: SQLite puts
 * no locks on it.
 */
export class LogFile {
  readonly #log: string;
  readonly #directory: string;
  #descriptor: number | null = null;
  #isNamed = false;
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
      await fdatasyncLater(this.#openNamed(), this.#log);
    } finally {
      this.#running = null;
    }
  }

  get isSyncing(): boolean {
    return this.#running !== null;
  }

  /** In bytes. The log is there as long as a connection is, once anything was read. */
  get size(): number {
    return fs.fstatSync(this.#open()).size;
  }

  /** Less at its end. */
  read(length: number, at: number): Uint8Array {
    const bytes = new Uint8Array(length);
    return bytes.subarray(0, fs.readSync(this.#open(), bytes, 0, length, at));
  }

  #open(): number {
    return (this.#descriptor ??= withDescriptor(() => fs.openSync(this.#log, 'r')));
  }

  /** The first time the log's name is kept, too. */
  #openNamed(): number {
    const descriptor = this.#open();
    if (!this.#isNamed) syncPath(this.#directory);
    this.#isNamed = true;
    return descriptor;
  }

  /** To be called when no sync is asked for any more, or the log is about to go, as it does with the last connection. */
  close(): void {
    const descriptor = this.#descriptor;
    this.#descriptor = null;
    this.#isNamed = false;
    if (descriptor === null) return;
    const close = (): void => closeQuietly(descriptor);
    if (this.#running === null) close();
    else void this.#running.then(close, close);
  }
}
