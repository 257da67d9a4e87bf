import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../../disk/directories.ts';
import type { LockTable } from '../../disk/locks/table.ts';
import { MapModel } from '../../disk/map/map-model.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { FileTree } from '../../disk/tree/file-tree.ts';
import { awake, caughtUp, createFilesSync, echoed, FilesModel, flushed, HubConnection, Membership } from '../../sync/membership/index.ts';
import type { FileConflict, FilesSync, Followed } from '../../sync/membership/index.ts';
import { randomInteger } from '../../runtime/random.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import type { Meter } from '../meter.ts';
import type { SyncSettings } from './options.ts';
import { toldJournal } from './told-journal.ts';
import { PENDING_CAP } from './replicate.ts';

/** A problem that lasts is told of again and again; one that nobody has told of for so long is over. In milliseconds. */
const PROBLEM_LASTS_MS = 10_000;

export interface RunningSyncOptions {
  readonly origin: string;
  readonly settings: SyncSettings;
  readonly place: BucketPlace;
  readonly map: ReplicaJournal;
  readonly locks: LockTable;
  readonly tree: FileTree;
  readonly durability: 'relaxed' | 'strict';
  readonly meter: Meter;
  readonly onConflict: (conflict: FileConflict) => void;
}

/** What keeps one origin in its hub's order, in one process. Loaded when the first origin needs it. */
export class RunningSync {
  readonly files: FilesSync | null;
  readonly #options: RunningSyncOptions;
  readonly #connection: HubConnection;
  readonly #membership: Membership;
  readonly #followed: readonly Followed[];
  #filesProblem = { text: '', at: -Infinity };

  constructor(options: RunningSyncOptions) {
    const { settings, locks } = options;
    this.#options = options;
    this.#connection = HubConnection.to(settings.hub);
    this.files = settings.files === 'off' ? null : this.#createFiles();
    this.#followed = this.files === null ? [this.#followedMap()] : [this.#followedMap(), this.#followedFiles(this.files)];
    this.#membership = new Membership({
      connection: this.#connection,
      region: settings.region,
      cap: PENDING_CAP,
      locks: async () => locks,
      clientId: crypto.randomUUID(),
      followed: this.#followed,
    });
    outsideContexts(() => this.#membership.start());
  }

  #createFiles(): FilesSync {
    const { place, tree, locks, settings, durability, meter, onConflict } = this.#options;
    return createFilesSync({
      place,
      tree,
      locks,
      durability,
      onCompaction: meter.compacted,
      blobs: this.#connection.log(this.#filesName),
      region: settings.region,
      session: randomInteger(),
      eager: settings.files === 'eager',
      onConflict,
      onProblem: (text) => (this.#filesProblem = { text, at: performance.now() }),
      detach: outsideContexts,
    });
  }

  /** What keeps files from being synced, where this process speaks with the hub; empty when nothing. */
  get filesProblem(): string {
    const { text, at } = this.#filesProblem;
    return performance.now() - at < PROBLEM_LASTS_MS ? text : '';
  }

  get #filesName(): string {
    return `${this.#options.origin} files`;
  }

  #followedMap(): Followed {
    const { origin, map, meter } = this.#options;
    return { name: origin, journal: toldJournal(map, 'localStorage', meter), model: () => new MapModel(), quarantine: (bytes) => this.#quarantine('local-storage', bytes) };
  }

  #followedFiles(files: FilesSync): Followed {
    return {
      name: this.#filesName,
      journal: toldJournal(files.journal, 'files', this.#options.meter),
      model: () => new FilesModel(),
      quarantine: (bytes) => this.#quarantine('files', bytes),
      prepare: (operations) => files.prepare(operations),
      begin: () => files.start(),
      end: () => files.stop(),
    };
  }

  /** (12) A copy that the hub knows nothing of stays on the disk, beside what takes its place. */
  #quarantine(what: string, bytes: Uint8Array): void {
    const directory = path.join(this.#options.place.path, 'quarantine');
    ensureDirectory(directory);
    const name = `${what}-${new Date().toISOString().replaceAll(':', '')}-${crypto.randomUUID()}`;
    fs.writeFileSync(path.join(directory, name), bytes, { mode: 0o600, flag: 'wx', flush: true });
  }

  async flush(signal?: AbortSignal): Promise<void> {
    await this.#withFiles((files) => files.captured(), signal);
    await Promise.all(this.#followed.map(({ journal }) => flushed(journal, signal)));
  }

  async caughtUp(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#followed.map(({ journal, name }) => caughtUp(journal, this.#connection, name, signal)));
    await this.#withFiles((files) => files.settled(), signal);
  }

  /** Only the process that speaks with the hub knows what is under way between the disk and the journal; others look. */
  async #withFiles(wait: (files: Pick<FilesSync, 'captured' | 'settled'>) => Promise<void>, signal?: AbortSignal): Promise<void> {
    const { files } = this;
    if (files === null) return;
    const speaks = await awake(this.#membership.speaks(), signal);
    await awake(wait(speaks ? files : files.byOthers), signal);
  }

  echoed(id: OperationId, signal?: AbortSignal): Promise<void> {
    return echoed(this.#options.map, id, signal);
  }

  async close(): Promise<void> {
    await this.#membership.stop();
    await this.files?.close();
  }
}
