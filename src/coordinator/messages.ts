import { readValue } from '../disk/values/read-value.ts';
import { UncloneableError } from '../disk/values/value-error.ts';
import { noPlatformObjects } from '../disk/values/platform-objects.ts';
import { writeValue, writeValueBriefly } from '../disk/values/write-value.ts';
import { errorMessage, isDOMException, isError } from '../runtime/errors.ts';
import { define } from '../runtime/define.ts';
import { domException } from '../webidl/dom-exception.ts';

/** What a call gives: bytes, so that a caller never shares an object with the coordinator, however near it is. */
export interface Reply {
  readonly kind: 'value' | 'error';
  readonly bytes: Uint8Array;
}

/** What a Request or a Response is, as values. */
interface Message {
  readonly headers: [string, string][];
  readonly body: Uint8Array | null;
}

interface RequestData extends Message {
  readonly url: string;
  readonly method: string;
}

interface ResponseData extends Message {
  readonly status: number;
  readonly statusText: string;
}

/** What a method without a result gives. */
const NOTHING = writeValue(undefined);

/** For a short time, as of a call. @throws DOMException DataCloneError */
export function encode(value: unknown): Uint8Array {
  if (value === undefined) return NOTHING;
  try {
    return writeValueBriefly(value, noPlatformObjects);
  } catch (error) {
    if (error instanceof UncloneableError) throw domException('DataCloneError', error.message, error);
    throw error;
  }
}

export const decode: (bytes: Uint8Array) => unknown = readValue;

/** What most calls give; in this realm it is known again. */
export const NO_ARGUMENTS: Uint8Array = writeValue([]);

/** A list of arguments. @throws DOMException DataCloneError */
export function encodeArguments(args: readonly unknown[]): Uint8Array {
  return args.length === 0 ? NO_ARGUMENTS : encode(args);
}

export function decodeArguments(bytes: Uint8Array): unknown[] {
  return bytes === NO_ARGUMENTS ? [] : (decode(bytes) as unknown[]);
}

/** What a coordinator's own code has thrown: what an error says, and its code if it has one; any other value as it is. */
export function encodeThrown(thrown: unknown): Uint8Array {
  if (!isError(thrown) && !isDOMException(thrown)) return encodeOr({ thrown }, () => ({ thrown: String(thrown) }));
  const { name, stack, cause } = thrown as Error;
  const code: unknown = Reflect.get(thrown, 'code');
  const facts = { name: String(name), message: errorMessage(thrown), stack: String(stack ?? ''), code: typeof code === 'string' ? code : undefined };
  return encodeOr({ ...facts, cause }, () => facts);
}

function encodeOr(value: unknown, otherwise: () => unknown): Uint8Array {
  try {
    return writeValue(value);
  } catch {
    return writeValue(otherwise());
  }
}

interface Thrown {
  readonly thrown?: unknown;
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly code?: string;
  readonly cause?: unknown;
}

const natives: Readonly<Record<string, new (message?: string) => Error>> = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };

/** The same for whoever called, with `remote: true`. */
export function decodeThrown(bytes: Uint8Array): unknown {
  const facts = decode(bytes) as Thrown;
  if (facts.name === undefined) return facts.thrown;
  const { name, message = '', stack, code, cause } = facts;
  const error = new (natives[name] ?? Error)(message);
  const put = (key: string, value: unknown): unknown => define(error, key, { value, writable: true, enumerable: false, configurable: true });
  if (natives[name] === undefined) put('name', name);
  if (stack) put('stack', stack);
  if (code !== undefined) put('code', code);
  if (cause !== undefined) put('cause', cause);
  put('remote', true);
  return error;
}

/** @throws what reading its body throws */
export async function encodeRequest(request: Request): Promise<RequestData> {
  return requestData(request, await bodyOf(request));
}

export function requestData({ url, method, headers }: Request, body: Uint8Array | null): RequestData {
  return { url, method, headers: [...headers], body };
}

export function decodeRequest({ url, method, headers, body }: RequestData): Request {
  return new Request(url, { method, headers, ...(body !== null && { body: body as Uint8Array<ArrayBuffer> }) });
}

export async function encodeResponse(response: Response): Promise<ResponseData> {
  // Any realm's, and those of a framework's own class.
  if (typeof response !== 'object' || response === null || typeof response.arrayBuffer !== 'function') throw new TypeError('What fetch() of a coordinator returns is a Response.');
  const { status, statusText, headers } = response;
  return { status, statusText, headers: [...headers], body: await bodyOf(response) };
}

export function decodeResponse({ status, statusText, headers, body }: ResponseData): Response {
  // Response.error() has a status that no other may have.
  if (status === 0) return Response.error();
  return new Response(body as Uint8Array<ArrayBuffer> | null, { status, statusText, headers });
}

async function bodyOf(message: Request | Response): Promise<Uint8Array | null> {
  return message.body === null ? null : new Uint8Array(await message.arrayBuffer());
}
