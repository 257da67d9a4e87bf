import type { Batch } from '../../disk/replica/batch.ts';
import type { Model } from '../../disk/replica/model.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { HubCapabilities, HubLog } from '../hub.ts';
import type { CollectionPolicy, References } from './collector.ts';
import type { SnapshotPolicy } from './publisher.ts';
import type { Surroundings } from './surroundings.ts';

export interface ReplicatorOptions {
  readonly journal: ReplicaJournal;
  readonly log: HubLog;
  /** The log's. */
  readonly name: string;
  readonly capabilities: HubCapabilities;
  /** As `Hub.name`. */
  readonly hubName: string;
  /** Of what the journal is a part of, for warnings. */
  readonly path: string;
  /** This root's name among the regions. */
  readonly region: string;
  /** Bytes of operations that may be pending (rule 13). */
  readonly cap: number;
  /** A new, empty model of the kind that the journal has: snapshots are tried on it. */
  model(): Model;
  /** Keeps the bytes of a copy whose history the hub does not have, before another one takes its place (rule 12). */
  quarantine(bytes: Uint8Array): Promise<void> | void;
  /** Makes sure that the hub has what operations refer to, before they are sent; gives the names of those blobs. */
  prepare?(operations: readonly Operation[]): Promise<readonly string[]>;
  /** What else names blobs of the log; without it only entries that are put together from some do. */
  readonly references?: References;
  /** Looks at a batch before it is applied; one that it rejects is not, and is asked for again later. */
  check?(batch: Batch): Promise<void> | void;
  readonly surroundings?: Surroundings;
  readonly snapshots?: SnapshotPolicy;
  readonly collection?: CollectionPolicy;
}
