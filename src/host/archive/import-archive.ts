import { encodeOrigin } from '../../disk/names/origin.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { archiveError } from './archive-error.ts';
import { BucketImport, type ImportArea } from './import-bucket.ts';
import type { Alarm } from '../../disk/coordinator/owned-records.ts';
import { sealedHead, type SealedImport } from './import-sealed.ts';
import { type BucketHead, type CoordinatorHead, DEFAULT_BUCKET, FORMAT, HEAD, SEALED, SEALED_FORMAT, SEALED_HEAD, type SealedHead } from './layout.ts';
import { wholeJson } from './read-entry.ts';
import type { Scratch } from './scratch.ts';
import { TarReader, type TarEntry } from './tar-reader.ts';

/** Where what an archive has goes to. */
export interface ArchiveTarget {
  /**
   * Whom an origin's data are for; called once for each origin, before any of its data. `only`: a named bucket, where
   * there is nothing else of it. @throws HoldfastError
   */
  accept(origin: string, all: readonly string[], only: string | null): string;
  /** What a bucket of that origin is imported into; null: it is expired, and what is in it is passed over. */
  open(origin: string, bucket: BucketHead, isDefault: boolean): Promise<ImportArea | null>;
  /** What an encrypted origin is written to as it is; undefined: it cannot be. @throws HoldfastError */
  openSealed?(source: string, target: string, head: SealedHead): SealedImport;
  /** Called when all of it was written. `target`: whom it is for. */
  takeSealed?(sealed: SealedImport, source: string, target: string): Promise<void>;
  /** A directory for what is needed for a while; null: nothing may be written as it is. */
  readonly scratch: Scratch;
}

interface OpenOrigin {
  readonly at: string;
  readonly source: string;
  readonly target: string;
}

interface OpenBucket {
  readonly at: string;
  readonly content: BucketImport | null;
}

/**
 * Reads an archive from its beginning to its end, and imports what it has as it comes. When it fails, what came before is
 * there: whoever calls imports into a place that nobody sees yet.
 *
 * @returns the origins, each with whom its data went to
 * @throws HoldfastError archive-damaged, archive-newer, and what `target` and the interfaces throw
 */
export async function importArchive(source: AsyncIterable<Uint8Array>, target: ArchiveTarget): Promise<Map<string, string>> {
  const archive = new ArchiveImport(new TarReader(source), target);
  return archive.run();
}

class ArchiveImport {
  readonly #reader: TarReader;
  readonly #target: ArchiveTarget;
  readonly #imported = new Map<string, string>();
  readonly #buckets = new Map<string, BucketImport | null>();
  #origins: readonly string[] | null = null;
  #only: string | null = null;
  #origin: OpenOrigin | null = null;
  #bucket: OpenBucket | null = null;
  #sealed: SealedImport | null = null;

  constructor(reader: TarReader, target: ArchiveTarget) {
    this.#reader = reader;
    this.#target = target;
  }

