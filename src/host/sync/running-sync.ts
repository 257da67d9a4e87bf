import fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../../disk/directories.ts';
import type { LockTable } from '../../disk/locks/table.ts';
import { MapModel } from '../../disk/map/map-model.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import { TOLD } from '../../disk/replica/replica-kinds.ts';
import { encodeTold } from '../../disk/replica/replica-records.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { Verdict } from '../../disk/replica/verdicts.ts';
import type { SpanJournal } from '../../disk/channels/channel-journal.ts';
import type { FileTree } from '../../disk/tree/file-tree.ts';
import type { Sealing } from '../../disk/tree/sealing.ts';
import { fsync } from '../../runtime/descriptor-calls.ts';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { setImmediate, uptime, wallClock } from '../../runtime/timers.ts';
import { ChannelRelay, createFilesSync, FilesModel, HubConnection, Membership, Rounds, Waiting } from '../../sync/membership/index.ts';
import type { Connection } from '../../sync/connection.ts';
import type { LogHead } from '../../sync/hub.ts';
import { PastHub } from '../../sync/past-hub.ts';
import type { FileConflict, FilesSync, Followed } from '../../sync/membership/index.ts';
import type * as Sealed from '../../sync/sealed/sealed-connection.ts';
import { randomInteger, randomUuid } from '../../runtime/random.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { warn } from '../../runtime/warning.ts';
import type { Meter } from '../meter.ts';
import type { SyncSettings } from './options.ts';
import { toldJournal } from './told-journal.ts';
import { PENDING_CAP } from './replicate.ts';

export { FilesMachine } from '../../sync/files/files-machine.ts';

/** A problem that lasts is told of again and again; one that nobody has told of for so long is over. In milliseconds. */
const PROBLEM_LASTS_MS = 10_000;

export interface RunningSyncOptions {
  readonly origin: string;
  readonly settings: SyncSettings;
  /** What encrypts all that goes to the hub; for encrypted origins. */
  readonly sealed?: Pick<typeof Sealed, 'SealedConnection'> | undefined;
  readonly place: BucketPlace;
  readonly map: ReplicaJournal;
  /** Null: they stay within the root. */
  readonly channels: SpanJournal | null;
  readonly locks: LockTable;
  readonly tree: FileTree;
  readonly durability: 'relaxed' | 'strict';
  readonly meter: Meter;
  readonly onConflict: (conflict: FileConflict) => void;
  /** Hears of what keeps this process from the hub. */
  readonly onFailure: (error: unknown) => void;
}

/** What keeps one origin in its hub's order, in one process. Loaded when the first origin needs it. */
export class RunningSync {
  readonly files: FilesSync | null;
  readonly #options: RunningSyncOptions;
  readonly #connection: Connection;
  readonly #membership: Membership;
  readonly #followed: readonly Line[];
  readonly #captured: Rounds<void>;
  readonly #settled: Rounds<void>;
  /** Of operations whose verdicts were told in this turn. */
  #told: OperationId[] = [];
  readonly #filesProblem = new PassingProblem();
  readonly #channelsProblem = new PassingProblem();
  readonly #discord = new PassingProblem();

