import type { ThreadIdentity } from '../../runtime/identity.ts';
import type { Locator } from '../locator.ts';
import type { ClaimList, Linked } from './claim-list.ts';
import type { Intent, LockClass, WebLockMode } from './lock-table.ts';
import type { PathNode } from './path-index.ts';

/**
 * `expired`: declared dead without proof. Nothing is granted to it and nothing is heard of it; what it holds waits until
 * it can reach nothing any more. `fenced`: so it is, but for files that it shares with others who write to them.
 */
export type SessionStanding = 'present' | 'expired' | 'fenced';

/** One realm's presence in the table; its claims end with it. */
export interface Session {
  readonly id: number;
  readonly identity: ThreadIdentity;
  /** The name of its files in `wake/` and `swap/`. */
  readonly folder: string;
  /** Which directory its bucket is; empty where it did not say. */
  readonly whereabouts: string;
  /** By the sequence of the record that made each. */
  readonly claims: Map<number, Claim>;
  /**
   * Its web locks and requests by client and id, once the end of one was asked for. A client whose end is under way is
   * not in it.
   */
  clients: Map<string, Map<number, WebClaim>> | null;
  /**
   * Those of its waiting claims that may wait for another session: all others wait for claims of its own. So whoever is
   * in the way is found without a look at each of many waiting claims. Null before the first.
   */
  behindOthers: Set<Claim> | null;
  standing: SessionStanding;
}

/** `refused` and `ended` claims are no longer part of the table. */
export type ClaimState = 'waiting' | 'held' | 'refused' | 'ended';

/** What claims of all types have. */
export interface CommonClaim {
  readonly session: Session;
  /** Sequence of the record that made it. */
  readonly id: number;
  /** Its place in the order of all claims. */
  readonly order: number;
  /** When it was asked for, in milliseconds since 1970 by the clock of who did; 0 where that is not known. */
  readonly since: number;
  state: ClaimState;
}

/** What a handle holds on a file. */
export interface FileLockClaim extends CommonClaim, Linked<FileLockClaim> {
  readonly type: 'lock';
  readonly locator: Locator;
  readonly lockClass: LockClass;
  /** The operations that must end before this is decided; null once it was. */
  waitsFor: Set<OperationClaim> | null;
  node: PathNode | null;
  /** Of an expired session: others that are well write to the same file, so the fence must wait for them. */
  shared: boolean;
}

/** What an operation on names holds. */
export interface OperationClaim extends CommonClaim {
  readonly type: 'operation';
  readonly intent: Intent;
  /** Whether it covers everything below its locators too. */
  readonly tree: boolean;
  /** The session's own file lock that does not refuse this operation; 0 for none. */
  readonly own: number;
  waitsFor: Set<OperationClaim> | null;
  /** Those that wait for this one. */
  dependents: Set<FileClaim> | null;
  /** Where it stands in the path index. */
  nodes: PathNode[];
}

export type FileClaim = FileLockClaim | OperationClaim;

/** Who holds and who waits for web locks of one name. */
export interface WebQueue {
  readonly name: string;
  readonly held: ClaimList<WebClaim>;
  readonly pending: ClaimList<WebClaim>;
}

export interface WebClaim extends CommonClaim, Linked<WebClaim> {
  readonly type: 'web';
  readonly name: string;
  readonly mode: WebLockMode;
  readonly clientId: string;
  readonly queue: WebQueue;
  /** Its place in the order of all grants, once it is held. */
  grant: number;
  /** Whether it is in its session's `behindOthers`. */
  isBehindOthers: boolean;
}

export type Claim = FileClaim | WebClaim;

/** The locators that an operation covers. */
export function locatorsOf(intent: Intent): Locator[] {
  return intent.target === undefined ? [intent.source] : [intent.source, intent.target];
}

/** Whether the operation covers what lies below its locators: all on directories but making one. */
export function coversTree(intent: Intent): boolean {
  return intent.operation === 'empty' || (intent.kind === 'directory' && intent.operation !== 'create');
}
