import type { ReplicaJournal } from '../../../src/disk/replica/replica-journal.ts';
import type { HubLog } from '../../../src/sync/hub.ts';
import type { SnapshotPolicy } from '../../../src/sync/replicator/publisher.ts';

/** What a run of the simulation does in another way than the product. */
export interface Mutant {
  readonly snapshots: SnapshotPolicy;
  /** What a process has in place of its way to the hub. */
  log(log: HubLog, journal: ReplicaJournal): HubLog;
  /** A journal through which a second replicator of the same process sees it. */
  secondSender?(journal: ReplicaJournal): ReplicaJournal;
  /** Breaks the product for as long as it is under test; returns what repairs it. */
  breaks?(): () => void;
}

export const HEALTHY: Mutant = {
  snapshots: { entries: 12, bytes: 6000, margin: 4 },
  log: (log) => log,
};
