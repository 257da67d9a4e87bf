import http, { type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { HubServerOptions, RunningHub } from '../server-options.ts';
import { checkServerOptions } from '../server-options.ts';
import { hubListener } from './http-server.ts';
import { openHubRoot } from './hub-root.ts';
import { HubService } from './service.ts';
import { becomeSoleServer, type SoleServer } from './sole-server.ts';

/** How long a connection without requests stays open, in milliseconds: longer than clients keep theirs. */
const KEEP_ALIVE_MS = 120_000;

/** How long requests that are under way may take to end when the server stops, in milliseconds. */
const GRACE_MS = 5000;

/** See `startHub` in src/sync/index.ts, which loads this when it is called. */
export async function start(options: HubServerOptions): Promise<RunningHub> {
  const { token, port = 0, host = '127.0.0.1', tls, onWaiting = () => undefined, onError = () => undefined } = checkServerOptions(options);
  const root = path.resolve(options.root);
  openHubRoot(root);
  const sole = await becomeSoleServer(root, onWaiting);
  const service = new HubService(root);
  try {
    service.prepare();
    const listener = hubListener({ service, token, onError });
    const server = tls === undefined ? http.createServer(listener) : https.createServer(tls as https.ServerOptions, listener);
    server.keepAliveTimeout = KEEP_ALIVE_MS;
    await listen(server, port, host);
    return running(server, service, sole, `${tls === undefined ? 'http' : 'https'}://${inUrl(host)}:${(server.address() as AddressInfo).port}`);
  } catch (error) {
    service.close();
    await sole.release();
    throw error;
  }
}

function inUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(new HoldfastError('hub-unreachable', `The hub cannot listen on ${host}, port ${port} (${error.code ?? error.message}).`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

function running(server: Server, service: HubService, sole: SoleServer, url: string): RunningHub {
  let stopping: Promise<void> | null = null;
  let end: (reason: HoldfastError | null) => void = () => undefined;
  const ended = new Promise<HoldfastError | null>((resolve) => (end = resolve));
  const stop = (reason: HoldfastError | null): Promise<void> => {
    stopping ??= shutDown(server, service, sole).finally(() => end(reason));
    return stopping;
  };
  sole.onLost = () => {
    void stop(new HoldfastError('session-lost', 'Another hub has taken over this root, for nothing was seen of this one for long.'));
  };
  return { url, ended, close: () => stop(null), [Symbol.asyncDispose]: () => stop(null) };
}

/** What was acknowledged is on the disk anyway; what is under way gets a moment to be acknowledged too. */
async function shutDown(server: Server, service: HubService, sole: SoleServer): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  service.endWaiting();
  server.closeIdleConnections();
  const patience = setTimeout(() => server.closeAllConnections(), GRACE_MS);
  // A connection becomes idle when its last answer is sent, after this.
  const idle = setInterval(() => server.closeIdleConnections(), 50);
  await closed;
  clearTimeout(patience);
  clearInterval(idle);
  service.close();
  await sole.release();
}
