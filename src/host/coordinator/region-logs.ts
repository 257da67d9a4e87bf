import { createHash } from 'node:crypto';
import type { WatchedLog } from '../../coordinator/regions/region-alarms.ts';
import type { RootKeySource } from '../../disk/encryption/root-key-source.ts';
import type { Root } from '../../disk/root/root.ts';
import { Code } from '../../runtime/code.ts';
import { warn } from '../../runtime/warning.ts';
import type { Connection } from '../../sync/connection.ts';
import type { Hub, HubLog } from '../../sync/hub.ts';
import { HubConnection } from '../../sync/membership/hub-connection.ts';
import type * as Sealed from '../../sync/sealed/sealed-connection.ts';

const sealed = new Code<typeof Sealed>(() => import('../../sync/sealed/sealed-connection.ts'));

/** Whose keys encrypt what a hub has of coordinators. */
export interface RegionKeys {
  readonly rootKeys: RootKeySource;
  /** The root, for warnings. */
  readonly path: string;
}

/**
 * The logs of a hub that keeps coordinators, of which nothing is asked before the hub was looked at. With keys the hub is
 * given nothing that is plain, names of logs and ids of entries included.
 */
export class RegionLogs {
  readonly #connection: HubConnection;
  readonly #keys: RegionKeys | undefined;
  readonly #isOnlyRead: boolean;
  #sealed: Promise<Sealed.SealedConnection> | null = null;

  /** Does no I/O. `isOnlyRead`: where the hub has no keys none are made, and there is nothing to be read. */
  constructor(hub: Hub, keys: RegionKeys | undefined, isOnlyRead = false) {
    this.#connection = HubConnection.to(hub);
    this.#keys = keys;
    this.#isOnlyRead = isOnlyRead;
  }

  log(name: string): WatchedLog {
    let opened: HubLog | undefined;
    const open = async (): Promise<HubLog> => {
      const way = await this.#way();
      await way.connect();
      return (opened ??= way.log(name));
    };
    return {
      head: async () => (await open()).head(),
      append: async (entries) => (await open()).append(entries),
      read: async (position, limit) => ((await this.#hasNothing()) ? [] : (await open()).read(position, limit)),
      snapshot: async () => (await open()).snapshot(),
      putSnapshot: async (snapshot) => (await open()).putSnapshot(snapshot),
      trim: async (upTo) => (await open()).trim(upTo),
      notifies: async () => (await (await this.#way()).connect()).notifies,
      subscribe: (onNews) => subscribeTo(open, onNews),
    };
  }

  /** The id of an entry that says something the same way each time. It may say no more of that than the name of a log does. */
  async idOf(what: string): Promise<string> {
    const way = await this.#sealing();
    return way === null ? createHash('sha256').update(what, 'utf16le').digest('hex') : (await way.keys.open()).logName(what);
  }

  async #hasNothing(): Promise<boolean> {
    const way = this.#isOnlyRead ? await this.#sealing() : null;
    if (way === null) return false;
    await this.#connection.connect();
    return !(await way.keys.exist());
  }

  async #way(): Promise<Connection> {
    return (await this.#sealing()) ?? this.#connection;
  }

  /** Null: there are no keys. */
  async #sealing(): Promise<Sealed.SealedConnection | null> {
    const keys = this.#keys;
    if (keys === undefined) return null;
    this.#sealed ??= this.#seal(keys);
    return this.#sealed.catch((error: unknown) => {
      this.#sealed = null;
      throw error;
    });
  }

  async #seal({ rootKeys, path }: RegionKeys): Promise<Sealed.SealedConnection> {
    const { SealedConnection } = await sealed.load();
    return new SealedConnection(this.#connection, rootKeys, { onDiscord: (message) => warn({ code: 'hub-entry-damaged', message, path }) });
  }
}

/** Those of each origin of a root; undefined: nothing is encrypted. */
export function regionKeysOf({ vaults, path }: Root): ((origin: string) => RegionKeys) | undefined {
  return vaults && ((origin) => ({ rootKeys: vaults.of(origin).rootKeys, path }));
}

/** Whoever cannot open it asks by itself, and is told why. */
function subscribeTo(open: () => Promise<HubLog>, onNews: () => void): () => void {
  let end: (() => void) | null = null;
  let isEnded = false;
  open().then(
    (log) => {
      if (!isEnded) end = log.subscribe(onNews);
    },
    () => undefined,
  );
  return () => {
    isEnded = true;
    end?.();
  };
}
