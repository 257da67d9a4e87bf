import { Buffer } from 'node:buffer';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { clearTimeout, setTimeout } from '../../../../runtime/timers.ts';
import { isOperation, operation, type OperationName, type RequestOf } from '../operations.ts';
import { beginMessage, CONTENT_TYPE, HTTP_STATUS, openMessage, PATH_PREFIX, refusal, type Status, STATUS } from '../protocol.ts';
import type { Admission } from './admission.ts';
import { Budget } from './budget.ts';
import type { Counters } from './counters.ts';
import { inspect } from './inspection.ts';
import { isFailure, outcomeOf, Refused, refusalOf } from './refusals.ts';
import { forbiddenLog, mayPerform, mayWrite } from './rights.ts';
import type { Asking, HubService } from './service.ts';
import type { TokenBook } from './token-book.ts';
import type { Token } from './tokens.ts';

/** Bytes of requests, and of answers, that are in memory at once; what comes beyond is refused, to be sent again later. */
const REQUEST_BYTES = 2 ** 29;
const ANSWER_BYTES = 2 ** 29;

/** Answers up to this size are not counted. */
const SMALL_BYTES = 2 ** 12;

/** How long a peer may send nothing of its request, or take nothing of its answer, in milliseconds. */
const IDLE_MS = 30_000;

/** How long a peer may take for an answer, in milliseconds; longer than clients wait for one. */
const ANSWER_MS = 300_000;

/** What a refused request may go on to send, in bytes and milliseconds, so that its sender comes to read the answer. */
const DRAIN_BYTES = 2 ** 26;
const DRAIN_MS = 10_000;

export interface ListenerOptions {
  readonly service: HubService;
  readonly tokens: TokenBook;
  readonly counters: Counters;
  readonly admission: () => Admission | null;
  /** Whether the hub goes on. */
  readonly isWell: () => boolean;
  /** Hears of what must not happen. */
  readonly onError: (error: unknown) => void;
}

/**
 * Takes HTTP requests apart: who asks, for what, and with how many bytes. Nothing is read before the token is seen, and
 * what a peer announces takes no memory before it has come.
 */
export function hubListener(options: ListenerOptions): RequestListener {
  const { tokens } = options;
  const isShared = (): boolean => tokens.size > 1;
  const memory = { requests: new Budget<string>(REQUEST_BYTES, isShared), answers: new Budget<string>(ANSWER_BYTES, isShared) };
  const held = (): number => memory.requests.held + memory.answers.held;
  return (request, response) => {
    if (request.method === 'GET' || request.method === 'HEAD') inspect(request, response, { ...options, held });
    else void new Exchange(options, memory, request, response).respond();
  };
}

interface Memory {
  readonly requests: Budget<string>;
  readonly answers: Budget<string>;
}

/** One request and its answer. What it holds of the budgets it gives back when the answer has gone. */
class Exchange {
  readonly #options: ListenerOptions;
  readonly #memory: Memory;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  #operation: OperationName | 'none' = 'none';
  #received = 0;
  #answering = 0;
  #isGone = false;

  constructor(options: ListenerOptions, memory: Memory, request: IncomingMessage, response: ServerResponse) {
    this.#options = options;
    this.#memory = memory;
    this.#request = request;
    this.#response = response;
  }

