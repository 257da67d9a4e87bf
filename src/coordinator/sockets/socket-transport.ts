import type { Buffer } from 'node:buffer';
import net from 'node:net';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { errorCode, errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { uptime } from '../../runtime/timers.ts';
import type { Serving, Transport } from '../coordination.ts';
import type { Waiter } from '../event.ts';
import type { Route } from '../line.ts';
import type { Reply } from '../messages.ts';
import type { CoordinatorKey } from '../store.ts';
import { Connection } from './connection.ts';
import { decodeFrame } from './frames.ts';
import { CALL, failedFrame, integer, LIST, listedMessage, PING, PONG, readCall, SERVED, SERVES } from './messages.ts';
import { whenPatienceEnds } from './patience.ts';
import { LOOKS, Peer } from './peer.ts';
import { encodeReply, readPlainCall } from './plain-frames.ts';
import { SocketFolder } from './socket-folder.ts';

/** How long one that did not answer is not asked again, in milliseconds. */
const SUSPECT_MS = 15_000;

const SUSPECT_AFTER_MS = 5000;

export interface SocketTransportOptions {
  readonly directory: string;
  /** Makes the root, before anything is made in it. */
  readonly prepare: () => void;
  readonly classes: readonly string[];
  /** Whether the folder may say which classes are served; else whoever listens is asked. */
  readonly namesClasses: boolean;
  readonly serve: Serving;
  readonly suspectAfter?: number;
}

/**
 * Calls among the processes and threads of a root, by Unix sockets (named pipes on Windows). It keeps these invariants:
 *
 * - one that serves classes listens before it owns anything, and says so in its card after that;
 * - a connection that is refused proves that nobody is there: whoever ends, or is killed, listens no more;
 * - nothing of it keeps the process alive, but calls of its own that are under way.
 */
export class SocketTransport implements Transport {
  readonly address = randomInteger().toString(36);
  readonly #options: SocketTransportOptions;
  readonly #folder: SocketFolder;
  readonly #peers = new Map<string, Promise<Peer | null>>();
  readonly #connections = new Set<Connection>();
  /** Until when peers that did not answer are left alone. */
  readonly #suspects = new Map<string, number>();
  #server: net.Server | null = null;
  #listening: Promise<void> | null = null;
  #isClosed = false;

  constructor(options: SocketTransportOptions) {
    this.#options = options;
    this.#folder = new SocketFolder(options.directory);
  }

  /** Resolves when others can come here. @throws HoldfastError disk-failed */
  ready(): Promise<void> {
    return (this.#listening ??= outsideContexts(() => this.#listen()).catch((error: unknown) => {
      this.#listening = null;
      throw error;
    }));
  }

  async #listen(): Promise<void> {
    this.#makeFolder();
    const path = this.#folder.socketOf(this.address);
    const server = net.createServer((socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      server.once('error', (cause) => reject(new HoldfastError('disk-failed', `No socket can be made for calls of coordinators at ${path}: ${errorMessage(cause)}`, { cause })));
      // A worker of a cluster would otherwise have its primary listen, accept for it, and wait for callers when it is to end.
      server.listen({ path, exclusive: true }, resolve);
    });
    // Too many descriptors: whoever comes tries again.
    server.on('error', () => undefined);
    server.unref();
    this.#server = server;
    const { classes, namesClasses } = this.#options;
    this.#folder.write(this.address, namesClasses ? classes : null);
  }

  #makeFolder(): void {
    try {
      this.#options.prepare();
      this.#folder.ensure();
    } catch (cause) {
      if (cause instanceof HoldfastError) throw cause;
      throw new HoldfastError('disk-failed', `No folder for calls of coordinators can be made in ${this.#options.directory}: ${errorMessage(cause)}`, { cause });
    }
  }

  #accept(socket: net.Socket): void {
    const connection: Connection = new Connection(
      socket,
      (frame) => this.#take(connection, frame),
      () => this.#connections.delete(connection),
    );
    connection.onPart = this.#tellOfParts(connection);
    connection.keepAlive(false);
    this.#connections.add(connection);
  }

  /** Whoever sends a large frame is not answered before it is here, and would take that for silence. */
  #tellOfParts(connection: Connection): () => void {
    let toldAt = uptime();
    return () => {
      if (uptime() - toldAt < this.#suspectAfter / LOOKS) return;
      toldAt = uptime();
      connection.send([PONG]);
    };
  }

  #take(connection: Connection, frame: Buffer): void {
    const plain = readPlainCall(frame);
    if (plain === null) return this.#takeMessage(connection, decodeFrame(frame));
    this.#options.serve.call(plain.key, plain.call, new Answer(connection, plain.id));
  }

  #takeMessage(connection: Connection, message: readonly unknown[]): void {
    if (message[0] === PING) return connection.send([PONG]);
    if (message[0] === LIST) return connection.send(listedMessage(integer(message[1]), this.#options.serve.activities()));
    if (message[0] === SERVES) return connection.send([SERVED, integer(message[1]), this.#options.classes.includes(String(message[2]))]);
    if (message[0] !== CALL) return;
    const id = integer(message[1]);
    const { key, call } = readCall(message);
    this.#options.serve.call(key, call, new Answer(connection, id));
  }

  async reach(address: string, isDoubted: boolean): Promise<Peer | null> {
    if ((this.#suspects.get(address) ?? 0) > uptime() || this.#isClosed) return null;
    const known = this.#peers.get(address) ?? this.#connect(address);
    this.#peers.set(address, known);
    const peer = await known;
    return peer !== null && (!isDoubted || (await peer.answers())) ? peer : null;
  }

  async #connect(address: string): Promise<Peer | null> {
    const socket = await this.#open(address);
    if (socket === null) {
      this.#peers.delete(address);
      return null;
    }
    return new Peer(socket, {
      suspectAfter: this.#suspectAfter,
      onEnd: (isSuspect) => {
        this.#peers.delete(address);
        if (isSuspect) this.#suspects.set(address, uptime() + SUSPECT_MS);
      },
    });
  }

  get #suspectAfter(): number {
    return this.#options.suspectAfter ?? SUSPECT_AFTER_MS;
  }

  /** Null: nobody listens there. */
  #open(address: string): Promise<net.Socket | null> {
    return outsideContexts(
      () =>
        new Promise((resolve) => {
          const socket = net.connect(this.#folder.socketOf(address));
          // The backlog of one that hangs may be full.
          const forget = whenPatienceEnds(this.#suspectAfter, () => socket.destroy(new Error('it did not answer')));
          socket.once('connect', () => {
            forget();
            socket.removeAllListeners('error');
            resolve(socket);
          });
          socket.once('error', (error) => {
            forget();
            if (['ECONNREFUSED', 'ENOENT'].includes(errorCode(error))) this.#folder.remove(address);
            resolve(null);
          });
        }),
    );
  }

  /** Each tries the same one first, so that those who begin at once mostly meet there. */
  async find({ origin, className, name }: CoordinatorKey): Promise<Route | null> {
    const id = `${origin}\n${className}\n${name}`;
    const ranked = this.#folder.serving(className).filter(({ address }) => address !== this.address);
    ranked.sort((a, b) => rank(a.address, id) - rank(b.address, id));
    for (const { address, isSure } of ranked) {
      const peer = await this.reach(address, false);
      if (peer !== null && (isSure || (await peer.serves(className)))) return peer;
    }
    return null;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#listening?.catch(() => undefined);
    const server = this.#server;
    this.#server = null;
    if (server !== null) this.#folder.remove(this.address);
    // Results of calls that have just ended are under way.
    for (const connection of this.#connections) connection.finish(this.#suspectAfter);
    for (const peer of await Promise.all(this.#peers.values())) peer?.end();
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
    this.#folder.close();
  }
}

/** Tells whoever has called what became of it. */
class Answer implements Waiter {
  readonly #connection: Connection;
  readonly #id: number;

  constructor(connection: Connection, id: number) {
    this.#connection = connection;
    this.#id = id;
  }

  resolve(reply: Reply): void {
    this.#connection.sendFrame(encodeReply(this.#id, reply));
  }

  reject(error: unknown): void {
    this.#connection.sendFrame(failedFrame(this.#id, error));
  }
}

/** A number that depends on both, the same in every process. */
function rank(address: string, id: string): number {
  let hash = 2166136261;
  for (const character of address + id) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 16777619);
  return hash >>> 0;
}
