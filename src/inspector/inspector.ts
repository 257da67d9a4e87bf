import { isAbortSignal, isObject } from '../runtime/brands.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { ownerOf, type StorageHost } from '../host/storage-host.ts';
import type { Hub } from '../sync/hub.ts';
import { requireOwnPage } from './access.ts';
import { Arguments } from './arguments.ts';
import { readJson } from './body.ts';
import type { Call, Content } from './call.ts';
import { Census } from './census.ts';
import { originOf, type Context } from './context.ts';
import { badRequest, failureOf, missing, Refused } from './failure.ts';
import { History } from './history.ts';
import { Live } from './live.ts';
import { about, deleteOrigin, origins } from './panels/origins.ts';
import { originCall } from './panels/origin.ts';
import { clearItems, item, items, removeItem, setItem } from './panels/items.ts';
import { filesCall, Listings, makeDirectory, removeEntry, renameEntry } from './panels/files.ts';
import { file, upload } from './panels/content.ts';
import { locks } from './panels/locks.ts';
import { cached, caches, deleteCache, entries, removeEntryOfCache } from './panels/caches.ts';
import { coordinatorsCall } from './panels/coordinators.ts';
import { clearStore, database, databases, deleteDatabase, records, removeRecord } from './panels/databases.ts';
import { acknowledge, conflict, sync } from './panels/sync.ts';
import { data, document, failure, json, plain, redirect } from './replies.ts';

