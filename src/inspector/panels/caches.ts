import type { Cache } from '../../cache-storage/cache.ts';
import type { CacheStorage } from '../../cache-storage/cache-storage.ts';
import type { Arguments } from '../arguments.ts';
import type { Call, Content } from '../call.ts';
import { openBucket, withBucket } from '../context.ts';
import { missing } from '../failure.ts';
import type { CacheInfo, CacheRow, Page } from '../messages.ts';
import { answer } from './content.ts';

/** Header lines of a request or response, and code units of each value. */
const MOST_HEADERS = 200;
const LONGEST_HEADER = 4000;

export const caches: Call = {
  run: (context, args) =>
    withBucket(context, args, async ({ bucket }) => {
      const found: CacheInfo[] = [];
      for (const name of await bucket.caches.keys()) found.push({ name, entries: (await (await bucket.caches.open(name)).keys()).length });
      return { caches: found };
    }),
};

/** One that is there: looking makes none. */
async function cacheOf(storage: CacheStorage, args: Arguments): Promise<Cache> {
  const name = args.text('cache');
  if (!(await storage.has(name))) throw missing('There is no such cache.');
  return storage.open(name);
}

export const entries: Call = {
  run: (context, args) =>
    withBucket(context, args, async ({ bucket }): Promise<Page<CacheRow>> => {
      const { offset, limit } = args.window();
      const search = args.textOr('search', '', 4096).toLowerCase();
      const cache = await cacheOf(bucket.caches, args);
      const all = (await cache.keys()).map((request, index) => ({ request, index }));
      const found = search === '' ? all : all.filter(({ request }) => request.url.toLowerCase().includes(search));
      const rows: CacheRow[] = [];
      for (const { request, index } of found.slice(offset, offset + limit)) {
        const response = await cache.match(request);
        if (response === undefined) continue;
        rows.push(rowOf(request, index, response));
        await response.body?.cancel();
      }
      return { total: found.length, offset, rows };
    }),
};

function rowOf(request: Request, index: number, response: Response): CacheRow {
  return {
    index,
    method: request.method,
    url: request.url,
    status: response.status,
    statusText: response.statusText,
    type: response.type,
    requestHeaders: headersOf(request.headers),
    headers: headersOf(response.headers),
  };
}

function headersOf(headers: Headers): [string, string][] {
  return [...headers].slice(0, MOST_HEADERS).map(([name, value]) => [name, value.slice(0, LONGEST_HEADER)]);
}

/** The request that the page means: by its place, and its URL, lest it be another one by now. */
async function requestAt(cache: Cache, args: Arguments): Promise<Request> {
  const request = (await cache.keys())[args.integer('index', Number.MAX_SAFE_INTEGER)];
  if (request === undefined || request.url !== args.text('url')) throw missing('The entry is not there any more.');
  return request;
}

/** The body of a response, as a file's content is given. */
export const cached: Content = {
  run: async (context, args) => {
    const opened = await openBucket(context, args);
    const end = (): Promise<void> => opened.client.end();
    try {
      const cache = await cacheOf(opened.bucket.caches, args);
      const response = await cache.match(await requestAt(cache, args));
      if (response === undefined) throw missing('The entry is not there any more.');
      return await answer(args, await response.blob(), nameOf(response.url || args.text('url')), end);
    } catch (error) {
      await end();
      throw error;
    }
  },
};

function nameOf(url: string): string {
  return new URL(url).pathname.split('/').at(-1) || 'body';
}

export const removeEntryOfCache: Call = {
  changes: true,
  run: (context, args) =>
    withBucket(context, args, async ({ bucket }) => {
      const cache = await cacheOf(bucket.caches, args);
      await cache.delete(await requestAt(cache, args));
      return {};
    }),
};

export const deleteCache: Call = {
  changes: true,
  run: (context, args) => withBucket(context, args, async ({ bucket }) => ({ deleted: await bucket.caches.delete(args.text('cache')) })),
};
