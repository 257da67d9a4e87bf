import type { WebLockTable } from '../../disk/locks/lock-table.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Connection, Follower } from '../connection.ts';
import type { HubCapabilities } from '../hub.ts';
import { LinkReporter } from '../replicator/link-reporter.ts';
import { Replicator } from '../replicator/replicator.ts';
import { systemSurroundings } from '../replicator/surroundings.ts';
import type { Surroundings } from '../replicator/surroundings.ts';
import { runForElection } from './election.ts';

/** Something of an origin that follows the hub: its map, or its files. */
export interface Followed extends Follower {
  readonly journal: ReplicaJournal;
  /** Of what the journal is a part of, for warnings. */
  readonly path: string;
  /** Keeps the bytes of a copy whose history the hub does not have. */
  quarantine(bytes: Uint8Array): void;
  prepare?(operations: readonly Operation[]): Promise<readonly string[]>;
  /** This process speaks for the root from now on. */
  begin?(): void;
  end?(): Promise<void>;
}

/** Something else of an origin that whoever speaks with the hub sees to. */
export interface Companion {
  /** This process speaks for the root from now on, once it comes to the hub. */
  takeOver(): void;
  /** It has come to the hub. */
  start(capabilities: HubCapabilities): void;
  stop(): Promise<void>;
}

export interface MembershipOptions {
  readonly connection: Connection;
  readonly region: string;
  /** Bytes of operations that may be pending (rule 13). */
  readonly cap: number;
  readonly locks: () => Promise<WebLockTable>;
  /** What tells this realm from others in the lock table. */
  readonly clientId: string;
  readonly followed: readonly Followed[];
  /** Makes what is beside it, for one time of speaking. */
  readonly companion?: () => Companion;
  readonly surroundings?: Surroundings;
  /** Hears of what keeps this process from the hub, each time that it tries. */
  readonly onFailure?: (error: unknown) => void;
}

/** How soon a process that does not speak for the root looks whether nobody does, in milliseconds. */
const CANDIDACY_MS = 1000;

/** Between attempts to connect, in milliseconds; doubled each time up to the last. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

/**
 * One process's part in keeping an origin in the hub's order. Of all processes of a root, the one that holds the
 * election's lock speaks with the hub; when it ends or dies another does. It keeps no process alive.
 */
export class Membership {
  readonly #options: MembershipOptions;
  readonly #surroundings: Surroundings;
  #stopped = false;
  /** Whether this process speaks with the hub; null while that is not certain. */
  #speaks: boolean | null = null;
  #hasLooked = false;
  #failure: unknown = null;
  #asking: (() => void)[] = [];
  #wake: (() => void) | null = null;
  #done: Promise<void> | null = null;

  constructor(options: MembershipOptions) {
    this.#options = options;
    this.#surroundings = options.surroundings ?? systemSurroundings;
  }

  /** Whether this process speaks with the hub, once that is certain: it may have to be elected, and to connect first. */
  async speaks(): Promise<boolean> {
    while (this.#speaks === null && !this.#stopped) await new Promise<void>((resolve) => this.#asking.push(resolve));
    return this.#speaks === true;
  }

  /** Whether what the journals say of the connection is of whoever speaks now, not of a time before. */
  get hasLooked(): boolean {
    return this.#hasLooked;
  }

  /** Why this process does not come to the hub, though it should speak with it; null when nothing keeps it. */
  get failure(): unknown {
    return this.#failure;
  }

  #decide(speaks: boolean | null): void {
    this.#speaks = speaks;
    for (const resolve of this.#asking.splice(0)) resolve();
  }

  start(): void {
    this.#done ??= this.#run();
  }

  /** Resolves when this process has ceased to speak for the root. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake?.();
    this.#decide(null);
    await this.#done;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      try {
        await this.#stand();
      } catch {
        // The disk refuses, or the host was closed: the next round meets it again, or is the last.
      }
      await this.#pause(CANDIDACY_MS);
    }
  }

  async #stand(): Promise<void> {
    const { locks, clientId } = this.#options;
    const lock = await runForElection(await locks(), clientId);
    if (lock === null) {
      this.#hasLooked = true;
      return this.#decide(false);
    }
    this.#decide(null);
    try {
      const companion = this.#begin();
      lock.onLost = () => this.#wake?.();
      await this.#speak(companion);
    } finally {
      lock.release();
      this.#failure = null;
    }
  }

  /** What was in the way of whoever spoke before need not be in this one's. */
  #begin(): Companion | null {
    for (const { journal } of this.#options.followed) {
      const { active, link } = journal.current();
      if (active && link.code !== '') this.#reporterOf(journal).disconnected(null);
    }
    this.#hasLooked = true;
    const companion = this.#options.companion?.() ?? null;
    companion?.takeOver();
    return companion;
  }

  #reporterOf(journal: ReplicaJournal): LinkReporter {
    return new LinkReporter(journal, this.#options.connection.name, this.#surroundings);
  }

  async #speak(companion: Companion | null): Promise<void> {
    const capabilities = await this.#connect();
    if (capabilities === null) return;
    const { followed } = this.#options;
    const replicators = followed.map((each) => this.#replicator(each, capabilities));
    try {
      for (const replicator of replicators) replicator.start();
      for (const each of followed) each.begin?.();
      companion?.start(capabilities);
      this.#decide(true);
      await this.#pause(Infinity);
    } finally {
      this.#decide(null);
      await Promise.all([...replicators.map((each) => each.stop()), ...followed.map((each) => each.end?.()), companion?.stop()]);
    }
  }

  #replicator({ name, journal, path, model, quarantine, prepare, references }: Followed, capabilities: HubCapabilities): Replicator {
    const { connection, region, cap } = this.#options;
    return new Replicator({
      journal,
      log: connection.log(name),
      name,
      path,
      capabilities,
      hubName: connection.name,
      region,
      cap,
      model,
      quarantine,
      ...(prepare && { prepare }),
      ...(references && { references }),
      surroundings: this.#surroundings,
    });
  }

  /** Null: it was stopped meanwhile. */
  async #connect(): Promise<HubCapabilities | null> {
    for (let wait = FIRST_RETRY_MS; !this.#stopped; wait = Math.min(2 * wait, LAST_RETRY_MS)) {
      try {
        const { connection, followed } = this.#options;
        const capabilities = await connection.connect();
        for (const each of followed) await connection.bring?.(each, () => this.#requireRunning());
        this.#failure = null;
        return capabilities;
      } catch (error) {
        this.#report(error);
        await this.#pause(wait * (0.5 + this.#surroundings.random() / 2));
      }
    }
    return null;
  }

  #requireRunning(): void {
    if (this.#stopped) throw new HoldfastError('closed', 'Nobody speaks with the hub any more.');
  }

  #report(error: unknown): void {
    this.#failure = error;
    this.#options.onFailure?.(error);
    for (const { journal } of this.#options.followed) {
      if (journal.current().active) this.#reporterOf(journal).disconnected(error);
    }
  }

  /** Infinity: until something wakes it. */
  async #pause(milliseconds: number): Promise<void> {
    if (this.#stopped) return;
    await new Promise<void>((resolve) => {
      const cancel = milliseconds === Infinity ? null : this.#surroundings.after(milliseconds, resolve);
      this.#wake = () => {
        cancel?.();
        resolve();
      };
    });
    this.#wake = null;
  }
}
