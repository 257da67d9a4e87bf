import type { WebLockTable } from '../disk/locks/lock-table.ts';
import type { LockTable } from '../disk/locks/table.ts';
import { OpenJournals } from '../disk/journal/open-journals.ts';
import type { Suspendable } from '../disk/journal/open-journals.ts';
import type { Account, Allowance } from '../disk/quota/account.ts';
import type { Durability } from '../disk/root/durable.ts';
import type { BucketPlace } from '../disk/place.ts';
import type { Root } from '../disk/root/root.ts';
import type { FileTree } from '../disk/tree/file-tree.ts';
import { outsideContexts } from '../runtime/callback-context.ts';
import { Code } from '../runtime/code.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { setImmediate } from '../runtime/timers.ts';
import type * as FileCode from './file-code.ts';
import type { FilesMeter } from './files-meter.ts';
import type * as LockCode from './lock-code.ts';
import type { LocksMeter } from './locks-meter.ts';
import type { Meter } from './meter.ts';

/** Buckets of this realm with a running engine; each has a session in its lock journal. */
const running = new OpenJournals(128);

type LockSnapshot = ReturnType<WebLockTable['query']>;

/** Locks whose names no application can have are Holdfast's own. https://w3c.github.io/web-locks/#dom-lockmanager-request */
function withoutInternal({ held, pending }: LockSnapshot): LockSnapshot {
  const isPublic = ({ name }: { readonly name: string }): boolean => !name.startsWith('-');
  return { held: held.filter(isPublic), pending: pending.filter(isPublic) };
}

const lockCode = new Code<typeof LockCode>(() => import('./lock-code.ts'));
const fileCode = new Code<typeof FileCode>(() => import('./file-code.ts'));

/** What a bucket may take of the disk. */
export interface BucketAllowance extends Allowance {
  /** The origin's quota, which all of its buckets share; undefined: what the disk has left. */
  readonly origin: number | undefined;
}

/** Where an engine runs. */
export interface EnginePlace {
  readonly root: Root;
  readonly place: BucketPlace;
  /** The directory of the origin's default bucket, where that is another one. */
  readonly defaultPath?: string;
  readonly durability: Durability;
  readonly meter: Meter;
  readonly allowance: BucketAllowance;
}

/**
 * A bucket's locks and files.
 *
 * - Their code is loaded by the realm's first `locksReady` or `ready`.
 * - The engine starts with its first use, ends when it is idle and others need its place, and starts again.
 * - While it runs the realm knows of it, so that what it holds is never forgotten.
 */
export class BucketEngine implements Suspendable {
  used = false;
  /** Keeps the engine running though it is idle: somebody relies on its being the same. */
  pinned = false;
  /** Whose engine it is: held, so that the bucket lives as long as its engine runs. */
  readonly bucket: EnginePlace;
  #locks: LockTable | undefined;
  /** Of the locks that run; made when files are first asked for. */
  #tree: FileTree | undefined;
  #account: Account | undefined;
  #locksMeter: LocksMeter | undefined;
  #filesMeter: FilesMeter | undefined;
  #closed = false;

  constructor(bucket: EnginePlace) {
    this.bucket = bucket;
  }

  /** To be awaited before the locks are asked for. */
  async locksReady(): Promise<void> {
    await lockCode.load();
    await this.locks.isRead;
  }

  /** To be awaited before the tree is asked for; no key has to be waited for then. */
  async ready(): Promise<typeof FileCode> {
    const [files] = await Promise.all([fileCode.load(), lockCode.load(), this.bucket.place.encryption?.prepare()]);
    return files;
  }

  get locks(): LockTable {
    this.used = true;
    return this.#locks ?? this.#start();
  }

  /** What the bucket takes of the disk, and who pays for it; to be asked for once it is `ready`. Needs no locks. */
  get account(): Account {
    return (this.#account ??= fileCode.loaded.createAccount(this.bucket));
  }

  /** To be asked for once it is `ready`. */
  get tree(): FileTree {
    const { locks } = this;
    return this.#tree ?? this.#grow(locks);
  }

  /** The same for lock managers, which keep hold of it. */
  readonly webLocks: WebLockTable = {
    request: (request) => this.locks.request(request),
    query: () => withoutInternal(this.locks.query()),
    // An engine that has ended holds nothing of any client.
    endClient: (clientId) => this.#locks?.endClient(clientId),
  };

  /** Counts for the locks, once they are ready; there as long as the bucket. */
  get locksMeter(): LocksMeter {
    return (this.#locksMeter ??= new lockCode.loaded.LocksMeter(this.bucket.meter));
  }

  /** Counts for the files, once they are ready. */
  get filesMeter(): FilesMeter {
    return (this.#filesMeter ??= new fileCode.loaded.FilesMeter(this.bucket.meter));
  }

  /** Whether it runs, with a descriptor of its lock journal. */
  get isRunning(): boolean {
    return this.#locks !== undefined;
  }

  get busy(): boolean {
    return this.pinned || this.#locks?.isIdle === false;
  }

  suspend(): void {
    // It is idle, so this leaves at once; and should the disk refuse even that, its session ends with this thread.
    this.#end().catch(() => undefined);
  }

  /** Refuses what is asked for from now on; resolves when the operations that were under way have ended. */
  async close(): Promise<void> {
    this.#closed = true;
    running.delete(this);
    await this.#end();
  }

  async #end(): Promise<void> {
    const locks = this.#locks;
    const account = this.#account;
    this.#locks = undefined;
    this.#tree = undefined;
    this.#account = undefined;
    await locks?.close();
    account?.close();
  }

  #start(): LockTable {
    const { root, place, meter, durability } = this.bucket;
    if (this.#closed) throw new HoldfastError('closed', `The host of ${place.path} was closed.`);
    const { LockTable } = lockCode.loaded;
    const { shared } = root;
    const foldsNames = (): boolean => this.#foldsNames();
    this.#locks = new LockTable(place, { durability, shared, foldsNames, detach: outsideContexts, onCompaction: meter.compacted });
    running.add(this);
    const locks = this.#locks;
    outsideContexts(() => setImmediate(() => this.#tidy(() => locks.sweep())).unref());
    return locks;
  }

  #grow(locks: LockTable): FileTree {
    const tree = fileCode.loaded.createTree(this.bucket, this.account, locks.folder, () => this.locks.epoch());
    this.#tree = tree;
    outsideContexts(() => setImmediate(() => this.#tidy(() => tree.sweep((session) => locks.isDead(session)))).unref());
    return tree;
  }

  #foldsNames(): boolean {
    return this.bucket.root.open()?.foldsNames ?? false;
  }

  /** Clears away what killed sessions have left. */
  #tidy(sweep: () => void): void {
    try {
      if (this.#locks !== undefined) sweep();
    } catch {
      // Housekeeping: on a read-only disk it fails without harm, and the next start tries again.
    }
  }
}