  async respond(): Promise<void> {
    const gone = new AbortController();
    let holder = '';
    this.#response.on('close', () => {
      this.#isGone = true;
      gone.abort();
      this.#memory.answers.give(holder, this.#answering);
      this.#answering = 0;
    });
    try {
      const token = this.#authenticate();
      holder = token.name;
      this.#operation = this.#named(token);
      const message = await this.#perform(this.#operation, token, gone.signal);
      this.#admit(token, Math.max(0, message.length - this.#answering));
      this.#send(STATUS.ok, message);
    } catch (error) {
      this.#refuse(error);
    } finally {
      this.#memory.requests.give(holder, this.#received);
      this.#drain();
    }
  }

  #authenticate(): Token {
    const { tokens, admission, counters } = this.#options;
    const token = tokens.find(this.#request.headers.authorization);
    if (token === null) throw new Refused(STATUS.unauthorized, 'The token is missing, or is not one of this hub.');
    admission()?.prove(this.#request.socket);
    counters.token(token.name);
    return token;
  }

  #named(token: Token): OperationName {
    const { method, url = '' } = this.#request;
    const name = url.startsWith(PATH_PREFIX) ? url.slice(PATH_PREFIX.length) : '';
    if (method !== 'POST' || !isOperation(name)) throw new Refused(STATUS.incompatible, 'There is no such operation in this hub.');
    if (!mayPerform(token, name)) throw new Refused(STATUS.unauthorized, `The token '${token.name}' has the role '${token.role}', which does not allow '${name}'.`);
    return name;
  }

  async #perform<Name extends OperationName>(name: Name, token: Token, signal: AbortSignal): Promise<Uint8Array> {
    const { most, readRequest, writeAnswer } = operation(name);
    const frame = openMessage(await this.#receive(token, most));
    const asked = readRequest(frame);
    frame.end();
    const forbidden = forbiddenLog(token, asked as RequestOf<OperationName>);
    if (forbidden !== null) throw new Refused(STATUS.unauthorized, `The token '${token.name}' is not for the log ${JSON.stringify(forbidden)}.`);
    const asking: Asking = { signal, mayWrite: mayWrite(token), writer: token.name, admit: (bytes) => this.#admit(token, bytes), failed: (error) => this.#report(error) };
    const answer = await this.#options.service.answer(name, asked, asking);
    const message = beginMessage().u8(STATUS.ok);
    writeAnswer(message, answer);
    return message.finish();
  }

  async #receive({ name }: Token, most: number): Promise<Uint8Array> {
    const length = announcedLength(this.#request);
    if (length > most) throw new Refused(STATUS.tooLarge, `A request of ${length} bytes is larger than ${most}, which this hub takes.`);
    this.#request.socket.setTimeout(IDLE_MS);
    const body = await collectBody(this.#request, length, (bytes) => {
      if (!this.#memory.requests.take(name, bytes)) throw new Refused(STATUS.failed, 'The hub has more requests than it can hold; try again later.');
      this.#received += bytes;
    });
    // What comes now is this side's affair.
    this.#request.socket.setTimeout(0);
    this.#options.counters.bytesIn += length;
    return body;
  }

  #admit({ name }: Token, bytes: number): void {
    // Nobody would give it back.
    if (this.#isGone) throw new Refused(STATUS.malformed, 'The request was cut off.');
    if (bytes <= SMALL_BYTES) return;
    if (!this.#memory.answers.take(name, bytes)) throw new Refused(STATUS.failed, 'The hub has more answers under way than it can hold; try again later.');
    this.#answering += bytes;
  }

  #refuse(error: unknown): void {
    const { status, message } = refusalOf(error);
    this.#report(error);
    this.#send(status, refusal(status, message));
  }

  #report(error: unknown): void {
    if (isFailure(error)) this.#options.onError(error);
  }

  #send(status: Status, body: Uint8Array): void {
    const { counters } = this.#options;
    counters.request(this.#operation, this.#response.destroyed ? 'gone' : outcomeOf(status));
    if (this.#response.destroyed) return;
    counters.bytesOut += body.length;
    this.#request.socket.setTimeout(IDLE_MS);
    const patience = setTimeout(() => this.#response.destroy(), ANSWER_MS).unref();
    this.#response.on('close', () => clearTimeout(patience));
    this.#response.writeHead(HTTP_STATUS[status], { 'content-type': CONTENT_TYPE, 'content-length': body.length, 'cache-control': 'no-store' });
    this.#response.end(body);
  }

  /** What a refused request still sends has nobody to read it, and its sender may read the answer only afterwards. */
  #drain(): void {
    const request = this.#request;
    if (request.complete || request.destroyed) return;
    let left = DRAIN_BYTES;
    const patience = setTimeout(() => request.destroy(), DRAIN_MS).unref();
    request.on('close', () => clearTimeout(patience));
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => {
      if ((left -= part.length) < 0) request.destroy();
    });
    request.resume();
  }
}

function announcedLength({ headers }: IncomingMessage): number {
  const length = headers['content-length'];
  if (length === undefined || !/^[0-9]{1,15}$/.test(length)) throw new Refused(STATUS.malformed, 'A request must tell its length.');
  return Number(length);
}

/**
 * The body of a request; what is wrong with it leaves the connection as it is, for there is an answer to be sent.
 *
 * @param admit - is told of the bytes of each part, and throws when they are too many
 */
function collectBody(request: IncomingMessage, length: number, admit: (bytes: number) => void): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  return new Promise((resolve, reject) => {
    const onPart = (part: Buffer): void => {
      try {
        admit(part.length);
        parts.push(part);
      } catch (error) {
        request.off('data', onPart).pause();
        reject(error as Error);
      }
    };
    const cutOff = (): void => reject(new Refused(STATUS.malformed, 'The request was cut off.'));
    request.on('data', onPart);
    request.once('end', () => resolve(Buffer.concat(parts, length)));
    request.once('error', cutOff);
    request.once('close', cutOff);
  });
}
