import { once } from 'node:events';
import net from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { settingsOf } from '../../src/sync/hubs/nats/options.ts';
import { openSession } from '../../src/sync/hubs/nats/session.ts';
import { natsHub } from '../../src/sync/index.ts';
import { reportSkipped, tryStart } from '../support/servers/availability.ts';
import { startNats, type NatsServer } from '../support/servers/nats.ts';

/*
 * Between the server's ending of a connection and the connection's end the client's socket takes no bytes any more. The
 * client writes nevertheless, and has the error told by nobody when it is closed in the same turn: then it is an
 * exception that nothing catches, and ends the process.
 */

const { server, missing } = await tryStart(() => startNats());

/** Milliseconds, for machines that are busy. */
const patience = { timeout: 30_000 };

/** Hands everything on between clients and a server, and can end the clients' connections as a server does that stops. */
class Relay {
  readonly #server: net.Server;
  readonly #clients = new Set<net.Socket>();

  constructor(nats: NatsServer) {
    this.#server = net.createServer((client) => this.#join(client, net.connect(nats.port, '127.0.0.1')));
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as net.AddressInfo).port;
  }

  end(): void {
    for (const client of this.#clients) client.end();
  }

  close(): void {
    for (const client of this.#clients) client.destroy();
    this.#server.close();
  }

  #join(client: net.Socket, upstream: net.Socket): void {
    this.#clients.add(client);
    client.on('data', (bytes: Buffer) => upstream.write(bytes));
    upstream.on('data', (bytes: Buffer) => client.writable && client.write(bytes));
    for (const socket of [client, upstream]) socket.on('error', () => undefined);
    client.on('close', () => {
      this.#clients.delete(client);
      upstream.destroy();
    });
  }
}

describe('a hub in a NATS JetStream that is closed while the server ends the connection', () => {
  if (server === null) {
    reportSkipped('nats', missing);
    return;
  }
  const uncaught: unknown[] = [];
  const listeners = process.listeners('uncaughtException');
  let relay: Relay;
  let port = 0;
  const options = () => ({ servers: `127.0.0.1:${port}`, user: server.user, pass: server.password });

  beforeEach(async () => {
    uncaught.length = 0;
    process.removeAllListeners('uncaughtException').on('uncaughtException', (error) => uncaught.push(error));
    relay = new Relay(server);
    port = await relay.listen();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    relay.close();
    process.removeAllListeners('uncaughtException');
    for (const listener of listeners) process.on('uncaughtException', listener);
  });
  afterAll(() => server.dispose());

  /** Calls `act` as soon as the client's socket takes nothing any more; resolves when its connection has gone. */
  async function asSoonAsEnded(act: () => void): Promise<void> {
    const { end } = net.Socket.prototype;
    const ended: net.Socket[] = [];
    vi.spyOn(net.Socket.prototype, 'end').mockImplementation(function (this: net.Socket, ...args: unknown[]) {
      Reflect.apply(end, this, args);
      // The client ends it, and the runtime does so by itself.
      if (this.remotePort === port && ended.push(this) === 1) act();
      return this;
    });
    await expect.poll(() => ended[0]?.closed, patience).toBe(true);
    // An error is told in the turn of the close, at the latest.
    await new Promise((resolve) => setImmediate(resolve));
  }

  it('has nothing uncaught when it stops listening for news', async () => {
    const hub = natsHub(options());
    await hub.connect();
    hub.log('a').subscribe(() => undefined);
    const gone = asSoonAsEnded(() => void hub.close());
    relay.end();
    await gone;
    expect(uncaught).toEqual([]);
  });

  it('has nothing uncaught when something is written as the client closes', async () => {
    const { connection } = await openSession(settingsOf(options()), 'nats');
    const gone = asSoonAsEnded(() => {
      connection.publish('x');
      queueMicrotask(() => void connection.close());
    });
    relay.end();
    await gone;
    expect(uncaught).toEqual([]);
  });
});