  constructor(options: RunningSyncOptions) {
    const { settings, locks, channels } = options;
    this.#options = options;
    this.#connection = this.#connect();
    this.files = settings.files === 'off' ? null : this.#createFiles();
    const followed = this.files === null ? [this.#followedMap()] : [this.#followedMap(), this.#followedFiles(this.files)];
    this.#followed = followed.map((each) => this.#lineOf(each));
    this.#captured = new Rounds(() => this.#filesDo((files) => files.captured()));
    this.#settled = new Rounds(() => this.#filesDo((files) => files.settled()));
    this.#membership = new Membership({
      connection: this.#connection,
      region: settings.region,
      cap: PENDING_CAP,
      locks: async () => locks,
      clientId: randomUuid(),
      followed,
      ...(channels !== null && { companion: () => this.#createRelay(channels) }),
      onFailure: options.onFailure,
    });
    outsideContexts(() => this.#membership.start());
  }

  /** Of an encrypted origin the hub sees nothing that is plain. */
  #connect(): Connection {
    const { settings, place, sealed, origin } = this.#options;
    const connection = HubConnection.to(settings.hub);
    if (place.encryption === undefined || PastHub.isOne(settings.hub)) return connection;
    const { rootKeys } = place.encryption;
    if (sealed === undefined || rootKeys === undefined) throw new Error(`nothing encrypts what ${origin} gives to the hub`);
    return new sealed.SealedConnection(connection, rootKeys, { onDiscord: (sentence) => this.#tellOfDiscord(sentence), plain: place.encryption.migrates === true ? 'migrate' : 'known' });
  }

  #tellOfDiscord(message: string): void {
    this.#discord.tell(message);
    warn({ code: 'hub-entry-damaged', message, path: this.#options.place.path });
  }

  /** Whether the hub gives regions different orders; empty when nobody has seen that. */
  get discord(): string {
    return this.#discord.text;
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
      onProblem: (text) => this.#filesProblem.tell(text),
      detach: outsideContexts,
    });
  }

  /** What keeps files from being synced, where this process speaks with the hub; empty when nothing. */
  get filesProblem(): string {
    return this.#filesProblem.text;
  }

  /** The same for channels. */
  get channelsProblem(): string {
    return this.#channelsProblem.text;
  }

  #createRelay(journal: SpanJournal): ChannelRelay {
    const { origin, place } = this.#options;
    const name = `${origin} channels`;
    return new ChannelRelay({
      journal,
      log: this.#connection.log(name),
      name,
      hubName: this.#connection.name,
      path: place.path,
      onProblem: (text) => this.#channelsProblem.tell(text),
    });
  }

  get #filesName(): string {
    return `${this.#options.origin} files`;
  }

  #followedMap(): Followed {
    const { origin, map, meter, place } = this.#options;
    return {
      name: origin,
      path: place.path,
      journal: toldJournal(map, 'localStorage', meter),
      model: () => new MapModel(),
      quarantine: (bytes) => this.#quarantine('local-storage', bytes),
    };
  }

  #followedFiles(files: FilesSync): Followed {
    return {
      name: this.#filesName,
      path: this.#options.place.path,
      journal: toldJournal(files.journal, 'files', this.#options.meter),
      model: () => new FilesModel(),
      quarantine: (bytes) => this.#quarantine('files', bytes),
      prepare: (operations) => files.prepare(operations),
      references: files.references,
      begin: () => files.start(),
      end: () => files.stop(),
    };
  }

  /** (12) A copy that the hub knows nothing of stays on the disk, beside what takes its place. */
  #quarantine(what: string, bytes: Uint8Array): void {
    const directory = path.join(this.#options.place.path, 'quarantine');
    ensureDirectory(directory);
    const name = `${what}-${new Date(wallClock()).toISOString().replaceAll(':', '')}-${randomUuid()}`;
    const { encryption } = this.#options.place;
    if (encryption === undefined) return fs.writeFileSync(path.join(directory, name), bytes, { mode: 0o600, flag: 'wx', flush: true });
    writeSealed(path.join(directory, name), bytes, encryption.sealing.bound(`quarantine/${name}`));
  }

  #lineOf({ name, journal }: Followed): Line {
    return {
      journal,
      waiting: new Waiting(journal, () => this.#refusal(journal)),
      head: new Rounds(async () => {
        const connection = this.#connection;
        await connection.connect();
        const isBrought = (await connection.isBrought?.(name)) ?? true;
        return { ...(await connection.log(name).head()), isBrought };
      }),
    };
  }

  /** What no waiting helps against, until somebody does something about it. */
  #refusal(journal: ReplicaJournal): HoldfastError | null {
    const { failure, hasLooked } = this.#membership;
    if (isRefusal(failure)) return failure;
    const { connected, code, problem } = journal.current().link;
    return hasLooked && !connected && this.#isFinal(code) ? new HoldfastError(code as HoldfastErrorCode, problem) : null;
  }

  /** What newer code wrote is in a hub's past for good. */
  #isFinal(code: string): boolean {
    return REFUSED.has(code) || (code === 'hub-incompatible' && PastHub.isOne(this.#options.settings.hub));
  }

  /** What keeps this process from the hub; empty when nothing, or when another one speaks with it. */
  get problem(): string {
    const { failure } = this.#membership;
    return failure === null ? '' : errorMessage(failure);
  }

  async flush(signal?: AbortSignal): Promise<void> {
    const [map] = this.#followed;
    await map?.waiting.awake(this.#captured.join(), signal);
    await Promise.all(this.#followed.map(async ({ journal, waiting }) => {
      const { last } = journal.current().pending;
      if (last !== undefined) await waiting.passed(last.ticket, signal);
    }));
  }

  async caughtUp(signal?: AbortSignal): Promise<void> {
    await Promise.all(this.#followed.map((line) => this.#reachedHead(line, signal)));
    const [map] = this.#followed;
    await map?.waiting.awake(this.#settled.join(), signal);
  }

  async #reachedHead({ waiting, head }: Line, signal?: AbortSignal): Promise<void> {
    const goal = await waiting.awake(head.join(), signal);
    const { epoch, isBrought } = goal;
    // What a log is to be brought is in the snapshot that it begins with.
    const position = isBrought ? goal.position : Math.max(goal.position, 1);
    if (position > 0) await waiting.reached(goal, (replica) => replica.epoch === epoch && replica.position >= position, signal);
  }

  /** Only the process that speaks with the hub knows what is under way between the disk and the journal; others look. */
  async #filesDo(wait: (files: Pick<FilesSync, 'captured' | 'settled'>) => Promise<void>): Promise<void> {
    const { files } = this;
    if (files === null) return;
    await wait((await this.#membership.speaks()) ? files : files.byOthers);
  }

  /**
   * What has become of an operation of the map, once that is decided. To be called in the turn that made it.
   *
   * @throws HoldfastError `outcome-unknown` when nobody can tell any more, `hub-unauthorized`; the signal's reason
   */
  async verdict(id: OperationId, signal?: AbortSignal): Promise<Exclude<Verdict, 'unknown'>> {
    const [map] = this.#followed;
    const ticket = map?.journal.current().ticketOf(id);
    if (ticket !== undefined) await map?.waiting.passed(ticket, signal);
    const verdict = map?.journal.current().verdicts.of(id);
    if (verdict === undefined || verdict === 'unknown') throw outcomeUnknown();
    this.#noteTold(id);
    return verdict;
  }

  /** One record for all of a turn: nobody has to keep them any more. */
  #noteTold(id: OperationId): void {
    this.#told.push(id);
    if (this.#told.length === 1) outsideContexts(() => setImmediate(() => this.#writeTold()));
  }

  #writeTold(): void {
    try {
      this.#options.map.append(TOLD, encodeTold(this.#told));
    } catch {
      // They are kept then, which harms nobody.
    }
    this.#told = [];
  }

  async close(): Promise<void> {
    await this.#membership.stop();
    await this.files?.close();
  }
}

