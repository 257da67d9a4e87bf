import type { Model } from '../disk/replica/model.ts';
import type { ReplicaJournal } from '../disk/replica/replica-journal.ts';
import type { HubCapabilities, HubLog } from './hub.ts';
import type { References } from './replicator/collector.ts';

/** What follows a log, as far as {@link Connection.bring} has to know it. */
export interface Follower {
  /** Of the log. */
  readonly name: string;
  readonly journal: Pick<ReplicaJournal, 'current'>;
  /** A new, empty one. */
  model(): Model;
  readonly references?: References;
}

/** The way to a hub that origins have. */
export interface Connection {
  /** As `Hub.name`. */
  readonly name: string;
  /** As `Hub.connect`; after a failure the next call tries again. */
  connect(): Promise<HubCapabilities>;
  /** As `Hub.log`. */
  log(name: string): HubLog;
  /**
   * To be called once it is connected, and before a log is followed: the log is there then with what the hub has of it
   * elsewhere. `goOn` throws where that is to end early.
   *
   * @throws HoldfastError as hubs do
   */
  bring?(follower: Follower, goOn: () => void): Promise<void>;
  /**
   * Whether the log is there with what the hub has of it elsewhere: whoever follows it may have reached its end before.
   *
   * @throws HoldfastError as hubs do
   */
  isBrought?(name: string): Promise<boolean>;
}
