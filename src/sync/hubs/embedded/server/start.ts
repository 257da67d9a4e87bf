import http, { type Server } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { clearInterval, clearTimeout, setInterval, setTimeout } from '../../../../runtime/timers.ts';
import type { HubServerOptions, RunningHub } from '../server-options.ts';
import { checkServerOptions } from '../server-options.ts';
import { Admission } from './admission.ts';
import { Counters } from './counters.ts';
import { descriptorLimit, shareOf } from './descriptors.ts';
import { hubListener } from './http-server.ts';
import { openHubRoot, raiseFormat } from './hub-root.ts';
import { UNNAMED_BYTES } from './hub-store.ts';
import { HubService } from './service.ts';
import { becomeSoleServer, type SoleServer } from './sole-server.ts';
import { TokenBook } from './token-book.ts';

/** How long a connection without requests stays open, in milliseconds: longer than clients keep theirs. */
const KEEP_ALIVE_MS = 120_000;

/** How long a peer may take for the head of a request, for all of it, and for a TLS handshake, in milliseconds. */
const HEAD_MS = 10_000;
const REQUEST_MS = 300_000;
const HANDSHAKE_MS = 10_000;

/** How often connections are looked at for these, in milliseconds. */
const CHECK_MS = 2000;

/** Bytes of the head of a request. */
const HEAD_BYTES = 2 ** 13;

const DEFAULT_CONNECTIONS = 4096;
const DEFAULT_LOGS = 100_000;

/** How long requests that are under way may take to end when the server stops, in milliseconds. */
const GRACE_MS = 5000;

/** See `startHub` in src/sync/index.ts, which loads this when it is called. */
export async function start(given: HubServerOptions): Promise<RunningHub> {
  const options = checkServerOptions(given);
  const { port = 0, host = '127.0.0.1', tls, onWaiting = () => undefined, onError = () => undefined } = options;
  const tokens = new TokenBook(tokenSource(options), onError);
  const root = path.resolve(options.root);
  openHubRoot(root);
  const sole = await becomeSoleServer(root, onWaiting);
  const share = shareOf(descriptorLimit());
  const counters = new Counters();
  const { maxLogs = DEFAULT_LOGS, maxConnections = DEFAULT_CONNECTIONS, maxUnnamedBytes = UNNAMED_BYTES } = options;
  const service = new HubService(root, counters, { logs: maxLogs, files: Math.min(32, share.files), unnamedBytes: maxUnnamedBytes });
  try {
    raiseFormat(root);
    service.prepare();
    let admission: Admission | null = null;
    let isWell = true;
    const listener = hubListener({ service, tokens, counters, onError, admission: () => admission, isWell: () => isWell });
    const server = createServer(tls, listener);
    admission = new Admission(server, Math.min(maxConnections, share.connections));
    await listen(server, port, host);
    tokens.watch();
    const end = (): void => {
      isWell = false;
      tokens.close();
    };
    return running(server, service, sole, end, `${tls === undefined ? 'http' : 'https'}://${inUrl(host)}:${(server.address() as AddressInfo).port}`);
  } catch (error) {
    service.close();
    await sole.release();
    throw error;
  }
}

function tokenSource({ token, tokenFile }: HubServerOptions): { token: string } | { tokenFile: string } {
  return tokenFile === undefined ? { token: token ?? '' } : { tokenFile };
}

function createServer(tls: HubServerOptions['tls'], listener: http.RequestListener): Server {
  const limits = {
    keepAliveTimeout: KEEP_ALIVE_MS,
    headersTimeout: HEAD_MS,
    requestTimeout: REQUEST_MS,
    connectionsCheckingInterval: CHECK_MS,
    maxHeaderSize: HEAD_BYTES,
  };
  if (tls === undefined) return http.createServer(limits, listener);
  return https.createServer({ ...limits, ...(tls as https.ServerOptions), handshakeTimeout: HANDSHAKE_MS }, listener);
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

/** @param onEnd - hears when it begins to end */
function running(server: Server, service: HubService, sole: SoleServer, onEnd: () => void, url: string): RunningHub {
  let stopping: Promise<void> | null = null;
  let end: (reason: HoldfastError | null) => void = () => undefined;
  const ended = new Promise<HoldfastError | null>((resolve) => (end = resolve));
  const stop = (reason: HoldfastError | null): Promise<void> => {
    if (stopping === null) onEnd();
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
