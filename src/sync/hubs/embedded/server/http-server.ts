import { Buffer } from 'node:buffer';
import { createHash, timingSafeEqual } from 'node:crypto';
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { Malformed } from '../frames.ts';
import { isOperation, operation, type OperationName } from '../operations.ts';
import { beginMessage, CONTENT_TYPE, HTTP_STATUS, openMessage, OtherProtocol, PATH_PREFIX, refusal, type Status, STATUS } from '../protocol.ts';
import type { HubService } from './service.ts';

/** Bytes of requests that are being taken in at once; what comes beyond is refused, to be sent again later. */
const IN_FLIGHT_BYTES = 2 ** 29;

/** Why a request is not answered with what it asked for. */
class Refused extends Error {
  readonly status: Exclude<Status, 0>;

  constructor(status: Exclude<Status, 0>, message: string) {
    super(message);
    this.status = status;
  }
}

export interface ListenerOptions {
  readonly service: HubService;
  readonly token: string;
  /** Hears of what must not happen. */
  readonly onError: (error: unknown) => void;
}

/** Takes HTTP requests apart: who asks, for what, and with how many bytes. Nothing is read before the token is seen. */
export function hubListener({ service, token, onError }: ListenerOptions): RequestListener {
  const expected = digest(`Bearer ${token}`);
  let inFlight = 0;

  async function receive(request: IncomingMessage, most: number): Promise<Uint8Array> {
    const length = announcedLength(request);
    if (length > most) throw new Refused(STATUS.tooLarge, `A request of ${length} bytes is larger than ${most}, which this hub takes.`);
    if (inFlight + length > IN_FLIGHT_BYTES) throw new Refused(STATUS.failed, 'The hub has more requests than it can hold; try again later.');
    inFlight += length;
    try {
      return await readBody(request, length);
    } finally {
      inFlight -= length;
    }
  }

  async function perform<Name extends OperationName>(name: Name, request: IncomingMessage, signal: AbortSignal): Promise<Uint8Array> {
    const { most, readRequest, writeAnswer } = operation(name);
    const frame = openMessage(await receive(request, most));
    const asked = readRequest(frame);
    frame.end();
    const answer = await service.answer(name, asked, signal);
    const message = beginMessage().u8(STATUS.ok);
    writeAnswer(message, answer);
    return message.finish();
  }

  function checkedName(request: IncomingMessage): OperationName {
    if (!timingSafeEqual(digest(request.headers.authorization ?? ''), expected)) {
      throw new Refused(STATUS.unauthorized, 'The token is missing, or is not that of this hub.');
    }
    const { method, url = '' } = request;
    const name = url.startsWith(PATH_PREFIX) ? url.slice(PATH_PREFIX.length) : '';
    if (method !== 'POST' || !isOperation(name)) throw new Refused(STATUS.incompatible, 'There is no such operation in this hub.');
    return name;
  }

  async function respond(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      send(response, STATUS.ok, await perform(checkedName(request), request, gone.signal));
    } catch (error) {
      const { status, message } = refusalOf(error);
      if (status === STATUS.failed && !(error instanceof Refused)) onError(error);
      send(response, status, refusal(status, message));
    } finally {
      // What a refused request still sends has nobody to read it, and its sender may read the answer only afterwards.
      if (!request.complete) request.resume();
    }
  }

  return (request, response) => void respond(request, response);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

function announcedLength({ headers }: IncomingMessage): number {
  const length = headers['content-length'];
  if (length === undefined || !/^[0-9]{1,15}$/.test(length)) throw new Refused(STATUS.malformed, 'A request must tell its length.');
  return Number(length);
}

async function readBody(request: IncomingMessage, length: number): Promise<Uint8Array> {
  const parts: Buffer[] = [];
  try {
    for await (const part of request) parts.push(part as Buffer);
  } catch {
    throw new Refused(STATUS.malformed, 'The request was cut off.');
  }
  return Buffer.concat(parts, length);
}

function refusalOf(error: unknown): { status: Exclude<Status, 0>; message: string } {
  if (error instanceof Refused) return error;
  if (error instanceof OtherProtocol) return { status: STATUS.incompatible, message: `The hub does not understand the request: ${error.message}.` };
  if (error instanceof Malformed) return { status: STATUS.malformed, message: `The hub does not understand the request: ${error.message}.` };
  if (!(error instanceof HoldfastError)) return { status: STATUS.failed, message: 'The hub has failed; its own output says why.' };
  return { status: statusOf(error), message: error.message };
}

function statusOf({ code }: HoldfastError): Exclude<Status, 0> {
  switch (code) {
    case 'hub-trimmed':
      return STATUS.trimmed;
    case 'hub-too-large':
    case 'record-too-large':
      return STATUS.tooLarge;
    case 'hub-damaged':
    case 'journal-damaged':
    case 'unknown-record':
      return STATUS.damaged;
    default:
      return STATUS.failed;
  }
}

function send(response: ServerResponse, status: Status, body: Uint8Array): void {
  if (response.destroyed) return;
  response.writeHead(HTTP_STATUS[status], { 'content-type': CONTENT_TYPE, 'content-length': body.length, 'cache-control': 'no-store' });
  response.end(body);
}