  async run(): Promise<Map<string, string>> {
    try {
      for await (const entry of this.#reader.entries()) await this.#take(entry);
      await this.#endOrigin();
      for (const path of this.#reader.voids) await this.#removeVoid(path);
      if (this.#origins === null || this.#imported.size !== this.#origins.length) throw archiveError('an origin that it names is not in it');
      return this.#imported;
    } finally {
      await this.#bucket?.content?.end().catch(() => undefined);
    }
  }

  async #take(entry: TarEntry): Promise<void> {
    const [origin = '', bucket = '', ...rest] = entry.path.split('/');
    if (this.#origins === null) ({ origins: this.#origins, only: this.#only } = await begin(entry));
    else if (bucket === 'origin.json' && rest.length === 0) await this.#openOrigin(origin, entry);
    else if (this.#origin?.at !== origin) throw archiveError(`it has an entry '${entry.path}', which no export has`);
    else if (bucket === SEALED_HEAD && rest.length === 0) await this.#openSealed(this.#origin, entry);
    else if (this.#sealed !== null) await this.#takeSealed(bucket, rest, entry);
    else if (rest.length === 1 && rest[0] === 'bucket.json') await this.#openBucket(this.#origin, bucket, entry);
    else if (this.#bucket?.at !== `${origin}/${bucket}`) throw archiveError(`it has an entry '${entry.path}', which no export has`);
    else if (this.#bucket.content === null) await passOver(entry);
    else await this.#bucket.content.take(rest.join('/'), entry);
  }

  async #openOrigin(at: string, entry: TarEntry): Promise<void> {
    await this.#endOrigin();
    const { origin } = await wholeJson(entry);
    const isKnown = typeof origin === 'string' && this.#origins?.includes(origin) === true && !this.#imported.has(origin);
    if (!isKnown || encodeOrigin(origin) !== at) throw archiveError(`its entry '${entry.path}' makes no sense`);
    const target = this.#target.accept(origin, this.#origins ?? [], this.#only);
    this.#imported.set(origin, target);
    this.#origin = { at, source: origin, target };
  }

  async #openSealed({ at, source, target }: OpenOrigin, entry: TarEntry): Promise<void> {
    const head = await sealedHead(entry);
    const isExpected = this.#sealed === null && ![...this.#buckets.keys()].some((path) => path.startsWith(`${at}/`));
    const sealed = isExpected ? this.#target.openSealed?.(source, target, head) : undefined;
    if (sealed === undefined) throw archiveError(`it has an entry '${entry.path}', which no export has`);
    this.#sealed = sealed;
  }

  async #takeSealed(first: string, rest: readonly string[], entry: TarEntry): Promise<void> {
    if (first !== SEALED || rest.length === 0) throw archiveError(`it has an entry '${entry.path}', which no export has`);
    await this.#sealed?.take(rest.join('/'), entry);
  }

  async #endOrigin(): Promise<void> {
    await this.#endBucket();
    const [sealed, origin] = [this.#sealed, this.#origin];
    this.#sealed = null;
    if (sealed === null || origin === null) return;
    sealed.complete();
    await this.#target.takeSealed?.(sealed, origin.source, origin.target);
  }

  async #openBucket({ at, source, target }: OpenOrigin, directory: string, entry: TarEntry): Promise<void> {
    await this.#endBucket();
    const head = bucketHead(await wholeJson(entry), entry.path);
    const path = `${at}/${directory}`;
    if (this.#buckets.has(path) || !isDirectoryOf(head, directory)) throw archiveError(`its entry '${entry.path}' makes no sense`);
    const area = await this.#target.open(target, head, directory === DEFAULT_BUCKET);
    const content = area && new BucketImport({ area, source, scratch: this.#target.scratch });
    this.#buckets.set(path, content);
    this.#bucket = { at: path, content };
  }

  async #endBucket(): Promise<void> {
    await this.#bucket?.content?.complete();
    await this.#bucket?.content?.end();
    this.#bucket = null;
  }

  async #removeVoid(path: string): Promise<void> {
    const [origin = '', bucket = '', ...rest] = path.split('/');
    if (rest[0] !== 'files') throw archiveError(`its entry '${path}' was not whole`);
    await this.#buckets.get(`${origin}/${bucket}`)?.remove(rest.join('/'));
  }
}

async function passOver(entry: TarEntry): Promise<void> {
  for await (const chunk of entry.content()) void chunk;
}

/** Where such a bucket, or coordinator, is in its origin's directory. */
function isDirectoryOf({ coordinator }: BucketHead, directory: string): boolean {
  return (coordinator === undefined ? /^(default|bucket-[0-9]{1,9})$/ : /^coordinator-[0-9]{1,9}$/).test(directory);
}

function coordinatorHead(value: unknown): CoordinatorHead | undefined {
  const { className, alarm } = (value ?? {}) as { className?: unknown; alarm?: unknown };
  const { time, attempt } = (alarm ?? {}) as Partial<Record<keyof Alarm, unknown>>;
  const isCount = (each: unknown): each is number => typeof each === 'number' && Number.isSafeInteger(each) && each >= 0;
  if (typeof className !== 'string') return undefined;
  if (alarm === null) return { className, alarm };
  return isCount(time) && isCount(attempt) ? { className, alarm: { time, attempt } } : undefined;
}

function bucketHead({ name, persisted, durability = 'relaxed', quota = null, expires = null, coordinator }: Readonly<Record<string, unknown>>, at: string): BucketHead {
  const isBound = (value: unknown): value is number | null => value === null || (typeof value === 'number' && value >= 0);
  if (typeof name === 'string' && typeof persisted === 'boolean' && (durability === 'relaxed' || durability === 'strict') && isBound(quota) && isBound(expires)) {
    const head = coordinatorHead(coordinator);
    if (coordinator === undefined || head !== undefined) return { name, persisted, durability, quota, expires, ...(head && { coordinator: head }) };
  }
  throw archiveError(`its entry '${at}' makes no sense`);
}

/** What the first entry says. */
async function begin(entry: TarEntry): Promise<{ readonly origins: readonly string[]; readonly only: string | null }> {
  if (entry.path !== HEAD) throw archiveError('it is no export of Holdfast');
  const { format, origins, only = null } = await wholeJson(entry);
  if (typeof format === 'number' && format > SEALED_FORMAT) {
    throw new HoldfastError('archive-newer', `The archive has format ${format}, made by a newer version of Holdfast; this one knows up to ${SEALED_FORMAT}. Nothing was changed.`);
  }
  const areOrigins = Array.isArray(origins) && origins.every((origin) => typeof origin === 'string' && isOrigin(origin));
  const isOnly = only === null || typeof only === 'string';
  if ((format !== FORMAT && format !== SEALED_FORMAT) || !isOnly || !areOrigins || new Set(origins).size !== origins.length) throw archiveError('its first entry makes no sense');
  return { origins: origins as string[], only };
}

/** As origins are spelled. */
function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text;
}
