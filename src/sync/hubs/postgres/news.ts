import type { Client } from 'pg';
import { type Timer, clearTimeout, setInterval, setTimeout } from '../../../runtime/timers.ts';
import { Subscribers } from '../subscribers.ts';
import type { Unsubscribe } from '../../hub.ts';
import { destroy, unref, type Connections } from './connection.ts';
import { channelOf } from './schema.ts';
import type { Statements } from './statements.ts';

/** Milliseconds to wait before connecting again, at first and at most. */
const FIRST_WAIT = 100;
const LONGEST_WAIT = 10_000;

/**
 * Tells subscribers of news. Notifications are fast and may get lost, with the connection that listens or with a pooler
 * between; looking at the heads now and then is slow and finds everything. Works while there are subscribers, and keeps
 * no process alive.
 */
export class News {
  readonly #connections: Connections;
  readonly #statements: Statements;
  readonly #schema: string;
  readonly #pollInterval: number;
  readonly #subscribers = new Subscribers(() => this.#adapt());
  /** By key; of logs with subscribers. */
  readonly #heads = new Map<string, number>();
  #listener: Client | null = null;
  #timers: readonly Timer[] = [];
  #working = false;
  #polling = false;

  constructor(connections: Connections, statements: Statements, schema: string, pollInterval: number) {
    this.#connections = connections;
    this.#statements = statements;
    this.#schema = schema;
    this.#pollInterval = pollInterval;
  }

  /** @param key the log's, in hexadecimal */
  subscribe(key: string, onNews: () => void): Unsubscribe {
    if (this.#connections.lifetime.ended) return () => undefined;
    return this.#subscribers.add(key, onNews);
  }

  close(): void {
    this.#subscribers.clear();
  }

  #adapt(): void {
    const wanted = this.#subscribers.size > 0;
    if (wanted === this.#working) return;
    this.#working = wanted;
    if (wanted) this.#start();
    else this.#stop();
  }

  #start(): void {
    this.#listen(FIRST_WAIT);
    this.#timers = [setInterval(() => void this.#poll(), this.#pollInterval).unref()];
  }

  #stop(): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers = [];
    this.#heads.clear();
    const listener = this.#listener;
    this.#listener = null;
    if (listener !== null) destroy(listener);
  }

  #listen(wait: number): void {
    this.#connect().then(
      // What was appended before it listened would never be told.
      () => this.#subscribers.wakeAll(),
      () => this.#listenLater(wait),
    );
  }

  #listenLater(wait: number): void {
    if (!this.#working) return;
    // At random, so that not all come at once when the server is back.
    const timer = setTimeout(() => this.#listen(Math.min(wait * 2, LONGEST_WAIT)), wait * (0.5 + Math.random())).unref();
    this.#timers = [...this.#timers.slice(0, 1), timer];
  }

  async #connect(): Promise<void> {
    const client = await this.#connections.client();
    if (!this.#working || this.#listener !== null) return;
    this.#listener = client;
    client.on('error', () => undefined);
    client.on('notification', ({ payload = '' }) => this.#subscribers.wake(payload));
    try {
      await client.connect();
      unref(client);
      await client.query(`listen "${channelOf(this.#schema)}"`);
    } catch (error) {
      this.#forget(client);
      throw error;
    }
    client.once('end', () => this.#forget(client) && this.#listenLater(FIRST_WAIT));
  }

  /** False when it was not the one that listens, such as when it was ended on purpose. */
  #forget(client: Client): boolean {
    destroy(client);
    if (this.#listener !== client) return false;
    this.#listener = null;
    return true;
  }

  async #poll(): Promise<void> {
    // One at a time: a server that hangs must not find all of them when it is back.
    if (this.#polling) return;
    this.#polling = true;
    const keys = this.#subscribers.keys().map((key) => Buffer.from(key, 'hex'));
    try {
      const rows = await this.#connections.rows<{ key: string; head: number }>(this.#statements.heads([keys]));
      for (const { key, head } of rows) this.#sawHead(key, head);
    } catch {
      // It is away, or the hub was closed meanwhile.
    } finally {
      this.#polling = false;
    }
  }

  #sawHead(key: string, head: number): void {
    const before = this.#heads.get(key);
    this.#heads.set(key, head);
    if (before !== head) this.#subscribers.wake(key);
  }
}
