import type { RootKeySource } from '../../disk/encryption/root-key-source.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Connection, Follower } from '../connection.ts';
import type { HubCapabilities, HubLog } from '../hub.ts';
import { CHUNK_BYTES } from '../files/manifest.ts';
import { FormerLog } from './former-log.ts';
import { Handover, hasEntries, purgeIfThere } from './handover.ts';
import { MOST_WITNESS_BYTES } from './history.ts';
import { SEAL_BYTES } from './seal.ts';
import { SealedLog } from './sealed-log.ts';
import type { SealedLogOptions } from './sealed-log.ts';
import { SharedKeys } from './shared-keys.ts';

export interface SealedConnectionOptions {
  /** As `SealedLogOptions.onDiscord`. */
  readonly onDiscord?: (sentence: string) => void;
  /** What becomes of logs of the same names that are not encrypted: encrypted ones may go on from them, and are to. */
  readonly plain?: 'known' | 'migrate';
}

/** The way to a hub of one origin, of which the hub is given nothing but what is encrypted. */
export class SealedConnection implements Connection {
  readonly keys: SharedKeys;
  readonly #connection: Connection;
  readonly #options: SealedConnectionOptions;
  /** By the names of the logs that go on from them. */
  readonly #former = new Map<string, FormerLog>();

  /** Does no I/O. */
  constructor(connection: Connection, rootKeys: RootKeySource, options: SealedConnectionOptions = {}) {
    this.#connection = connection;
    this.#options = options;
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
    return this.#options.plain === undefined ? this.#log(name) : this.#log(name, { former: this.#formerOf(name) });
  }

  #log(name: string, options: Partial<SealedLogOptions> = {}): SealedLog {
    const { onDiscord = () => undefined } = this.#options;
    return new SealedLog({ keys: this.keys, name, hubName: this.name, logOf: (hidden) => this.#connection.log(hidden), onDiscord, ...options });
  }

  #formerOf(name: string): FormerLog {
    const former = this.#former.get(name) ?? new FormerLog(this.#log(`${name} former`));
    this.#former.set(name, former);
    return former;
  }

  /** Encrypts what the hub has of a log without encryption, if that is to be. */
  async bring(follower: Follower, goOn: () => void): Promise<void> {
    const { name } = follower;
    const { plain, ends } = this.#plain(name);
    const handover = new Handover({ follower, plain, ends, sealed: this.log(name), former: this.#formerOf(name), goOn });
    if (this.#options.plain !== 'migrate') return handover.requireOwn();
    await handover.run();
    const channels = this.#plain(`${this.keys.origin} channels`);
    await purgeIfThere(channels.plain, channels.ends);
  }

  /** Before, the encrypted log is empty, or no snapshot in it stands for the plain one yet. */
  async isBrought(name: string): Promise<boolean> {
    if (this.#options.plain !== 'migrate') return true;
    const { first, position } = await this.log(name).head();
    if (first > 1) return true;
    const former = this.#formerOf(name);
    await former.refresh();
    if (former.place !== null) return false;
    return position > 0 || !(await hasEntries(this.#plain(name).plain));
  }

  #plain(name: string): { readonly plain: HubLog; readonly ends: HubLog } {
    const plain = this.#connection.log(name);
    return { plain, ends: this.#log(`${name} former`, { logOf: () => plain }) };
  }
}

/** What is left of a hub's room. */
function within(capabilities: HubCapabilities, hubName: string): HubCapabilities {
  const maxEntryBytes = capabilities.maxEntryBytes - SEAL_BYTES - MOST_WITNESS_BYTES;
  const maxBlobBytes = capabilities.maxBlobBytes - SEAL_BYTES;
  if (maxBlobBytes < CHUNK_BYTES) throw new HoldfastError('hub-incompatible', `${hubName} takes blobs of ${capabilities.maxBlobBytes} bytes, and encrypted ones have up to ${CHUNK_BYTES + SEAL_BYTES}.`);
  return { ...capabilities, maxEntryBytes, maxBlobBytes };
}
