import { suspendMapsOf } from '../disk/map/map-journal.ts';
import { Root } from '../disk/root/root.ts';
import type { HandleData } from '../file-system/handles.ts';
import type { FileSystemDirectoryHandle } from '../file-system/directory-handle.ts';
import type { FileSystemFileHandle } from '../file-system/file-handle.ts';
import { behaviour } from '../file-system/loading.ts';
import { Code } from '../runtime/code.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { internal } from '../webidl/interface.ts';
import type { BackupOptions, BackupResult, RestoreOptions, RestoreResult } from './backup/types.ts';
import { Bucket } from './bucket.ts';
import type { BucketOwner } from './bucket.ts';
import { currentClient, runAs } from './context.ts';
import { handleFetch, handleNode, urlOfRequest } from './handle.ts';
import type { Handler, RequestLike, ResponseLike } from './handle.ts';
import { Counts } from './meter.ts';
import { givenOptions } from './option-checks.ts';
import { hostSettings } from './options.ts';
import type { StorageHostOptions } from './options.ts';
import { parseClientUrl, parseOrigin } from './origin.ts';
import type { OriginLike } from './origin.ts';
import { statsOf } from './stats.ts';
import type { HostStats } from './stats.ts';
import { RecentlyUsed } from './recently-used.ts';
import { StorageClient } from './storage-client.ts';
import type * as OperationCode from './operations/code.ts';
import type { ExportOptions, ImportedOrigin, ImportOptions, OriginSummary, RekeyOptions } from './operations/types.ts';
import { hearWarnings } from './warnings.ts';
import type { OriginSync } from './sync/origin-sync.ts';
import { WeakMapByName } from './weak-map-by-name.ts';

/** Options of {@link StorageHost.client}. */
export interface ClientOptions {
  /** The client's URL, of the same origin, for the `url` of the `storage` events that its writes cause. */
  readonly url?: OriginLike | undefined;
}

/** What `client.sync` is: never null where the option `sync` is there and leaves no origin out. */
export type SyncOf<Options> = Options extends { readonly sync: infer Sync }
  ? Sync extends { readonly origins: unknown } | undefined
    ? OriginSync | null
    : OriginSync
  : OriginSync | null;

const operations = new Code<typeof OperationCode>(() => import('./operations/code.ts'));
/** What a host's buckets are given of it. @throws HoldfastError closed @internal */
export let ownerOf: (host: StorageHost) => BucketOwner;

/** How many origins stay in memory though nobody holds anything of them. */
const warmOrigins = 256;

/**
 * This realm's access to a root: the storage of any number of origins, each apart from the others. Any number of
 * hosts, in any number of threads and processes, may use one root at once.
 *
 * - The constructor touches no disk. A missing root reads as empty; the first write creates it.
 * - An idle host, and idle clients, do not keep the process alive.
 */
export class StorageHost<Options extends StorageHostOptions = StorageHostOptions> {
  static {
    ownerOf = (host) => {
      host.#requireOpen();
      return host.#owner;
    };
  }

  readonly #root: Root;
  readonly #owner: BucketOwner;
  readonly #buckets = new WeakMapByName<Bucket>();
  /** Those with something in use that nobody may hold. */
  readonly #inUse = new Set<Bucket>();
  readonly #counts = new Counts();
  readonly #endWarnings: () => void;
  readonly #options: StorageHostOptions;
  readonly #warm = new RecentlyUsed<Bucket>(warmOrigins);
  #closing: Promise<void> | undefined;

