import { IndexLog } from '../../coordinator/regions/index-log.ts';
import { RegionStore } from '../../coordinator/regions/region-store.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import type { Hub } from '../../sync/hub.ts';
import { HubConnection } from '../../sync/membership/hub-connection.ts';
import { hubLog, logNameOf, registerNameOf } from './hub-log.ts';

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
  readonly #connection: HubConnection;

  constructor(hub: Hub) {
    this.#connection = HubConnection.to(hub);
  }

  register(origin: string): IndexLog {
    return new IndexLog(hubLog(this.#connection, registerNameOf(origin)));
  }

  openStore(key: CoordinatorKey, quota: number): RegionStore {
    const nothing = (): Promise<void> => Promise.resolve();
    return new RegionStore(hubLog(this.#connection, logNameOf(key)), { quota, lease: 0, announce: nothing, register: nothing });
  }

  /** Regions show each other tokens, which nobody else has. */
  answers(): Promise<null> {
    return Promise.resolve(null);
  }
}
