/** A message on its way to a channel. */
export interface Posted {
  readonly name: string;
  /** The channel that posted it; 0: one in another region. */
  readonly session: number;
  /** As `writeValue` wrote it. */
  readonly value: Uint8Array;
  /** Names of the files of its Blobs. */
  readonly files: readonly string[];
}

/** A value as it was when it was posted. */
export interface Written {
  /** As `writeValue` wrote it. */
  readonly value: Uint8Array;
  readonly blobs: readonly Blob[];
}

/** Whose channels these are: a client, given by the host. */
export interface ChannelPlace {
  /** What `origin` of its events is. */
  readonly origin: string;
  /** StructuredSerialize. @throws UncloneableError, and what the value's getters throw */
  write(value: unknown): Written;
  /** StructuredDeserialize, for a message without files. @throws ValueDamagedError */
  read(message: Posted): unknown;
  /** The same for one with files, which are there as long as what it resolves to. Takes them at once. */
  readWithFiles(message: Posted): Promise<unknown>;
  /**
   * What the web's callers may see is thrown. Messages of the client go out in the order of these calls; one with Blobs
   * once their bytes are on the disk.
   */
  post(sender: { readonly session: number; sequence: number }, name: string, written: Written): void;
  /** Tells of every message of the origin from now on, in order. @returns what ends that */
  subscribe(listener: { message(message: Posted): void; missed(): void }): () => void;
  /** Notes a channel that ends with the client. @returns what forgets it */
  keep(close: () => void): () => void;
}