  /** @throws HoldfastError bad-option */
  constructor(options: Options) {
    const settings = hostSettings(options);
    this.#options = options;
    this.#root = new Root(settings.root, settings.durability, settings.shared, settings.vaults);
    this.#owner = {
      host: this,
      root: this.#root,
      quotaOf: settings.quotaOf,
      sync: settings.sync,
      counts: this.#counts,
      users: new Set(),
      keep: (bucket, inUse) => {
        if (inUse) this.#inUse.add(bucket);
        else this.#inUse.delete(bucket);
      },
    };
    this.#endWarnings = hearWarnings(this, { root: this.root, counts: this.#counts, tell: settings.onWarning });
  }

  /** The root's absolute path. */
  get root(): string {
    return this.#root.path;
  }

  /**
   * This realm's own client of an origin: the same object each time, as long as anybody holds it or it has a listener,
   * a lock or something in its `sessionStorage`. Does no I/O.
   *
   * @throws HoldfastError bad-option, closed
   * @throws DOMException SecurityError for an opaque origin (`null`, `file:`, `data:`)
   */
  origin(origin: OriginLike): StorageClient<SyncOf<Options>> {
    const bucket = this.#bucket(origin);
    return (bucket.client ??= new StorageClient(internal, bucket, `${bucket.origin}/`)) as StorageClient<SyncOf<Options>>;
  }

  /**
   * One more client of an origin, for one request or one user: with a `sessionStorage` and locks of its own, and it
   * hears of what the origin's other clients write. To be closed when it is done with. Does no I/O.
   *
   * @throws as {@link origin}; SecurityError for a `url` of another origin
   */
  client(origin: OriginLike, options: ClientOptions = {}): StorageClient<SyncOf<Options>> {
    const { url } = givenOptions(options, ['url'], 'client()');
    const bucket = this.#bucket(origin);
    return new StorageClient(internal, bucket, parseClientUrl(url, bucket.origin));
  }

  /**
   * Resolves when the key of an origin is there and opens it, or there is no such origin yet: what is synchronous can be
   * used from then on. Only needed where a promise gives the key; asynchronous methods wait by themselves. Where the
   * host encrypts nothing, it resolves at once.
   *
   * @throws HoldfastError key-wrong, key-missing, keys-damaged, not-encrypted; key-pending when it took ten seconds; as
   * {@link origin}
   */
  async unlock(origin: OriginLike): Promise<void> {
    const bucket = this.#bucket(origin);
    await bucket.place.encryption?.prepare();
    bucket.open();
  }

  /**
   * Calls `body` and returns its result. While it runs, in all that it awaits and starts, the globals of `install()` are
   * those of the client, or of the origin's own client.
   *
   * @throws as {@link origin}; HoldfastError closed for a closed client, bad-option for a client of another host
   */
  run<Result>(originOrClient: OriginLike | StorageClient, body: () => Result): Result {
    if (typeof body !== 'function') throw new TypeError(`run() calls a function, not ${String(body)}.`);
    const client = this.#clientFor(originOrClient);
    client.requireOpen();
    return runAs(client, body);
  }

  /**
   * Answers one request as a client of its own, whose `sessionStorage`, locks and open files end with the response.
   * While `handler` runs, and in all that it awaits and starts, the globals of `install()` are that client's. Its `url` is
   * the path and query of the request, under the origin: what the request says of scheme and host does not matter.
   *
   * With a Response as its result, which is given on with the same status and headers, the client is closed when its body
   * was read to the end or cancelled; with any other result when it is there; and whenever the handler fails. A response
   * of `node:http` is given beside the request, and the client is closed when it emits `close`.
   *
   * @returns what `handler` returns, awaited where no response is given beside the request
   * @throws (rejects) as {@link origin}, and with what `handler` throws
   */
  handle<Request extends RequestLike, Result>(
    origin: OriginLike,
    request: Request,
    handler: (request: Request, client: StorageClient<SyncOf<Options>>) => Result,
  ): Promise<Awaited<Result>>;
  handle<Request extends RequestLike, Response extends ResponseLike, Result>(
    origin: OriginLike,
    request: Request,
    response: Response,
    handler: (request: Request, response: Response, client: StorageClient<SyncOf<Options>>) => Result,
  ): Result;
  handle(origin: OriginLike, request: RequestLike, ...rest: readonly unknown[]): unknown {
    const handler = rest.at(-1);
    if (typeof handler !== 'function') throw new TypeError(`handle() calls a function, not ${String(handler)}.`);
    const client = (): StorageClient => this.client(origin, { url: urlOfRequest(request, parseOrigin(origin)) });
    if (rest.length === 1) return handleFetch(request, client, handler as Handler);
    return handleNode(request, rest[0] as ResponseLike, client(), handler as Handler);
  }

  /**
   * The handle that `serializeHandle()` has made plain data of, perhaps in another process, for a client of the same
   * origin; inside `run`, for the current one by default. Does no I/O.
   *
   * @throws DOMException DataCloneError when the data is of another origin
   * @throws TypeError when it is not that of a handle
   * @throws HoldfastError no-context outside `run` when no client is given
   */
  deserializeHandle(
    data: HandleData,
    originOrClient?: OriginLike | StorageClient,
  ): FileSystemFileHandle | FileSystemDirectoryHandle {
    const client = originOrClient === undefined ? currentClient() : this.#clientFor(originOrClient);
    if (client === undefined) {
      throw new HoldfastError('no-context', 'deserializeHandle() needs an origin or a client outside run(): whose handle is it?');
    }
    return behaviour().deserializeHandle(client.fileSystemOf((data as HandleData | null)?.bucket), data);
  }

  /**
   * Adds a backup of the root to a directory of backups, which is made where there is none, while all its users go on.
   * Each origin is as of one moment: its `localStorage`, files, caches and databases belong together. Only what changed
   * since the last backup is read. Resolves when the backup is on the disk; killed before, there is none, and all others
   * are whole. docs/OPERATIONS.md, "Backup", says what else is promised.
   *
   * While an origin's files are looked at, operations that change them wait, where there are any at that time.
   *
   * @param to - a directory of its own, as a path or a `file:` URL; it may be on another disk, or a network disk
   * @throws (rejects) HoldfastError backup-busy while another backup runs there, backup-unusable, disk-full,
   * root-unusable, bad-option, closed; the signal's reason
   */
  async backup(to: string | URL, options: BackupOptions = {}): Promise<BackupResult> {
    return (await this.#operate()).backup(to, options);
  }

  /**
   * Brings one origin, or all of a root, back from a directory of backups. Everything is read, checked and written beside
   * before the first origin takes its place; when this rejects before that, nothing has changed. Programs that have an
   * origin open notice within 250 ms of use: they go on with what was restored, and what they held (locks, handles,
   * connections) is lost with an error.
   *
   * @throws (rejects) HoldfastError backup-unusable, backup-missing, backup-damaged, disk-full, disk-unsupported,
   * origin-exists where an origin is there and `replace` is not given, root-busy; key-missing, key-wrong where an
   * encrypted origin is replaced, becomes another one, or goes to a position of its hub
   */
  static async restore(options: RestoreOptions): Promise<RestoreResult> {
    return (await operations.load()).restore(options);
  }

  /**
   * What this host has done in this realm since it was made, and what it has open now. Costs some microseconds, and one
   * read for each origin that syncs.
   */
  stats(): HostStats {
    return statsOf(this.#counts, [...this.#buckets.values()]);
  }

  /**
   * The origins of the root, in no order, with what they take and when they were changed last. Opens nothing, and makes
   * nothing. Those that come or go meanwhile may be there or not.
   *
   * @throws HoldfastError root-newer, root-unusable, disk-unsupported, journal-damaged, disk-failed
   */
  async *origins(): AsyncGenerator<OriginSummary, void> {
    yield* (await this.#operate()).origins();
  }

  /**
   * Deletes all of an origin, with its buckets. This host's clients of it are closed. Other hosts and processes that have
   * it open notice within 250 ms of use: what they have open fails, and what they write then makes the origin anew.
   *
   * @returns whether there was anything
   * @throws HoldfastError root-busy, root-read-only, disk-failed; as {@link origin}
   */
  async deleteOrigin(origin: OriginLike): Promise<boolean> {
    return (await this.#operate()).delete(origin);
  }

  /**
   * Wraps an origin's keys with the root key that the host was given, once they were with one of `previous`; data stay as
   * they are. Others go on, where they have both. Killed at any time, it leaves the keys as they were or wrapped anew.
   * With `dataKey`, which costs reading and writing the origin's journals, `localStorage`, locks and accounts move to a new
   * data key at once, and a file when it is next replaced as a whole. With `files` each file, cached response and database is
   * rewritten with the active data key, and those that nothing needs any more are forgotten; where files are in use that is
   * root-busy, once all others are done. docs/ENCRYPTION.md, "Loss and change of keys"
   *
   * @returns false: they were wrapped with that one already, and no data key was asked for
   * @throws HoldfastError key-wrong, key-missing, key-pending, keys-damaged, not-encrypted, origin-missing, root-busy,
   * root-read-only, disk-full, disk-failed, bad-option; as {@link origin}
   */
  async rekey(origin: OriginLike, options: RekeyOptions = {}): Promise<boolean> {
    return (await this.#operate()).rekey(origin, options);
  }

  /**
   * Encrypts an origin that is not, of a host with `plain: 'migrate'`, while others of the same option go on: each journal
   * moves to an encrypted generation, also those that nobody writes to, files, cached responses and databases are rewritten one after
   * another, each on the disk before it takes its name, and nothing plain is left, names included. Killed at any time
   * nothing is lost, and it may be called again. Coordinators go on meanwhile; those that a process without the key runs
   * are left.
   * docs/ENCRYPTION.md, "Encrypting what is there"
   *
   * @returns false: it had keys already
   * @throws HoldfastError encryption-unsupported, not-encrypted, root-busy where something is left, and as {@link rekey}
   */
  async encrypt(origin: OriginLike): Promise<boolean> {
    return (await this.#operate()).encrypt(origin);
  }

  /**
   * An archive of all that an origin has, or several have: `localStorage`, files, databases, caches, named buckets and
   * coordinators with theirs; docs/FORMAT.md,
   * "Archives". What is encrypted stays so, and is as of one moment, unless `plain` says otherwise. Changes nothing. Each map, file and database is as it was at one moment. The stream reads on as it is read.
   *
   * @throws HoldfastError origin-missing; the stream fails with key-missing, key-wrong, journal-damaged, disk-failed and others
   */
  async exportOrigin(origin: OriginLike | readonly OriginLike[], options: ExportOptions = {}): Promise<ReadableStream<Uint8Array>> {
    return (await this.#operate()).export(origin, options);
  }

  /**
   * Imports an archive of `exportOrigin()`. All of it is read and checked first, then the origins take their places: what
   * fails before that, or is killed, changes nothing. Clients of this host of an origin that is replaced are closed.
   *
   * @throws HoldfastError archive-damaged, archive-newer, origin-exists, key-missing, key-wrong, root-busy, bad-option, disk-full and others
   */
  async importOrigin(stream: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>, options: ImportOptions = {}): Promise<readonly ImportedOrigin[]> {
    return (await this.#operate()).import(stream as AsyncIterable<Uint8Array>, options);
  }

  async #operate(): Promise<OperationCode.Operations> {
    this.#requireOpen();
    const { Operations } = await operations.load();
    return new Operations(this.#root, this.#options, (origin) => this.#drop(origin));
  }

  /** Forgets an origin, so that the next use begins with what is on the disk then. */
  async #drop(origin: string): Promise<void> {
    const bucket = this.#buckets.get(origin);
    if (bucket === undefined) return;
    this.#buckets.delete(origin);
    await bucket.close();
    this.#inUse.delete(bucket);
  }

  #requireOpen(): void {
    if (this.#closing !== undefined) throw new HoldfastError('closed', `The host of ${this.root} was closed.`);
  }

  /**
   * Closes the host, its coordinators and its clients: releases their locks and files, stops observers and listeners.
   * Resolves when the operations that were under way have ended, each whole or not at all; calls of coordinators have
   * thirty seconds for it. What is asked afterwards is an error.
   */
  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(): Promise<void> {
    for (const each of [this.#owner.users, this.#buckets.values()]) await Promise.all([...each].map((one) => one.close()));
    await this.#owner.sync?.hub.close();
    this.#endWarnings();
    // Of buckets, too, that nobody holds any more.
    suspendMapsOf(this);
    this.#inUse.clear();
    this.#warm.clear();
  }

  #clientFor(originOrClient: OriginLike | StorageClient): StorageClient {
    if (!(originOrClient instanceof StorageClient)) return this.origin(originOrClient);
    if (originOrClient.host === this) return originOrClient;
    throw new HoldfastError('bad-option', `This client of ${originOrClient.origin} belongs to another host.`);
  }

  #bucket(origin: OriginLike): Bucket {
    this.#requireOpen();
    // Most calls name an origin as it is spelled already, and need no URL parser.
    const known = typeof origin === 'string' ? this.#buckets.get(origin) : undefined;
    const bucket = known ?? this.#makeBucket(parseOrigin(origin));
    this.#warm.use(bucket);
    return bucket;
  }

  #makeBucket(origin: string): Bucket {
    let bucket = this.#buckets.get(origin);
    if (bucket === undefined) this.#buckets.set(origin, (bucket = new Bucket(this.#owner, origin)));
    return bucket;
  }
}
