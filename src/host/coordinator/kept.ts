import { IndexLog } from '../../coordinator/regions/index-log.ts';
import { RegionStore } from '../../coordinator/regions/region-store.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import { hasOrigin, pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import type { Root } from '../../disk/root/root.ts';
import type { Hub } from '../../sync/hub.ts';
import { logNameOf, registerNameOf } from './log-names.ts';
import { regionKeysOf, RegionLogs } from './region-logs.ts';

/** Coordinators that a hub keeps, as far as they are looked at. Nothing of it does any I/O before it is asked. */
export interface Kept {
  /** Those of an origin that were ever called; some maybe not. */
  register(origin: string): IndexLog;
  /** One of them, with so many bytes of UTF-16 for its map. */
  openStore(key: CoordinatorKey, quota: number): RegionStore;
  /** Whether the region with an owner's address is there, and is not this one; null: nobody here can ask it. */
  answers(address: string): Promise<boolean | null>;
}

/** What a hub has, for whoever reaches it and is none of its regions: reads, and writes nothing. */
export class KeptInHub implements Kept {
  readonly #hub: Hub;
  readonly #root: Root;
  readonly #logs = new Map<string, RegionLogs>();

  /** `root`: whose keys read what is encrypted; its origins that are not are looked for as such. */
  constructor(hub: Hub, root: Root) {
    this.#hub = hub;
    this.#root = root;
  }

  #logsOf(origin: string): RegionLogs {
    const known = this.#logs.get(origin);
    if (known !== undefined) return known;
    const isPlain = hasOrigin(this.#root, origin) && !isEncrypted(pathOfOrigin(this.#root, origin));
    const logs = new RegionLogs(this.#hub, isPlain ? undefined : regionKeysOf(this.#root)?.(origin), true);
    this.#logs.set(origin, logs);
    return logs;
  }

  register(origin: string): IndexLog {
    return new IndexLog(this.#logsOf(origin).log(registerNameOf(origin)));
  }

  openStore(key: CoordinatorKey, quota: number): RegionStore {
    const nothing = (): Promise<void> => Promise.resolve();
    return new RegionStore(this.#logsOf(key.origin).log(logNameOf(key)), { quota, lease: 0, announce: nothing, register: nothing });
  }

  /** Regions show each other tokens, which nobody else has. */
  answers(): Promise<null> {
    return Promise.resolve(null);
  }
}
