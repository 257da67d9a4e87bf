import fs from 'node:fs';
import type { Cache } from '../../cache-storage/cache.ts';
import type { StoredResponse } from '../../disk/caches/response-files.ts';
import { randomUuid } from '../../runtime/random.ts';
import { cachesPart } from '../caches/provide.ts';
import { archiveError } from './archive-error.ts';
import type { ImportTarget } from './import-bucket.ts';
import type { RequestHead } from './layout.ts';
import { wholeContent, wholeJson } from './read-entry.ts';
import type { TarEntry } from './tar-reader.ts';

/** What of a response is kept in memory on its way, in bytes. */
const SMALL_BYTES = 64 * 1024;

/** Imports caches, each response whole or not at all. */
export class CacheImport {
  readonly #target: ImportTarget;
  #cache: { readonly at: string; readonly cache: Cache } | null = null;
  #request: { readonly at: string; readonly head: RequestHead } | null = null;

  constructor(target: ImportTarget) {
    this.#target = target;
  }

  async take(path: string, entry: TarEntry): Promise<void> {
    const [, at = '', name = ''] = /^(caches\/[0-9]+)\/(cache\.json|[0-9]+\.json|[0-9]+\.response)$/.exec(path) ?? [];
    if (name === 'cache.json') return this.#open(at, entry);
    if (at === '' || this.#cache?.at !== at) throw archiveError(`it has an entry '${entry.path}', which no export has`);
    if (name.endsWith('.json')) this.#request = { at: path.slice(0, -'.json'.length), head: requestIn(await wholeJson(entry), entry.path) };
    else if (this.#request?.at === path.slice(0, -'.response'.length)) await this.#put(this.#cache.cache, this.#request.head, entry);
    else throw archiveError(`its entry '${entry.path}' is the response of no request`);
  }

  async #open(at: string, entry: TarEntry): Promise<void> {
    const { name } = await wholeJson(entry);
    if (typeof name !== 'string') throw archiveError(`its entry '${entry.path}' makes no sense`);
    this.#cache = { at, cache: await this.#target.area.caches().open(name) };
  }

  async #put(cache: Cache, { url, fragment, headers }: RequestHead, entry: TarEntry): Promise<void> {
    const request = new Request(url + fragment, { headers: headers as [string, string][] });
    const { scratch } = this.#target;
    // What is imported into encrypted origins is kept in memory on its way.
    if (entry.size <= SMALL_BYTES || scratch.sealing !== null) return void (await cache.put(request, responseOf(await wholeContent(entry), entry)));
    const name = randomUuid();
    const file = scratch.pathOf(name);
    try {
      await scratch.keep(name, entry);
      await cache.put(request, openResponse(file, entry));
    } finally {
      fs.rmSync(file, { force: true });
    }
  }
}

function requestIn({ url, fragment, headers }: Readonly<Record<string, unknown>>, at: string): RequestHead {
  const isPair = (each: unknown): boolean => Array.isArray(each) && each.length === 2 && each.every((part) => typeof part === 'string');
  const isRequest = typeof url === 'string' && URL.canParse(url) && typeof fragment === 'string' && /^(#|$)/.test(fragment);
  if (isRequest && Array.isArray(headers) && headers.every(isPair)) return { url, fragment, headers: headers as RequestHead['headers'] };
  throw archiveError(`its entry '${at}' makes no sense`);
}

function responseOf(bytes: Uint8Array, entry: TarEntry): Response {
  const { start, head } = partsOf(bytes, entry);
  return make({ head, body: bytes.subarray(start) }, entry);
}

/** Whoever reads the response to its end, or cancels it, closes the descriptor. */
function openResponse(file: string, entry: TarEntry): Response {
  const descriptor = fs.openSync(file, 'r');
  try {
    const beginning = Buffer.alloc(Math.min(entry.size, LONGEST_HEAD));
    fs.readSync(descriptor, beginning, 0, beginning.length, 0);
    const { start, head } = partsOf(beginning, entry);
    return make({ head, body: { path: file, descriptor, state: fs.fstatSync(descriptor), start, size: entry.size } }, entry);
  } catch (error) {
    fs.closeSync(descriptor);
    throw error;
  }
}

/** What is taken of the headers of a response, in bytes. */
const LONGEST_HEAD = 2 ** 24;

function partsOf(bytes: Uint8Array, entry: TarEntry): { readonly start: number; readonly head: StoredResponse['head'] } {
  const { bodyStart, readHead } = cachesPart.code;
  const start = bodyStart(bytes);
  const head = start === null || start > bytes.length ? null : readHead(bytes);
  if (start === null || head === null) throw archiveError(`its entry '${entry.path}' is no response`);
  return { start, head };
}

function make(stored: StoredResponse, entry: TarEntry): Response {
  try {
    return cachesPart.code.createResponse(stored);
  } catch (cause) {
    throw archiveError(`its entry '${entry.path}' is no response`, { cause });
  }
}
