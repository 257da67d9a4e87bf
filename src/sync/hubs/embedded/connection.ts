import http, { type Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import { Buffer } from 'node:buffer';
import { errorMessage, errorsWithin } from '../../../runtime/errors.ts';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { CheckedOptions } from './client-options.ts';
import { type FrameReader, Malformed } from './frames.ts';
import { type AnswerOf, MAX_SNAPSHOT_BYTES, operation, type OperationName, type RequestOf } from './operations.ts';
import { beginMessage, CONTENT_TYPE, openMessage, OtherProtocol, PATH_PREFIX, readRefusal } from './protocol.ts';

/** How long nothing may come from the hub until it counts as away, in milliseconds: longer than it holds who waits. */
const SILENCE_MS = 40_000;

/** How long a connection without requests is kept, in milliseconds: shorter than the hub keeps it. */
const KEPT_MS = 60_000;

/** Open at once. */
const CONNECTIONS = 64;

/** The longest answer holds a snapshot. */
const MAX_ANSWER_BYTES = MAX_SNAPSHOT_BYTES + 2 ** 16;

/** What a proxy answers in the place of a hub. */
const GATEWAY_AWAY = new Set([408, 429, 502, 503, 504]);
const GATEWAY_REFUSED = new Set([401, 403, 407]);

export interface CallOptions {
  /** Gives the call up. */
  readonly signal?: AbortSignal;
  /** The call keeps no process alive. */
  readonly background?: boolean;
}

/** The way to one hub: each call is one request over a connection that is kept. */
export class Connection {
  readonly #name: string;
  readonly #url: URL;
  readonly #token: string;
  readonly #agent: Agent;

  /** Does no I/O. `name` is for messages. */
  constructor({ url, token, tls }: CheckedOptions, name: string) {
    this.#name = name;
    this.#url = url;
    this.#token = token;
    const kept = { keepAlive: true, maxSockets: CONNECTIONS, timeout: KEPT_MS };
    this.#agent = url.protocol === 'https:' ? new https.Agent({ ...kept, ...(tls as https.AgentOptions | undefined) }) : new http.Agent(kept);
  }

  /**
   * What the hub answers.
   *
   * @throws HoldfastError as `HubLog` says
   */
  async call<Name extends OperationName>(name: Name, request: RequestOf<Name>, options: CallOptions = {}): Promise<AnswerOf<Name>> {
    const { writeRequest, readAnswer } = operation(name);
    const message = beginMessage();
    writeRequest(message, request);
    const { status, body } = await this.#exchange(name, message.finish(), options);
    const frame = this.#open(body, status);
    try {
      const refusal = readRefusal(frame);
      if (refusal !== null) throw new HoldfastError(refusal.code, `The hub ${this.#name} refused '${name}': ${refusal.message}`);
      const answer = readAnswer(frame);
      frame.end();
      return answer;
    } catch (error) {
      if (!(error instanceof Malformed)) throw error;
      throw this.#incompatible(`its answer to '${name}' makes no sense: ${error.message}`);
    }
  }

  #open(body: Uint8Array, status: number): FrameReader {
    try {
      return openMessage(body);
    } catch (error) {
      if (!(error instanceof OtherProtocol)) throw error;
      if (GATEWAY_AWAY.has(status)) throw this.#unreachable(`HTTP status ${status}`);
      if (GATEWAY_REFUSED.has(status)) throw new HoldfastError('hub-unauthorized', `Something before the hub ${this.#name} refuses access (HTTP status ${status}).`);
      throw this.#incompatible(`what answers there is no hub that this Holdfast understands (HTTP status ${status}): ${error.message}`);
    }
  }

  #exchange(operationName: string, body: Uint8Array, { signal, background }: CallOptions): Promise<{ status: number; body: Uint8Array }> {
    return new Promise((resolve, reject) => {
      const fail = (error: unknown): void => reject(this.#unreachable(describe(error), error));
      const request = this.#request(operationName, body.length, signal);
      if (background === true) request.on('socket', (socket) => socket.unref());
      request.on('timeout', () => request.destroy(new Error(`nothing came for ${SILENCE_MS / 1000} seconds`)));
      request.on('error', fail);
      request.on('response', (response) => {
        collect(response).then((bytes) => resolve({ status: response.statusCode ?? 0, body: bytes }), fail);
      });
      request.end(body);
    });
  }

  #request(operationName: string, length: number, signal: AbortSignal | undefined): ClientRequest {
    const { protocol, pathname } = this.#url;
    const url = new URL(this.#url);
    url.pathname = pathname.replace(/\/+$/, '') + PATH_PREFIX + operationName;
    const headers = { authorization: `Bearer ${this.#token}`, 'content-type': CONTENT_TYPE, 'content-length': length };
    const options = { method: 'POST', agent: this.#agent, headers, timeout: SILENCE_MS, ...(signal === undefined ? {} : { signal }) };
    return protocol === 'https:' ? https.request(url, options) : http.request(url, options);
  }

  #unreachable(why: string, cause?: unknown): HoldfastError {
    return new HoldfastError('hub-unreachable', `The hub ${this.#name} cannot be reached: ${why}.`, { cause });
  }

  #incompatible(why: string): HoldfastError {
    return new HoldfastError('hub-incompatible', `The hub ${this.#name} cannot be used: ${why}.`);
  }

  /** Ends every connection, with whatever is under way. */
  close(): void {
    this.#agent.destroy();
  }
}

async function collect(response: IncomingMessage): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const part of response) {
    length += parts[parts.push(part as Buffer) - 1]?.length ?? 0;
    if (length > MAX_ANSWER_BYTES) throw new Error(`its answer is longer than ${MAX_ANSWER_BYTES} bytes`);
  }
  return Buffer.concat(parts, length);
}

/** Node gives an AggregateError without a message where several addresses were tried. */
function describe(error: unknown): string {
  const within = errorsWithin(error);
  return within.length > 0 ? within.map(describe).join('; ') : errorMessage(error);
}
