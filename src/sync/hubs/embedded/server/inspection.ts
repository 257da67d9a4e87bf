import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Admission } from './admission.ts';
import type { Counters } from './counters.ts';
import { metricsText } from './metrics.ts';
import { mayInspect } from './rights.ts';
import type { HubService } from './service.ts';
import type { TokenBook } from './token-book.ts';

export interface InspectionOptions {
  readonly service: HubService;
  readonly tokens: TokenBook;
  readonly counters: Counters;
  readonly admission: () => Admission | null;
  readonly isWell: () => boolean;
  /** Bytes of requests and answers that are in memory. */
  readonly held: () => number;
}

/** Headers by which a proxy tells that a request comes from elsewhere. */
const FORWARDED = ['forwarded', 'x-forwarded-for', 'x-real-ip', 'via'];

/**
 * What is for those who watch the hub, and not for its clients: `/health` and `/metrics`. From this machine they may be
 * read without a token, unless a proxy says that the question is somebody else's.
 */
export function inspect(request: IncomingMessage, response: ServerResponse, options: InspectionOptions): void {
  request.resume();
  const [path] = (request.url ?? '').split('?', 1);
  if (path !== '/health' && path !== '/metrics') return send(response, 404, 'There is nothing here but /health and /metrics.\n');
  if (!isAllowed(request, options)) return send(response, 401, 'This needs a token of the role metrics or admin.\n');
  if (path === '/metrics') return send(response, 200, metricsText(options), 'text/plain; version=0.0.4; charset=utf-8');
  const isWell = options.isWell();
  send(response, isWell ? 200 : 503, `${JSON.stringify({ status: isWell ? 'ok' : 'ending' })}\n`, 'application/json');
}

function isAllowed({ headers, socket }: IncomingMessage, { tokens, admission }: InspectionOptions): boolean {
  const token = tokens.find(headers.authorization);
  if (token !== null) admission()?.prove(socket);
  if (token !== null && mayInspect(token)) return true;
  return headers.authorization === undefined && isLoopback(socket.remoteAddress) && FORWARDED.every((name) => headers[name] === undefined);
}

function isLoopback(address: string | undefined): boolean {
  return address !== undefined && /^(::1|(::ffff:)?127\.[0-9.]+)$/.test(address);
}

function send(response: ServerResponse, status: number, body: string, type = 'text/plain; charset=utf-8'): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(response.req.method === 'HEAD' ? undefined : body);
}
