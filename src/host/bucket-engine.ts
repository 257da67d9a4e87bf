import type { WebLockTable } from '../disk/locks/lock-table.ts';
import type { LockTable } from '../disk/locks/table.ts';
import { OpenJournals } from '../disk/map/open-journals.ts';
import type { Suspendable } from '../disk/map/open-journals.ts';
import type { FileTree } from '../disk/tree/file-tree.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { outsideContexts } from '../runtime/callback-context.ts';
import type * as Engines from './engine.ts';
import type { Engine, EnginePlace } from './engine.ts';

/** Buckets of this realm with a running engine; each has a descriptor and a session in its lock journal. */
const running = new OpenJournals(128);

type EngineModule = typeof Engines;

type LockSnapshot = ReturnType<WebLockTable['query']>;

/** Locks whose names no application can have are Holdfast's own. https://w3c.github.io/web-locks/#dom-lockmanager-request */
function withoutInternal({ held, pending }: LockSnapshot): LockSnapshot {
  const isPublic = ({ name }: { readonly name: string }): boolean => !name.startsWith('-');
  return { held: held.filter(isPublic), pending: pending.filter(isPublic) };
}

let loading: Promise<EngineModule> | undefined;
let code: EngineModule | undefined;

async function load(): Promise<EngineModule> {
  try {
    return (code = await import('./engine.ts'));
  } catch (error) {
    loading = undefined; // such as too many open files: the next call tries again
    throw error;
  }
}

/**
 * A bucket's locks and files.
 *
 * - Their code is loaded by the first `ready` of the realm.
 * - The engine starts with its first use, ends when it is idle and others need its place, and starts again.
 * - While it runs the realm knows of it, so that what it holds is never forgotten.
 */
export class BucketEngine implements Suspendable {
  used = false;
  /** Keeps the engine running though it is idle: somebody relies on its being the same. */
  pinned = false;
  /** Whose engine it is: held, so that the bucket lives as long as its engine runs. */
  readonly bucket: object;
  readonly #place: EnginePlace;
  #engine: Engine | undefined;
  #closed = false;

  constructor(bucket: object, place: EnginePlace) {
    this.bucket = bucket;
    this.#place = place;
  }

  /** To be awaited before anything else is asked. */
  ready(): Promise<EngineModule> {
    return (loading ??= load());
  }

  get locks(): LockTable {
    return this.#running().locks;
  }

  get tree(): FileTree {
    return this.#running().tree;
  }

  /** The same for lock managers, which keep hold of it. */
  readonly webLocks: WebLockTable = {
    request: (request) => this.locks.request(request),
    query: () => withoutInternal(this.locks.query()),
    // An engine that has ended holds nothing of any client.
    endClient: (clientId) => this.#engine?.locks.endClient(clientId),
  };

  get busy(): boolean {
    return this.pinned || this.#engine?.locks.isIdle === false;
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
    const engine = this.#engine;
    this.#engine = undefined;
    await engine?.locks.close();
  }

  #running(): Engine {
    this.used = true;
    return this.#engine ?? this.#start();
  }

  #start(): Engine {
    if (this.#closed) throw new HoldfastError('closed', `The host of ${this.#place.bucket.path} was closed.`);
    if (code === undefined) throw new Error('a bucket was asked for its locks or files before they were ready');
    const engine = code.createEngine(this.#place, () => this.locks.epoch());
    this.#engine = engine;
    running.add(this);
    outsideContexts(() => setImmediate(() => this.#sweep(engine)).unref());
    return engine;
  }

  /** Clears away what killed sessions have left. */
  #sweep({ locks, tree }: Engine): void {
    try {
      if (this.#engine !== undefined) tree.sweep((session) => locks.isDead(session));
    } catch {
      // Housekeeping: on a read-only disk it fails without harm, and the next start tries again.
    }
  }
}
