import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { errorCode, errorMessage } from '../runtime/errors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { plain } from './replies.ts';

type Handler = (request: Request) => Promise<Response>;

export interface ServeOptions {
  /** 0: a free one. */
  readonly port: number;
  readonly host: string;
  readonly tls?: { readonly cert: Buffer; readonly key: Buffer } | undefined;
}

export interface Serving {
  /** With a slash at its end. */
  readonly url: string;
  close(): Promise<void>;
}

/** How long a peer may take for the head of a request, in milliseconds, and bytes of that. */
const HEAD_MS = 10_000;
const HEAD_BYTES = 2 ** 15;

/** Requests have no end of their own: an upload may take long. */
const REQUEST_MS = 0;

/** @throws HoldfastError bad-option: it cannot listen there */
export async function serve(handler: Handler, { port, host, tls }: ServeOptions): Promise<Serving> {
  const scheme = tls === undefined ? 'http' : 'https';
  const server = serverOf(tls, (request, response) => void answer(handler, scheme, request, response));
  await listen(server, port, host);
  const address = server.address() as AddressInfo;
  return { url: `${scheme}://${reachable(host)}:${address.port}/`, close: () => end(server) };
}

function serverOf(tls: ServeOptions['tls'], listener: (request: IncomingMessage, response: ServerResponse) => void): Server {
  const limits = { headersTimeout: HEAD_MS, requestTimeout: REQUEST_MS, maxHeaderSize: HEAD_BYTES };
  if (tls === undefined) return http.createServer(limits, listener);
  try {
    return https.createServer({ ...limits, ...tls }, listener);
  } catch (cause) {
    throw new HoldfastError('bad-option', `The certificate and its key cannot be used (${errorMessage(cause)}).`, { cause });
  }
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new HoldfastError('bad-option', `It cannot listen on ${host}, port ${port} (${errorCode(error)}).`, { cause: error })));
    server.listen(port, host, resolve);
  });
}

/** Whoever listens everywhere is here, too. */
function reachable(host: string): string {
  const name = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return name.includes(':') ? `[${name}]` : name;
}

function end(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

async function answer(handler: Handler, scheme: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  try {
    await send(await handle(handler, scheme, request, gone.signal), request, response);
  } catch {
    response.destroy(); // It is cut short, which is all that can still be said.
  }
}

async function handle(handler: Handler, scheme: string, request: IncomingMessage, signal: AbortSignal): Promise<Response> {
  let asked: Request;
  try {
    asked = requestOf(scheme, request, signal);
  } catch (error) {
    return plain(400, errorMessage(error));
  }
  return handler(asked);
}

function requestOf(scheme: string, request: IncomingMessage, signal: AbortSignal): Request {
  const { method = 'GET', url = '/' } = request;
  const { host = '' } = request.headers;
  if (!url.startsWith('/') || !/^[\w.:[\]-]+$/.test(host)) throw new Error('It is no request for a server.');
  const headers = new Headers();
  for (const [name, value] of Object.entries(request.headers)) if (value !== undefined && !name.startsWith(':')) headers.set(name, Array.isArray(value) ? value.join(', ') : value);
  const hasBody = method !== 'GET' && method !== 'HEAD';
  const body = hasBody ? { body: Readable.toWeb(request) as unknown as ReadableStream<Uint8Array>, duplex: 'half' as const } : {};
  return new Request(`${scheme}://${host}${url}`, { method, headers, signal, ...body });
}

/** As fast as it is read. */
async function send(answered: Response, request: IncomingMessage, response: ServerResponse): Promise<void> {
  response.writeHead(answered.status, Object.fromEntries(answered.headers));
  const body = request.method === 'HEAD' ? null : answered.body;
  if (body === null) return void response.end();
  response.flushHeaders();
  const reader = body.getReader();
  const stop = (): void => void reader.cancel().catch(() => undefined);
  response.once('close', stop);
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    if (!response.write(value)) await drained(response);
  }
  response.off('close', stop);
  response.end();
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      response.off('drain', settle).off('close', settle);
      resolve();
    };
    response.on('drain', settle).on('close', settle);
    if (response.destroyed) settle();
  });
}
