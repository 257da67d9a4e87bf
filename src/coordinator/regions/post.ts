import { Buffer } from 'node:buffer';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { outsideContexts } from '../../runtime/callback-context.ts';

/** Open at once to one region for calls, and for questions whether it is there, which wait for no call. */
const CONNECTIONS = 64;
const SHORT_CONNECTIONS = 2;

/** How long a connection without requests is kept, in milliseconds. */
const KEPT_MS = 60_000;

const agents = agentsOf(CONNECTIONS);
const shortAgents = agentsOf(SHORT_CONNECTIONS);

function agentsOf(maxSockets: number): { readonly 'http:': http.Agent; readonly 'https:': https.Agent } {
  const kept = { keepAlive: true, maxSockets, timeout: KEPT_MS };
  return { 'http:': new http.Agent(kept), 'https:': new https.Agent(kept) };
}

export interface Posted {
  readonly status: number;
  readonly bytes: Uint8Array;
}

/** What Node's `tls.connect` takes for these. */
export interface PeerTls {
  /** Certificates to trust instead of the system's, in PEM. */
  readonly ca?: string | Uint8Array | readonly (string | Uint8Array)[] | undefined;
  /** This region's own certificate and key in PEM, for a proxy that asks for one. */
  readonly cert?: string | Uint8Array | undefined;
  readonly key?: string | Uint8Array | undefined;
  readonly servername?: string | undefined;
  readonly rejectUnauthorized?: boolean | undefined;
}

export interface PostOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Milliseconds for all of it. */
  readonly timeout: number;
  /** Bytes of the answer. */
  readonly most: number;
  /** Gives it up. Absent: it is a question that others wait for, and that waits for none of them. */
  readonly signal?: AbortSignal;
  /** For `https:`. */
  readonly tls?: PeerTls | undefined;
}

/** Sends a body, and gives what is answered; redirections are followed nowhere. Rejects where nothing whole came back in time. */
export function post(url: string, body: Uint8Array, { headers, timeout, most, signal, tls }: PostOptions): Promise<Posted> {
  const secure = url.startsWith('https:');
  const agent = (signal === undefined ? shortAgents : agents)[secure ? 'https:' : 'http:'];
  const limits = [AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])];
  const options = { ...(tls as https.RequestOptions | undefined), method: 'POST', agent, headers: { ...headers, 'content-length': String(body.length) }, signal: AbortSignal.any(limits) };
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