/** Options of {@link inspector}. */
export interface InspectorOptions {
  /**
   * The path under which it answers, such as `/admin/storage`; default `/`. The page is at that path with a slash behind
   * it. Where a framework has taken the path away already, it is `/`.
   */
  readonly path?: string | undefined;
  /** Refuse every change. */
  readonly readOnly?: boolean | undefined;
  /**
   * The hub that the root's origins follow, where the host has no option `sync`: versions of files that lost their place,
   * and coordinators that it keeps, are read from it. Nothing is written to it, and it stays open.
   */
  readonly hub?: Hub | undefined;
  /** A host of the same root without the option `encryption`, for origins that are not encrypted where the first one has it. */
  readonly plain?: StorageHost | undefined;
  /** Ends it: what it has open is closed, pages hear no news any more. It ends by itself when nobody asks anything. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * A page that shows all that a host's root has, and changes it: origins, `localStorage`, files, databases, caches, locks,
 * sync, coordinators; what other processes write appears by itself. For the operator's own server, which decides who may
 * ask: **whoever may call it may read and change what every origin has.** It refuses requests that pages of other sites
 * send; for names that were made to point at the server (DNS rebinding), the server has to check `Host`.
 *
 * It takes requests of `fetch`'s kind, answers those that are none of its own with 404, and never rejects. Listening
 * takes some milliseconds of each second while a page is open, and nothing when none is.
 *
 * @throws HoldfastError bad-option
 */
export function inspector(host: StorageHost, options: InspectorOptions = {}): (request: Request) => Promise<Response> {
  const { path = '/', readOnly = false, hub = null, plain = null, signal } = checked(options);
  const history = new History();
  const { root } = ownerOf(host);
  const census = new Census(root, ({ origin, summary }) => summary !== null && history.note(origin, summary));
  const context: Context = { host, plain, root, census, readOnly, hub };
  const live = new Live(context);
  const surface = { calls: callsOf(history), contents, live, context };
  const base = path.endsWith('/') ? path : `${path}/`;
  signal?.addEventListener('abort', () => {
    live.close();
    census.close();
  });
  return async (request) => {
    try {
      return await respond(surface, base, request);
    } catch (error) {
      return failure(failureOf(error));
    }
  };
}

function checked(options: unknown): InspectorOptions {
  if (!isObject(options)) throw bad('inspector() takes its options as an object.');
  const known = ['path', 'readOnly', 'hub', 'plain', 'signal'];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw bad(`inspector() has no option '${unknown}'; it knows ${known.join(', ')}.`);
  const { path, readOnly, hub, plain, signal } = options as InspectorOptions;
  if (path !== undefined && (typeof path !== 'string' || !path.startsWith('/'))) throw bad("Option 'path' must begin with a slash, as in '/admin/storage'.");
  if (readOnly !== undefined && typeof readOnly !== 'boolean') throw bad("Option 'readOnly' must be true or false.");
  if (hub !== undefined && (!isObject(hub) || typeof hub.log !== 'function')) throw bad("Option 'hub' must be a hub, such as embeddedHub({ url }) of 'holdfast/sync'.");
  if (plain !== undefined) ownerOf(plain);
  if (signal !== undefined && !isAbortSignal(signal)) throw bad("Option 'signal' must be an AbortSignal.");
  return { path, readOnly, hub, plain, signal };
}

function bad(message: string): HoldfastError {
  return new HoldfastError('bad-option', message);
}

interface Surface {
  readonly calls: Readonly<Record<string, Call>>;
  readonly contents: Readonly<Record<string, Content>>;
  readonly live: Live;
  readonly context: Context;
}

function callsOf(history: History): Record<string, Call> {
  const files = filesCall(new Listings());
  return {
    about, origins, origin: originCall(history), 'delete-origin': deleteOrigin,
    items, item, 'set-item': setItem, 'remove-item': removeItem, 'clear-items': clearItems,
    files, 'make-directory': makeDirectory, 'rename-entry': renameEntry, 'remove-entry': removeEntry,
    databases, database, records, 'remove-record': removeRecord, 'clear-store': clearStore, 'delete-database': deleteDatabase,
    caches, entries, 'remove-cached': removeEntryOfCache, 'delete-cache': deleteCache,
    locks, sync, acknowledge, coordinators: coordinatorsCall(),
  };
}

const contents: Record<string, Content> = { file, conflict, cached };

async function respond(surface: Surface, base: string, request: Request): Promise<Response> {
  const { pathname } = new URL(request.url);
  if (`${pathname}/` === base && request.method === 'GET') return redirect(308, base);
  if (!pathname.startsWith(base)) return plain(404, 'There is nothing here.');
  const name = pathname.slice(base.length);
  if (name.startsWith('api/')) return await ask(surface, name.slice(4), request);
  if (request.method !== 'GET' && request.method !== 'HEAD') return plain(405, 'Only GET.');
  return pageFile(name);
}

async function pageFile(name: string): Promise<Response> {
  const { pageText } = await import('./page-text.ts');
  const { html, icon, script, style } = await pageText();
  if (name === '') return document(html);
  if (name === 'page.js') return data(script, { type: 'text/javascript; charset=utf-8' });
  if (name === 'page.css') return data(style, { type: 'text/css; charset=utf-8' });
  if (name === 'icon.svg') return data(icon, { type: 'image/svg+xml' });
  return plain(404, 'There is nothing here.');
}

async function ask({ calls, contents: gets, live, context }: Surface, name: string, request: Request): Promise<Response> {
  requireOwnPage(request);
  const { method } = request;
  if (method === 'POST') {
    const call = ownOf(calls, name);
    if (call.changes === true) requireChanges(context);
    return json((await call.run(context, new Arguments(await readJson(request)))) ?? {});
  }
  if (method === 'PUT' && name === 'upload') {
    requireChanges(context);
    return upload.run(context, queryOf(request), request);
  }
  if (method !== 'GET') throw new Refused(405, 'bad-request', 'Nothing is done by this method.');
  if (name === 'news') return news(live, context, request);
  return ownOf(gets, name).run(context, queryOf(request), request);
}

function news(live: Live, context: Context, request: Request): Response {
  const args = queryOf(request);
  const origin = args.textOr('origin', null) === null ? null : originOf(context, args);
  const stream = live.listen(origin, request.signal);
  return data(stream, { type: 'text/event-stream; charset=utf-8', headers: { 'x-accel-buffering': 'no' } });
}

function requireChanges({ readOnly }: Context): void {
  if (readOnly) throw new Refused(403, 'read-only', 'Nothing may be changed here: it is read-only.');
}

function ownOf<Each>(all: Readonly<Record<string, Each>>, name: string): Each {
  const found = Object.hasOwn(all, name) ? all[name] : undefined;
  if (found === undefined) throw missing('There is no such thing to ask for.');
  return found;
}

/** What a link asks for is JSON too, so that every text can be named. */
function queryOf(request: Request): Arguments {
  const text = new URL(request.url).searchParams.get('q') ?? '{}';
  try {
    return new Arguments(JSON.parse(text));
  } catch (error) {
    if (error instanceof Refused) throw error;
    throw badRequest("'q' is JSON.");
  }
}
