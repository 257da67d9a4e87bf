import type { ThreadIdentity, ThreadLife } from '../../runtime/identity.ts';
import type { Machine } from '../journal/machine.ts';
import type { JournalOptions } from '../journal/journal-options.ts';
import type { Shared } from '../journal/lockfile.ts';
import type { NameScript } from '../names/script.ts';
import type { LockLog } from './lock-log.ts';
import type { LockOutcome } from './machine.ts';

export interface LockTableOptions {
  /** `strict`: what was acknowledged survives power loss. Default `relaxed`. */
  readonly durability?: 'relaxed' | 'strict';
  /** For disks on which appends are not atomic. */
  readonly shared?: Shared | undefined;
  /** Whether the root's volume takes names for one that differ in case or normalization. */
  readonly foldsNames?: () => boolean;
  /** How names of files are written, by how they are where they are visible. By default as the place says. */
  readonly names?: (visible: NameScript) => NameScript;
  /** Runs what it is given outside of the caller's asynchronous context; for watchers and timers. */
  readonly detach?: <T>(body: () => T) => T;
  /**
   * How long a session that begins to wait for others looks every 50 ms whether those before it live, in milliseconds.
   * Default 0: after 50 ms once, then once a second.
   */
  readonly keenMs?: number;
  /**
   * Whether the place has directories of files (`files.<epoch>`, `swap`, `trash`), whose epoch takes them away from
   * sessions that are taken for dead. Default true; a table of web locks alone needs only `locks` and `wake`.
   */
  readonly hasFiles?: boolean;
  /** How long the lease of a session whose life cannot be proven must be seen untouched, in milliseconds. Default 30,000. */
  readonly leaseMs?: number;
  /** For tests: who this realm says it is, whom it sees, and a log in the place of the journal. */
  readonly identity?: ThreadIdentity;
  readonly probe?: (identity: ThreadIdentity) => ThreadLife;
  readonly log?: (machine: Machine<LockOutcome>) => LockLog;
  /** As of {@link JournalOptions}. */
  readonly onCompaction?: JournalOptions['onCompaction'];
}
