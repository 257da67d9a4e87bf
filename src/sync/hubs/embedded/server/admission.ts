import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/**
 * The connections of a server, no more than a number of them, so that its files have descriptors left. When there are
 * more, the one goes that has been there the longest without showing a token; if all have, the new one.
 */
export class Admission {
  readonly #most: number;
  readonly #open = new Map<string, Socket>();
  /** Those that have shown no token yet, the oldest first. */
  readonly #unproven = new Map<string, Socket>();
  #refused = 0;

  constructor(server: Server, most: number) {
    this.#most = most;
    // Under TLS, this is the connection below.
    server.on('connection', (socket) => this.#admit(socket));
  }

  get open(): number {
    return this.#open.size;
  }

  /** How many were closed for want of room. */
  get refused(): number {
    return this.#refused;
  }

  /** The connection has shown a token. */
  prove(socket: Socket): void {
    this.#unproven.delete(keyOf(socket));
  }

  #admit(socket: Socket): void {
    const key = keyOf(socket);
    this.#open.set(key, socket);
    this.#unproven.set(key, socket);
    socket.once('close', () => this.#forget(key, socket));
    if (this.#open.size <= this.#most) return;
    this.#refused += 1;
    const [[oldestKey, oldest] = [key, socket] as const] = this.#unproven;
    this.#forget(oldestKey, oldest);
    oldest.destroy();
  }

  #forget(key: string, socket: Socket): void {
    if (this.#open.get(key) === socket) this.#open.delete(key);
    if (this.#unproven.get(key) === socket) this.#unproven.delete(key);
  }
}

/** The same for a connection and for what TLS makes of it. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
