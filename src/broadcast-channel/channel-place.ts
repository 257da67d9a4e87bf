import type { PlatformObjects } from '../disk/values/platform-objects.ts';

/** A message on its way to a channel. */
export interface Posted {
  readonly name: string;
  /** The channel that posted it. */
  readonly session: number;
  /** As `writeValue` wrote it. */
  readonly value: Uint8Array;
}

/** Whose channels these are: a client, given by the host. */
export interface ChannelPlace {
  /** What `origin` of its events is. */
  readonly origin: string;
  readonly platform: PlatformObjects;
  /** What the web's callers may see is thrown. */
  post(sender: { readonly session: number; sequence: number }, name: string, value: Uint8Array): void;
  /** Tells of every message of the origin from now on, in order. @returns what ends that */
  subscribe(listener: { message(message: Posted): void; missed(): void }): () => void;
  /** Notes a channel that ends with the client. @returns what forgets it */
  keep(close: () => void): () => void;
}
