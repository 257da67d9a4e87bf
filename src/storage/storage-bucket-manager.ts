import { boolean, dictionary, DOMString, double, enumeration, nullable } from '../webidl/conversions.ts';
import { unsignedLongLong } from '../webidl/integers.ts';
import { defineInterface, illegalConstructor, illegalInvocation, internal, requireArguments } from '../webidl/interface.ts';
import { wallClock } from '../runtime/timers.ts';
import { StorageBucket, type BucketEndpoints, type NamedBucket, type StorageBucketDurability } from './storage-bucket.ts';

/** https://wicg.github.io/storage-buckets/#dictdef-storagebucketoptions; null and undefined: nothing was asked for. */
export interface StorageBucketOptions {
  /** Durability of everything in the bucket, of whoever makes it; `relaxed` by default. */
  readonly durability?: StorageBucketDurability | null;
  /** Milliseconds since 1970. */
  readonly expires?: number | null;
  readonly persisted?: boolean | null;
  /** Bytes, of whoever makes the bucket. */
  readonly quota?: number | null;
}

/** What a bucket is to be, in full. */
export interface WantedBucket {
  readonly persisted: boolean;
  readonly durability: StorageBucketDurability;
  readonly quota: number | null;
  readonly expires: number | null;
}

/** The named buckets of one client's origin, which the host gives. */
export interface BucketShelf<Endpoints extends BucketEndpoints> {
  open(name: string, wanted: WantedBucket): Promise<NamedBucket<Endpoints>>;
  keys(): Promise<string[]>;
  delete(name: string): Promise<void>;
}

const convertOptions = dictionary<{ [Key in keyof StorageBucketOptions]-?: NonNullable<StorageBucketOptions[Key]> | null }>({
  durability: { convert: nullable(enumeration('StorageBucketDurability', ['strict', 'relaxed'])), default: null },
  expires: { convert: nullable(double), default: null },
  persisted: { convert: nullable(boolean), default: null },
  quota: { convert: nullable(unsignedLongLong), default: null },
});

const NAME = /^[a-z0-9][a-z0-9_-]{0,63}$/;

/**
 * The buckets of an origin beside its default one, by their names: on disk, shared by all processes and threads of the
 * root. Methods reject with TypeError when the client is closed, with SecurityError when the root cannot be used, and with
 * UnknownError when the disk fails.
 * https://wicg.github.io/storage-buckets/#storagebucketmanager
 *
 * Differs from the draft: there is no secure context, so none is asked for.
 */
export class StorageBucketManager<Endpoints extends BucketEndpoints = BucketEndpoints> {
  readonly #shelf: BucketShelf<Endpoints>;

  /** @internal */
  constructor(token: typeof internal, shelf: BucketShelf<Endpoints>) {
    if (token !== internal) illegalConstructor();
    this.#shelf = shelf;
  }

  /**
   * The bucket of that name, made if there is none; it is on the disk when the promise fulfils. What is there already
   * keeps its durability and quota, and may become persisted, or get another end.
   *
   * Rejects with TypeError for a name that is not 1 to 64 of `a-z`, `0-9`, `_` and `-` or begins with one of the last
   * two, for a quota of 0 or beyond 2^53 - 1, and for an end that is past; with QuotaExceededError when the disk is full,
   * and when the origin has 256 buckets.
   * https://wicg.github.io/storage-buckets/#dom-storagebucketmanager-open
   */
  async open(name: string, options?: StorageBucketOptions): Promise<StorageBucket<Endpoints>>;
  async open(...args: unknown[]): Promise<StorageBucket<Endpoints>> {
    const shelf = StorageBucketManager.#shelfOf(this);
    const context = begin('open', args, 1);
    const name = DOMString(args[0], `${context}: parameter 1`);
    const wanted = wantedBucket(args[1], context);
    requireName(name, context);
    return new StorageBucket(internal, await shelf.open(name, wanted));
  }

  /** The names of all, in their order. https://wicg.github.io/storage-buckets/#dom-storagebucketmanager-keys */
  async keys(): Promise<string[]> {
    return StorageBucketManager.#shelfOf(this).keys();
  }

  /**
   * Takes a bucket and all that is in it away from everybody, whoever uses it; nothing happens where there is none. Its
   * space is freed in the background. Rejects with TypeError for what is no name.
   * https://wicg.github.io/storage-buckets/#dom-storagebucketmanager-delete
   */
  async delete(name: string): Promise<void>;
  async delete(...args: unknown[]): Promise<void> {
    const shelf = StorageBucketManager.#shelfOf(this);
    const context = begin('delete', args, 1);
    const name = DOMString(args[0], `${context}: parameter 1`);
    requireName(name, context);
    return shelf.delete(name);
  }

  static #shelfOf<Endpoints extends BucketEndpoints>(manager: StorageBucketManager<Endpoints>): BucketShelf<Endpoints> {
    if (!(#shelf in manager)) throw illegalInvocation('StorageBucketManager');
    return manager.#shelf;
  }
}

defineInterface(StorageBucketManager, { name: 'StorageBucketManager', operations: { open: 1, keys: 0, delete: 1 } });

function begin(operation: string, args: readonly unknown[], required: number): string {
  requireArguments(args.length, required, 'StorageBucketManager', operation);
  return `Failed to execute '${operation}' on 'StorageBucketManager'`;
}

/** https://wicg.github.io/storage-buckets/#validate-a-bucket-name */
function requireName(name: string, context: string): void {
  if (!NAME.test(name)) throw new TypeError(`${context}: '${name}' is no name of a bucket: it has 1 to 64 of a-z, 0-9, _ and -, and begins with none of the last two.`);
}

/** https://wicg.github.io/storage-buckets/#open-a-bucket */
function wantedBucket(options: unknown, context: string): WantedBucket {
  const { durability, expires, persisted, quota } = convertOptions(options, `${context}: parameter 2`);
  if (expires !== null && expires <= wallClock()) throw new TypeError(`${context}: 'expires' is past.`);
  if (quota !== null && (quota === 0 || quota > Number.MAX_SAFE_INTEGER)) {
    throw new TypeError(`${context}: 'quota' is not in the range from 1 to ${Number.MAX_SAFE_INTEGER}.`);
  }
  return { durability: durability ?? 'relaxed', expires, persisted: persisted ?? false, quota };
}
