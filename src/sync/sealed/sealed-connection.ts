import type { RootKeySource } from '../../disk/encryption/root-key-source.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Connection } from '../connection.ts';
import type { HubCapabilities } from '../hub.ts';
import { CHUNK_BYTES } from '../files/manifest.ts';
import { MOST_WITNESS_BYTES } from './history.ts';
import { SEAL_BYTES } from './seal.ts';
import { SealedLog } from './sealed-log.ts';
import { SharedKeys } from './shared-keys.ts';

/** The way to a hub of one origin, of which the hub is given nothing but what is encrypted. */
export class SealedConnection implements Connection {
  readonly keys: SharedKeys;
  readonly #connection: Connection;
  readonly #onDiscord: (sentence: string) => void;

  /** Does no I/O. `onDiscord`: as `SealedLogOptions.onDiscord`. */
  constructor(connection: Connection, rootKeys: RootKeySource, onDiscord: (sentence: string) => void = () => undefined) {
    this.#connection = connection;
    this.#onDiscord = onDiscord;
    this.keys = new SharedKeys(rootKeys, (name) => connection.log(name));
  }

  get name(): string {
    return this.#connection.name;
  }

  /** Ends when the keys that the origin's regions share are there too. @throws HoldfastError as hubs and {@link SharedKeys} do */
  async connect(): Promise<HubCapabilities> {
    const capabilities = await this.#connection.connect();
    await this.keys.open();
    return within(capabilities, this.name);
  }

  log(name: string): SealedLog {
    return new SealedLog({ keys: this.keys, name, hubName: this.name, logOf: (hidden) => this.#connection.log(hidden), onDiscord: this.#onDiscord });
  }
}

/** What is left of a hub's room. */
function within(capabilities: HubCapabilities, hubName: string): HubCapabilities {
  const maxEntryBytes = capabilities.maxEntryBytes - SEAL_BYTES - MOST_WITNESS_BYTES;
  const maxBlobBytes = capabilities.maxBlobBytes - SEAL_BYTES;
  if (maxBlobBytes < CHUNK_BYTES) throw new HoldfastError('hub-incompatible', `${hubName} takes blobs of ${capabilities.maxBlobBytes} bytes, and encrypted ones have up to ${CHUNK_BYTES + SEAL_BYTES}.`);
  return { ...capabilities, maxEntryBytes, maxBlobBytes };
}
