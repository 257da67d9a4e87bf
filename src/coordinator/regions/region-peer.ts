import { errorCode, errorMessage } from '../../runtime/errors.ts';
import type { Call } from '../call.ts';
import { CoordinatorError, MovedError } from '../errors.ts';
import type { Waiter } from '../event.ts';
import type { Route } from '../line.ts';
import type { Reply } from '../messages.ts';
import type { CoordinatorKey } from '../store.ts';
import { pause } from './pause.ts';
import { CONTENT_TYPE, decodeAnswer, encodeCall, LARGEST_BODY } from './region-messages.ts';
import { type PeerTls, post, type Posted } from './post.ts';

/** Where the coordinators of another region can be called. */
export interface PeerRegion {
  readonly url: string;
  /** What is asked for there. */
  readonly token: string;
  /** For urls that begin with `https:`. */
  readonly tls?: PeerTls | undefined;
}

/** How long a region may take to say that it is there, which is asked so often while calls are under way; and for a call. In milliseconds. */
const PING_MS = 5000;
const CALL_MS = 60_000;

/** Codes of Node's TLS for certificates that are not trusted, or are not the server's. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_/;

/** How long one that was not there is left alone, in milliseconds. */
const SUSPECT_MS = 2000;

const UNABLE: ReadonlySet<string> = new Set(['coordinator-unavailable', 'hub-unreachable', 'hub-unauthorized', 'hub-incompatible', 'closed', 'disk-full', 'disk-failed', 'root-read-only']);

/**
 * Another region. A call that nobody answered may have run: it is sent again, wherever the coordinator is by then, and the
 * ledger knows it.
 */
export class RegionPeer implements Route {
  readonly isFar = true;
  readonly #name: string;
  readonly #region: PeerRegion;
  readonly #now: () => number;
  readonly #silence: number;
  #calls = 0;
  /** Gives up what is under way when it is silent. */
  #watch: AbortController | null = null;
  #suspectUntil = -Infinity;

  /**
   * @param now - milliseconds by a clock that never jumps
   * @param silence - how long it may take to say that it is there, in milliseconds
   */
  constructor(name: string, region: PeerRegion, now: () => number, silence = PING_MS) {
    this.#name = name;
    this.#region = region;
    this.#now = now;
    this.#silence = silence;
  }

  /** Whether it is there. */
  async answers(): Promise<boolean> {
    return this.#now() >= this.#suspectUntil && (await this.#ask());
  }

  async #ask(): Promise<boolean> {
    try {
      const { status } = await this.#post(new Uint8Array(0), this.#silence);
      if (status === 401) throw this.#refused();
      return status === 204 || this.#suspect();
    } catch (error) {
      if (error instanceof CoordinatorError) throw error;
      this.#requireTrust(error);
      return this.#suspect();
    }
  }

  /** Where it cannot be trusted somebody is there who may or may not be the region: nobody takes what it has for that. */
  #requireTrust(error: unknown): void {
    if (!CERTIFICATE.test(errorCode(error))) return;
    const message = `The certificate of the region '${this.#name}' is not trusted here: ${errorMessage(error)}.`;
    throw new CoordinatorError('coordinator-unavailable', message, { outcome: 'not-run', retryable: false, cause: error });
  }

  #suspect(): false {
    this.#suspectUntil = this.#now() + SUSPECT_MS;
    return false;
  }

  call(key: CoordinatorKey, call: Call, waiter: Waiter): void {
    this.#call(key, call).then((reply) => waiter.resolve(reply), (error: unknown) => waiter.reject(error));
  }

  async #call(key: CoordinatorKey, call: Call): Promise<Reply> {
    const body = encodeCall(key, call);
    if (body.length > LARGEST_BODY) throw new CoordinatorError('bad-option', `The arguments of a call to another region take ${body.length} bytes, of which ${LARGEST_BODY} may be sent.`, { outcome: 'not-run' });
    const answer = await this.#send(body).catch((error: unknown) => {
      this.#requireTrust(error);
      return null;
    });
    if (answer?.status === 401) throw this.#refused();
    if (answer?.status !== 200) {
      this.#suspect();
      throw new MovedError(true);
    }
    try {
      return decodeAnswer(answer.bytes);
    } catch (error) {
      if (error instanceof CoordinatorError) throw this.#isUnable(error) ? new MovedError() : error;
      if (error instanceof MovedError) throw error;
      throw new CoordinatorError('coordinator-unavailable', `What answers for the region '${this.#name}' makes no sense: ${errorMessage(error)}`, { outcome: 'unknown', cause: error });
    }
  }

  async #send(body: Uint8Array): Promise<Posted> {
    this.#calls += 1;
    try {
      return await this.#post(body, CALL_MS, this.#watched());
    } finally {
      this.#calls -= 1;
    }
  }

  /** Ends what is under way once the region does not answer any more: a network that was cut does not tell. */
  #watched(): AbortSignal {
    if (this.#watch === null) {
      this.#watch = new AbortController();
      void this.#keepWatch(this.#watch);
    }
    return this.#watch.signal;
  }

  async #keepWatch(watch: AbortController): Promise<void> {
    do await pause(this.#silence);
    while (this.#calls > 0 && (await this.#isThere()));
    this.#watch = null;
    watch.abort();
  }

  /** One that refuses the token is there, and calls are told of that themselves. */
  async #isThere(): Promise<boolean> {
    return await this.#ask().catch(() => true);
  }

  /** It is there and cannot run anything, so somebody else may: it is cut off from the hub, or has no room. */
  #isUnable({ code, outcome }: CoordinatorError): boolean {
    if (outcome !== 'not-run' || !UNABLE.has(code)) return false;
    this.#suspect();
    return true;
  }

  #post(body: Uint8Array, timeout: number, signal?: AbortSignal): Promise<Posted> {
    const { url, token, tls } = this.#region;
    return post(url, body, { headers: { authorization: `Bearer ${token}`, 'content-type': CONTENT_TYPE }, timeout, most: LARGEST_BODY, tls, ...(signal !== undefined && { signal }) });
  }

  #refused(): CoordinatorError {
    return new CoordinatorError('coordinator-unavailable', `The region '${this.#name}' does not take the token that it is shown.`, { outcome: 'not-run', retryable: false });
  }
}
