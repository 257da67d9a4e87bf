import type { ChannelPlace, Posted } from '../../broadcast-channel/channel-place.ts';
import type { ChannelJournal, ChannelSender } from '../../disk/channels/channel-journal.ts';
import type { PlatformObjects } from '../../disk/values/platform-objects.ts';
import type { FileSystem } from '../../file-system/file-system.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { domException } from '../../webidl/dom-exception.ts';
import { handleObjects } from '../platform-objects.ts';
import { asWebError } from '../web-error.ts';

/** What channels need of the client whose they are. */
export interface ChannelClient {
  readonly origin: string;
  /** The files of a bucket of the origin, by the name that its handles bear. */
  fileSystemOf(bucket: string): FileSystem;
  requireOpen(): void;
  /** The bucket's channels, once the root is open. */
  channelJournal(): ChannelJournal;
}

/** The channels of one client, which end with it. */
export class ClientChannels implements ChannelPlace {
  readonly #client: ChannelClient;
  readonly platform: PlatformObjects;
  readonly #open = new Set<() => void>();

  constructor(client: ChannelClient) {
    this.#client = client;
    this.platform = handleObjects((bucket) => client.fileSystemOf(bucket));
  }

  get origin(): string {
    return this.#client.origin;
  }

  post(sender: ChannelSender, name: string, value: Uint8Array): void {
    try {
      this.#client.requireOpen();
      this.#client.channelJournal().post(sender, name, value);
    } catch (error) {
      throw asPostError(error);
    }
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

  end(): void {
    for (const close of [...this.#open]) close();
  }
}

/** In a browser no disk is between two channels. */
function asPostError(error: unknown): unknown {
  if (error instanceof HoldfastError && error.code !== 'closed' && !error.code.startsWith('root-')) {
    return domException('UnknownError', `Failed to execute 'postMessage' on 'BroadcastChannel': ${errorMessage(error)}`, error);
  }
  return asWebError(error);
}
