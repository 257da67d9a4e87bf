import type { ChannelPlace, Posted, Written } from '../../broadcast-channel/channel-place.ts';
import type { Presence } from '../../disk/caches/party.ts';
import type { ChannelJournal, ChannelSender } from '../../disk/channels/channel-journal.ts';
import type { MessageParts } from '../../disk/channels/channel-records.ts';
import type { WebLockTable } from '../../disk/locks/lock-table.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { SharedFiles } from '../../disk/tree/shared-files.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import { readValue } from '../../disk/values/read-value.ts';
import { writeValue } from '../../disk/values/write-value.ts';
import type { FileSystem } from '../../file-system/file-system.ts';
import { WrittenObjects } from '../../indexed-db/values/written-objects.ts';
import { bytesOfBlob } from '../../runtime/blob-bytes.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { isOutOfReach } from '../../runtime/out-of-reach.ts';
import { delay, setTimeout, uptime } from '../../runtime/timers.ts';
import { warn } from '../../runtime/warning.ts';
import { domException } from '../../webidl/dom-exception.ts';
import type { BucketEngine } from '../bucket-engine.ts';
import { handleObjects } from '../platform-objects.ts';
import { appear } from '../presence.ts';
import { asWebError } from '../web-error.ts';
import { readMessage } from './message-files.ts';

/** How long files of a message are there for whoever hears of it, in milliseconds: longer than the message itself. */
const KEPT_MS = 10_000;

/** How long an end waits for others to take the files of the last message, in milliseconds: they go with this realm. */
const LAST_WORDS_MS = 1000;

/** No application can have a lock of this name. https://w3c.github.io/web-locks/#dom-lockmanager-request */
const PRESENCE = '-channels';

/** For as long as the locks run: Blobs outlive the client that got them. */
const presences = new WeakMap<WebLockTable, Presence>();

/** What channels need of the client whose they are. */
export interface ChannelClient {
  readonly origin: string;
  /** The files of a bucket of the origin, by the name that its handles bear. */
  fileSystemOf(bucket: string): FileSystem;
  requireOpen(): void;
  /** The bucket's channels, once the root is open. */
  channelJournal(): ChannelJournal;
}

/** The bucket whose channels these are. */
interface ChannelBucket {
  readonly engine: BucketEngine;
  readonly place: BucketPlace;
}

/** The channels of one client, which end with it. */
export class ClientChannels implements ChannelPlace {
  readonly #client: ChannelClient;
  readonly #bucket: ChannelBucket;
  readonly #platform: PlatformObjects;
  readonly #open = new Set<() => void>();
  /** Ends when all that was posted is on its way; null: it is. */
  #pending: Promise<void> | null = null;
  /** When files were posted the last time. */
  #filesAt = -Infinity;

  constructor(client: ChannelClient, bucket: ChannelBucket) {
    this.#client = client;
    this.#bucket = bucket;
    this.#platform = handleObjects((bucket) => client.fileSystemOf(bucket));
  }

  get origin(): string {
    return this.#client.origin;
  }

  write(value: unknown): Written {
    const objects = new WrittenObjects(this.#platform);
    return { value: writeValue(value, objects), blobs: objects.blobs };
  }

  read({ value }: Posted): unknown {
    return readValue(value, this.#platform);
  }

  async readWithFiles(message: Posted): Promise<unknown> {
    return readMessage(message, await this.#sharedFiles(), this.#platform);
  }

  async #sharedFiles(): Promise<SharedFiles> {
    const { engine } = this.#bucket;
    const { createSharedFiles } = await engine.ready();
    const shared = createSharedFiles(engine);
    // Its own files, and those that it took, are there for as long as it is seen to live.
    const { locks } = engine;
    if (presences.get(locks)?.holds !== true) presences.set(locks, appear(locks, PRESENCE));
    return shared;
  }

  post(sender: ChannelSender, name: string, { value, blobs }: Written): void {
    try {
      this.#client.requireOpen();
      const journal = this.#client.channelJournal();
      if (blobs.length > 0 || this.#pending !== null) this.#postLater(journal, sender, name, { value, blobs });
      else journal.post(sender, { name, value, files: [] });
    } catch (error) {
      throw asPostError(error);
    }
  }

  /** Blobs can be read only bit by bit, and others have to find their bytes when they hear of them. */
  #postLater(journal: ChannelJournal, sender: ChannelSender, name: string, { value, blobs }: Written): void {
    const post = (files: readonly string[]): void => this.#postNow(journal, sender, { name, value, files });
    const pending = this.#afterPending(this.#writeFiles(blobs), post).finally(() => {
      if (this.#pending === pending) this.#pending = null;
    });
    this.#pending = pending;
  }

  async #afterPending(written: Promise<readonly string[]>, post: (files: readonly string[]) => void): Promise<void> {
    const before = this.#pending;
    const files = await written.catch((error: unknown) => this.#lost(error));
    await before;
    if (files === null) return;
    post(files);
    if (files.length > 0) this.#filesAt = uptime();
  }

  #postNow(journal: ChannelJournal, sender: ChannelSender, message: MessageParts): void {
    try {
      journal.post(sender, message);
    } catch (error) {
      this.#lost(error);
    }
  }

  async #writeFiles(blobs: readonly Blob[]): Promise<readonly string[]> {
    if (blobs.length === 0) return [];
    const shared = await this.#sharedFiles();
    const written = await Promise.allSettled(blobs.map((blob) => shared.write(bytesOfBlob(blob))));
    const files = written.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const release = (): void => files.forEach((file) => file.release());
    const failed = written.find((each) => each.status === 'rejected');
    if (failed === undefined) setTimeout(release, KEPT_MS).unref();
    else {
      release();
      throw failed.reason;
    }
    return files.map((file) => file.name);
  }

  /** `postMessage` has returned: there is nobody to throw at. */
  #lost(cause: unknown): null {
    warn({ code: 'background-failed', message: `A message was not sent, for its Blobs could not be stored: ${errorMessage(cause)}`, path: this.#bucket.place.path, cause });
    return null;
  }

  subscribe(listener: { message(message: Posted): void; missed(): void }): () => void {
    try {
      return this.#client.channelJournal().subscribe(listener);
    } catch (error) {
      throw asWebError(error);
    }
  }

  keep(close: () => void): () => void {
    this.#open.add(close);
    return () => this.#open.delete(close);
  }

  /** Resolves when what was posted before is on its way. */
  async end(): Promise<void> {
    for (const close of [...this.#open]) close();
    await this.#pending;
    const left = this.#filesAt + LAST_WORDS_MS - uptime();
    if (left > 0) await delay(left);
  }
}

/** In a browser no disk is between two channels. */
function asPostError(error: unknown): unknown {
  if (error instanceof HoldfastError && error.code !== 'closed' && !error.code.startsWith('root-') && !isOutOfReach(error.code)) {
    return domException('UnknownError', `Failed to execute 'postMessage' on 'BroadcastChannel': ${errorMessage(error)}`, error);
  }
  return asWebError(error);
}
