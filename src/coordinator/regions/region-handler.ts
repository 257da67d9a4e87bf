import { createHash, timingSafeEqual } from 'node:crypto';
import { errorMessage } from '../../runtime/errors.ts';
import type { Call } from '../call.ts';
import type { Reply } from '../messages.ts';
import type { CoordinatorKey } from '../store.ts';
import { CONTENT_TYPE, decodeCall, encodeFailure, encodeReply, LARGEST_BODY, readBody } from './region-messages.ts';

/** Bytes of requests of other regions that are in memory at once; beyond that they are told to come again. */
const MOST_BYTES = 2 ** 28;

export interface RegionHandlerOptions {
  /** What other regions show: any of them. */
  readonly tokens: readonly string[];
  /** Throws bad-option where a key cannot be one. */
  readonly check: (key: CoordinatorKey) => void;
  readonly serve: (key: CoordinatorKey, call: Call) => Promise<Reply>;
  /** Whether coordinators can be run in this region: its hub is there. */
  readonly isAble: () => Promise<boolean>;
}

/** Answers the calls of other regions; nothing is read before the token was seen. */
export class RegionHandler {
  readonly #options: RegionHandlerOptions;
  readonly #digests: readonly Uint8Array[];
  #held = 0;

  constructor(options: RegionHandlerOptions) {
    this.#options = options;
    this.#digests = options.tokens.map(digestOf);
  }

  async handle(request: Request): Promise<Response> {
    if (!this.#isKnown(request.headers.get('authorization'))) return refusal(401, 'The token is missing, or is not one of this region.');
    if (request.method !== 'POST') return refusal(405, 'Calls of coordinators are sent by POST.');
    let body: Uint8Array;
    try {
      body = await this.#receive(request);
    } catch (error) {
      return refusal(413, errorMessage(error));
    }
    try {
      return body.length === 0 ? await this.#greet() : await this.#answer(body);
    } finally {
      this.#held -= body.length;
    }
  }

  #isKnown(header: string | null): boolean {
    const shown = digestOf(header?.startsWith('Bearer ') === true ? header.slice(7) : '');
    // All are looked at, whichever it is.
    return this.#digests.filter((digest) => timingSafeEqual(digest, shown)).length > 0;
  }

  async #receive(request: Request): Promise<Uint8Array> {
    const body = await readBody(request.body, Math.min(LARGEST_BODY, MOST_BYTES - this.#held));
    this.#held += body.length;
    return body;
  }

  /** Whoever asks whether anybody is there is told to go elsewhere where nothing could be run. */
  async #greet(): Promise<Response> {
    return (await this.#options.isAble()) ? new Response(null, { status: 204 }) : refusal(503, 'The hub cannot be reached from here.');
  }

  async #answer(body: Uint8Array): Promise<Response> {
    let asked: ReturnType<typeof decodeCall>;
    try {
      asked = decodeCall(body);
      this.#options.check(asked.key);
    } catch (error) {
      return refusal(400, errorMessage(error));
    }
    const bytes = await this.#options.serve(asked.key, asked.call).then(encodeReply, encodeFailure);
    return new Response(bytes as Uint8Array<ArrayBuffer>, { headers: { 'content-type': CONTENT_TYPE, 'cache-control': 'no-store' } });
  }
}

function digestOf(token: string): Uint8Array {
  return createHash('sha256').update(token).digest();
}

function refusal(status: number, message: string): Response {
  return new Response(`${message}\n`, { status, headers: { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' } });
}
