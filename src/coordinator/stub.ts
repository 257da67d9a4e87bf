import { currentContext } from './context.ts';
import type { Link } from './context.ts';
import type { Line } from './line.ts';
import { decode, decodeResponse, decodeThrown, encodeArguments, encodeRequest, requestData } from './messages.ts';
import type { Reply } from './messages.ts';

/** What can be called of a coordinator: each public method, and `fetch`; all results are promises of copies. */
export type Stub<Object> = {
  readonly [Name in Exclude<keyof Object, 'state' | 'localStorage' | 'storage' | 'locks' | 'alarm' | 'fetch' | 'then' | 'toJSON'> as Object[Name] extends (...args: never[]) => unknown ? Name : never]: Object[Name] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
} & {
  /** Calls the coordinator's `fetch`. Bodies are sent whole. */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
};

const NO_LINKS: readonly Link[] = [];

/** What a stub is as text: that is no call of the coordinator's `toString`. */
const shownAs = (): string => '[object Stub]';

const lines = new WeakMap<object, () => Line>();

/** The calls that go through a stub; undefined for what is none. */
export function lineOf(stub: object): Line | undefined {
  return lines.get(stub)?.();
}

/** `line` is asked for at each call: what it throws, the call rejects with. */
export function createStub(line: () => Line): object {
  const methods = new Map<string, unknown>([['fetch', (input: string | URL | Request, init?: RequestInit) => fetchOf(line, input, init)]]);
  const stub = new Proxy(Object.freeze(Object.create(null) as object), {
    get: (_target, name) => {
      if (name === Symbol.toPrimitive) return shownAs;
      // A stub is no promise, and whoever writes one down as JSON calls nobody.
      if (typeof name !== 'string' || name === 'then' || name === 'toJSON') return undefined;
      let method = methods.get(name);
      if (method === undefined) methods.set(name, (method = (...args: unknown[]) => call(line, name, args)));
      return method;
    },
  });
  lines.set(stub, line);
  return stub;
}

function call(line: () => Line, method: string, args: readonly unknown[]): Promise<unknown> {
  try {
    // What is sent is what the arguments are now.
    return send(line, method, encodeArguments(args));
  } catch (error) {
    return Promise.reject(error as Error);
  }
}

function resultOf({ kind, bytes }: Reply): unknown {
  if (kind === 'error') throw decodeThrown(bytes);
  return decode(bytes);
}

async function fetchOf(line: () => Line, input: string | URL | Request, init?: RequestInit): Promise<Response> {
  const given = new Request(input, init);
  // What need not be waited for keeps its place among the calls.
  const request = given.body === null ? requestData(given, null) : await encodeRequest(given);
  return decodeResponse((await call(line, 'fetch', [request])) as Parameters<typeof decodeResponse>[0]);
}

/** From within a coordinator what it has changed goes before, and what awaits the result goes on alone. */
function send(line: () => Line, method: string, args: Uint8Array): Promise<unknown> {
  const context = currentContext();
  if (context === undefined) return line().call(method, args, NO_LINKS, resultOf);
  return context.instance.send(() => line().call(method, args, context.event?.chain ?? NO_LINKS, resultOf));
}
