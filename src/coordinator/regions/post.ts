import { Buffer } from 'node:buffer';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { outsideContexts } from '../../runtime/callback-context.ts';

/** Open at once to one region. */
const CONNECTIONS = 64;

/** How long a connection without requests is kept, in milliseconds. */
const KEPT_MS = 60_000;

const kept = { keepAlive: true, maxSockets: CONNECTIONS, timeout: KEPT_MS };
const agents = { 'http:': new http.Agent(kept), 'https:': new https.Agent(kept) };

export interface Posted {
  readonly status: number;
  readonly bytes: Uint8Array;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Bytes of the answer. */
  readonly most: number;
}

/** Sends a body, and gives what is answered; redirections are followed nowhere. Rejects where nothing whole came back in time. */
export function post(url: string, body: Uint8Array, { headers, timeout, most }: PostOptions): Promise<Posted> {
  const secure = url.startsWith('https:');
  const options = { method: 'POST', agent: agents[secure ? 'https:' : 'http:'], headers: { ...headers, 'content-length': String(body.length) }, signal: AbortSignal.timeout(timeout) };
  return outsideContexts(
    () =>
      new Promise<Posted>((resolve, reject) => {
        const request = (secure ? https : http).request(url, options);
        request.on('error', reject);
        request.on('response', (response) => {
          collect(response, most).then((bytes) => resolve({ status: response.statusCode ?? 0, bytes }), reject);
        });
        request.end(body);
      }),
  );
}

async function collect(response: IncomingMessage, most: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    length += parts[parts.push(part as Buffer) - 1]?.length ?? 0;
    if (length > most) throw new RangeError(`An answer of more than ${most} bytes is too long.`);
  }
  return Buffer.concat(parts, length);
}