/** Writes a new file whole, encrypted, and syncs it. */
function writeSealed(file: string, bytes: Uint8Array, sealing: Sealing): void {
  const descriptor = withDescriptor(() => fs.openSync(file, 'wx+', 0o600));
  try {
    const content = sealing.draft(descriptor, file, 'whole');
    for (let at = 0; at < bytes.length; ) at += content.write(bytes.subarray(at), at);
    content.finish();
    fsync(descriptor, file);
  } finally {
    fs.closeSync(descriptor);
  }
}

/** What is over when nobody tells of it any more. */
class PassingProblem {
  #text = '';
  #at = -Infinity;

  tell(text: string): void {
    this.#text = text;
    this.#at = uptime();
  }

  /** Empty: there is none. */
  get text(): string {
    return uptime() - this.#at < PROBLEM_LASTS_MS ? this.#text : '';
  }
}

/** One of the logs that are followed, and who waits for it. */
interface Line {
  readonly journal: ReplicaJournal;
  readonly waiting: Waiting;
  readonly head: Rounds<LogHead & { readonly isBrought: boolean }>;
}

/** What no waiting helps against. */
const REFUSED: ReadonlySet<string> = new Set<HoldfastErrorCode>(['hub-unauthorized', 'key-wrong', 'key-missing', 'keys-damaged', 'not-encrypted']);

function isRefusal(failure: unknown): failure is HoldfastError {
  return failure instanceof HoldfastError && REFUSED.has(failure.code);
}

function outcomeUnknown(): HoldfastError {
  return new HoldfastError(
    'outcome-unknown',
    'It cannot be told any more what became of this write: its region was restored, or away for long, or many others have asked since. It may have taken effect or not.',
  );
}
