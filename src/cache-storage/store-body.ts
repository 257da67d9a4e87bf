import type { CacheHandle, CachePut } from '../disk/caches/cache-handle.ts';
import type { ResponseDraft } from '../disk/caches/response-draft.ts';
import type { ResponseHead } from '../disk/caches/response-head.ts';
import { isUint8Array } from '../runtime/byte-brands.ts';
import { BodyFailure } from './errors.ts';
import type { KnownRequest } from './request-info.ts';
import { varyOf } from './stored-response.ts';

type Reader = ReadableStreamDefaultReader<Uint8Array>;

/** A response whose body is being taken: from here on nobody else can read it. */
export interface TakenResponse {
  readonly head: ResponseHead;
  readonly reader: Reader | null;
}

/**
 * Stores a response as its body comes, in bounded memory. What fails on the way leaves nothing.
 * https://fetch.spec.whatwg.org/#body-fully-read
 */
export async function storeBody(handle: CacheHandle, request: KnownRequest, { head, reader }: TakenResponse): Promise<CachePut> {
  let draft: ResponseDraft | undefined;
  try {
    draft = handle.draft(head);
    for (let chunk = await next(reader); chunk !== null; chunk = await next(reader)) {
      const written = draft.write(chunk);
      if (written !== undefined) await written;
    }
    await handle.finish(draft);
  } catch (error) {
    draft?.discard();
    giveUp(reader, error);
    throw error;
  }
  const { url, fragment, headers } = request;
  return { url, fragment, headers, vary: varyOf(head), draft };
}

async function next(reader: Reader | null): Promise<Uint8Array | null> {
  if (reader === null) return null;
  try {
    const { done, value } = await reader.read();
    if (done) return null;
    if (isUint8Array(value)) return value;
  } catch (error) {
    throw new BodyFailure(error);
  }
  throw new TypeError('The body of a response gave something that is no Uint8Array.');
}

/** Whoever makes the body is told that nobody wants the rest. */
export function giveUp(reader: Reader | null, reason: unknown): void {
  void reader?.cancel(reason instanceof BodyFailure ? reason.reason : reason).catch(() => undefined);
}
