import { isThenable } from '../runtime/brands.ts';
import { inThisContext } from '../runtime/callback-context.ts';
import { runAs } from './context.ts';
import type { StorageClient } from './storage-client.ts';

/** A request as servers know it: a Request, or one of `node:http` and what stands on it. */
export interface RequestLike {
  /** An absolute URL, or a path with its query. */
  readonly url?: string | undefined;
  /** Express keeps it here where a router has changed `url`. */
  readonly originalUrl?: string | undefined;
  readonly method?: string | undefined;
}

/** A response of `node:http`: it emits `close` when it was sent, and when its connection has ended before. */
export interface ResponseLike {
  readonly closed?: boolean;
  once(event: 'close', listener: () => void): unknown;
}

/**
 * The request's path and query under an origin. What the request says of scheme and host is what a proxy made of it, and
 * nothing that can be relied on, so it is not looked at.
 */
export function urlOfRequest({ originalUrl, url }: RequestLike, origin: string): string {
  const local = String(originalUrl ?? url ?? '').replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  const [, path = '', query = ''] = /^([^?#]*)(\?[^#]*)?/.exec(local) ?? [];
  const target = new URL(origin);
  target.pathname = path;
  target.search = query;
  return target.href;
}

/** The last argument of `handle()`, before its types are known. */
export type Handler = (...args: unknown[]) => unknown;

/** Runs `handler` as the client, which is closed when the handler has failed, or the response was sent. */
export function handleNode(request: RequestLike, response: ResponseLike, client: StorageClient, handler: Handler): unknown {
  const close = (): void => client.close();
  try {
    const result = runAs(client, () => handler(request, response, client));
    if (response.closed === true) close();
    else response.once('close', close);
    // The caller has the promise too; here it only ends the client.
    if (isThenable(result)) result.then(undefined, close);
    return result;
  } catch (error) {
    close();
    throw error;
  }
}

/** The same for a handler that gives its response: the client is closed when that was read, or given up. */
export async function handleFetch(request: RequestLike, open: () => StorageClient, handler: Handler): Promise<unknown> {
  const client = open();
  let isStreaming = false;
  try {
    const result = await runAs(client, () => handler(request, client));
    if (request.method === 'HEAD' || !hasBody(result)) return result;
    isStreaming = true;
    const body = runAs(client, () => closingAfter(result.body, () => client.close()));
    return new Response(body, result);
  } finally {
    if (!isStreaming) client.close();
  }
}

interface WithBody extends ResponseInit {
  readonly body: ReadableStream<Uint8Array>;
}

/** Whether it is a Response, of whatever realm, with something to read. */
function hasBody(value: unknown): value is WithBody {
  const { body, headers, bodyUsed } = (value ?? {}) as Partial<Response>;
  return typeof headers === 'object' && bodyUsed === false && typeof body?.getReader === 'function' && !body.locked;
}

/** The same bytes; what makes them runs in the context of this call. */
function closingAfter(body: ReadableStream<Uint8Array>, onEnd: () => void): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  const read = inThisContext(() => reader.read());
  const giveUp = inThisContext((reason: unknown) => reader.cancel(reason));
  const { ReadableStream } = process.getBuiltinModule('node:stream/web');
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await read();
          if (!done) return controller.enqueue(value);
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        onEnd();
      },
      async cancel(reason) {
        try {
          await giveUp(reason);
        } finally {
          onEnd();
        }
      },
    },
    // Nothing is read before the server asks for it.
    { highWaterMark: 0 },
  );
}
