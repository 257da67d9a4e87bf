import type { Batch } from '../../disk/replica/batch.ts';
import { encodeBatch } from '../../disk/replica/encode-batch.ts';
import { isSameOperation } from '../../disk/replica/operation.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { BASE, ENTRY, INCARNATION, REPLICATE, SEND } from '../../disk/replica/replica-kinds.ts';
import { encodeBase, encodeEntry, encodeIncarnation, encodeReplicate } from '../../disk/replica/replica-records.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { warn } from '../../runtime/warning.ts';
import type { LogHead } from '../hub.ts';
import { Alarm } from './alarm.ts';
import { buildBase, fetchSnapshot, isOfSnapshot } from './bootstrap.ts';
import type { Base, BootstrapOptions } from './bootstrap.ts';
import { blobDigest, goesOnFrom, isSameDigest } from './digest.ts';
import { ANSWER_MS, checkedHead, compareHead, readOn } from './follower.ts';
import type { Place, Verdict } from './follower.ts';
import { Line } from './line.ts';
import { LinkReporter } from './link-reporter.ts';
import { isLater, mintIncarnation } from './mint-incarnation.ts';
import { Outbox, RESEND_MS } from './outbox.ts';
import { COLLECTION_POLICY, Collector } from './collector.ts';
import { Publisher, SNAPSHOT_POLICY } from './publisher.ts';
import type { ReplicatorOptions } from './replicator-options.ts';
import { Slices } from './slices.ts';
import { baseOf, seal } from './snapshot-seal.ts';
import { systemSurroundings } from './surroundings.ts';
import type { Surroundings } from './surroundings.ts';
import { unpack } from './unpacking.ts';
import type { Unpacked, UnpackingOptions } from './unpacking.ts';
import { Wire } from './wire.ts';

/** How often to look without news: hubs that tell of news may miss some. */
const POLL_MS = { notifies: 10_000, silent: 1000 };

/** Between attempts to reach the hub, in milliseconds; doubled each time. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

/** How soon a hub that was full is asked again, in milliseconds. */
const FULL_RETRY_MS = 10_000;

/** An entry that makes no sense, as a record has it. */
const NOTHING = new Uint8Array(0);

/** What goes on without. */
const REFUSED = { snapshot: 'The hub takes no snapshot', blobs: 'The hub collects no blobs' } as const;

/** A base that moves while it is to be replaced means that somebody else does the same; more often than this is strange. */
const MOST_REBASES = 16;

/**
 * Keeps one journal and one log of a hub together: sends what is pending, and applies what the log holds. One runs for
 * a log and a root at a time; two do no harm. It depends on nothing but its journal for what it has to remember, so it
 * may be stopped or killed anywhere, and another one goes on.
 *
 * What fails is told in the journal's LINK and tried again later, ever more seldom; local reads and writes go on.
 */
export class Replicator {
  readonly #options: ReplicatorOptions;
  readonly #surroundings: Surroundings;
  readonly #alarm = new Alarm();
  readonly #slices: Slices;
  readonly #line: Line;
  readonly #link: LinkReporter;
  readonly #publisher: Publisher;
  readonly #unpacking: UnpackingOptions;
  readonly #bootstrap: BootstrapOptions;
  readonly #outbox: Outbox;
  #ends: (() => void)[] = [];
  #done: Promise<void> | null = null;
  #stopped = false;
  #failures = 0;
  /** When the hub was full the last time; null: it was not since it took something. */
  #fullAt: number | null = null;

  /** Does nothing yet. */
  constructor(options: ReplicatorOptions) {
    const { journal, log, capabilities, hubName, region, surroundings = systemSurroundings, snapshots = SNAPSHOT_POLICY } = options;
    this.#options = options;
    this.#surroundings = surroundings;
    this.#slices = new Slices(surroundings);
    const line = new Line(surroundings);
    this.#line = line;
    this.#link = new LinkReporter(journal, hubName, surroundings);
    const probe = options.model();
    this.#unpacking = {
      log,
      line,
      knows: (kind) => probe.knows(kind),
      recall: (id) => recall(journal.current(), id),
      check: (batch) => options.check?.(batch),
    };
    this.#bootstrap = { log, line, unpacking: this.#unpacking, slices: this.#slices, model: () => options.model() };
    this.#publisher = new Publisher({
      log,
      line,
      journal,
      policy: snapshots,
      collector: new Collector({ log, line, journal, surroundings, unpacking: this.#unpacking, references: options.references ?? null, policy: options.collection ?? COLLECTION_POLICY }),
      onRefused: (what, error) => this.#link.notice(what, `${REFUSED[what]}: ${errorMessage(error)}`),
    });
    this.#outbox = new Outbox({
      log,
      line,
      surroundings,
      wire: new Wire(capabilities, region, (bytes) => blobDigest(log, bytes)),
      prepare: async (operations) => (await options.prepare?.(operations)) ?? [],
      onAnswer: (isWell) => {
        if (isWell) this.#hasRoom();
        this.#alarm.ring('answer');
      },
    });
  }

  /** Begins; returns at once. Only the first call has effect. */
  start(): void {
    this.#done ??= this.#run();
  }

  /**
   * Ends: says so in LINK, and from then on nothing is appended to the journal, and nothing is asked of the hub; what it was asked before may
   * still happen there. Resolves when all has come to rest.
   */
  async stop(): Promise<void> {
    // Nobody is connected for this root until another one begins.
    if (this.#done !== null && !this.#stopped) this.#report(null);
    this.#stopped = true;
    for (const end of this.#ends) end();
    this.#ends = [];
    this.#line.cut();
    this.#alarm.ring('stop');
    await this.#done;
  }

  async #run(): Promise<void> {
    const { journal, log } = this.#options;
    // The first turn belongs to whoever has started it.
    await null;
    if (this.#stopped) return;
    this.#ends = [journal.watch(() => this.#alarm.ring('journal')), log.subscribe(() => this.#alarm.ring('hub'))];
    while (!this.#stopped) {
      try {
        this.#open();
        await this.#serve();
      } catch (error) {
        if (this.#stopped) return;
        this.#report(error);
        await this.#pause(error instanceof HoldfastError && error.code === 'hub-unreachable');
      }
    }
  }

  #report(error: unknown): void {
    try {
      this.#link.disconnected(error);
    } catch {
      // The disk takes nothing now: it will be tried again with all else.
    }
  }

  /**
   * Longer after each failure, and not at the same moment as all other regions. Local writes are no reason to try
   * earlier; news from a hub that was away is.
   */
  async #pause(wasAway: boolean): Promise<void> {
    const { now, random } = this.#surroundings;
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    const end = now() + longest * (0.5 + random() / 2);
    for (let left = end - now(); left > 0 && !this.#stopped; left = end - now()) {
      const signals = await this.#alarm.wait(Math.min(left, longest), this.#surroundings);
      if (signals.size === 0 || (wasAway && signals.has('hub'))) return;
    }
  }

  /** (2) A journal keeps its incarnation: chains tell whether it is a copy of another one that went on. */
  #open(): void {
    const { journal, region, cap } = this.#options;
    const replica = journal.current();
    if (replica.active && replica.region === region && replica.cap === cap) return;
    journal.append(REPLICATE, encodeReplicate({ incarnation: mintIncarnation(this.#surroundings), region, cap }));
  }

  async #serve(): Promise<never> {
    await this.#follow(true);
    for (;;) {
      this.#send();
      await this.#publisher.publishIfDue();
      const signals = await this.#alarm.wait(this.#patience(), this.#surroundings);
      if (this.#stopped) throw new HoldfastError('closed', 'The replicator was stopped.');
      if (signals.has('hub')) await this.#readNews();
      else if (signals.size === 0) await this.#follow(true);
      if (signals.has('answer')) await this.#readTo(this.#outbox.taken);
    }
  }

  #patience(): number {
    const poll = this.#options.capabilities.notifies ? POLL_MS.notifies : POLL_MS.silent;
    return this.#outbox.isWaiting ? Math.min(poll, RESEND_MS) : poll;
  }

  #send(): void {
    const { journal } = this.#options;
    if (journal.current().diverged) {
      // (6) What is pending cannot be confirmed under the names that it has.
      journal.append(INCARNATION, encodeIncarnation(mintIncarnation(this.#surroundings)));
    }
    const replica = journal.current();
    // Whoever restores what it wrote must know that it may be in the log, of which it has seen nothing yet.
    if (replica.epoch === '' && replica.pending.length > 0 && !replica.sent) journal.append(SEND, NOTHING);
    this.#pump(journal.current());
  }

  /** A hub that is full is followed on; what is pending waits. */
  #pump(replica: Replica): void {
    const now = this.#surroundings.now();
    if (this.#fullAt !== null && Math.abs(now - this.#fullAt) < FULL_RETRY_MS) return;
    try {
      this.#outbox.pump(replica);
    } catch (error) {
      if (!(error instanceof HoldfastError) || error.code !== 'hub-full') throw error;
      this.#fullAt = now;
      this.#link.notice('full', `The hub takes nothing more for now: ${error.message}`);
    }
  }

  #hasRoom(): void {
    if (this.#fullAt === null) return;
    this.#fullAt = null;
    this.#link.notice('full', '');
  }

  /**
   * Brings the journal to the head that the log has now, whatever that takes (rule 12).
   *
   * @param compare - whether to compare the history where nothing is new
   */
  async #follow(compare: boolean): Promise<void> {
    for (let attempts = 0; attempts < MOST_REBASES; attempts++) {
      const place = this.#place();
      const head = await this.#head();
      const verdict = compareHead(place, head);
      if (verdict === 'same' && !compare && place.position === head.position) return;
      // Somebody else went on meanwhile: the head says nothing about where he is now.
      if (verdict !== 'same' && !this.#isStillAt(place)) continue;
      const outcome = verdict === 'same' ? await this.#catchUp(head) : verdict;
      if (outcome === 'same') return;
      await this.#rebase(outcome, head);
    }
    throw new HoldfastError('hub-unreachable', 'The hub\'s log and this copy do not come together; somebody else changes both.');
  }

  async #head(): Promise<LogHead> {
    const head = checkedHead(await this.#line.ask('for its head', ANSWER_MS, () => this.#options.log.head()));
    this.#publisher.noticeFirst(head.first);
    return head;
  }

  /** Reads at least once. */
  async #catchUp(head: LogHead): Promise<Verdict> {
    do {
      const before = this.#options.journal.current().position;
      const verdict = await this.#read(head.epoch, head.position);
      if (verdict !== 'same') return verdict;
      this.#link.connected(head.position);
      this.#failures = 0;
      const { position } = this.#options.journal.current();
      if (position === before && position < head.position) {
        throw new HoldfastError('hub-unreachable', `The hub says that it has entry ${head.position}, and gives none after ${position}.`);
      }
    } while (this.#options.journal.current().position < head.position);
    return 'same';
  }

  /** The hub said that there is something: what it is comes before the question how far it goes. */
  async #readNews(): Promise<void> {
    const { epoch, position } = this.#options.journal.current();
    const isCompared = epoch !== '' && (await this.#read(epoch, position)) === 'same';
    await this.#follow(!isCompared);
  }

  /** What the hub has taken of this replica's is in the log: no need to ask for the head. */
  async #readTo(position: number): Promise<void> {
    const { journal } = this.#options;
    if (journal.current().position >= position) return;
    const { epoch } = journal.current();
    const verdict = epoch === '' ? null : await this.#read(epoch, position);
    if (verdict !== 'same' || journal.current().position < position) await this.#follow(true);
  }

  /** Reads and applies; up to `target` or beyond, or at least something. */
  async #read(epoch: string, target: number): Promise<Verdict> {
    const { journal, log } = this.#options;
    const place = this.#place();
    const reading = await readOn(log, this.#line, place, target, (of) => isOfSnapshot(of, this.#bootstrap));
    if (reading.verdict !== 'same') return this.#isStillAt(place) ? reading.verdict : 'same';
    for (const entry of reading.entries) {
      const unpacked = await unpack(entry, this.#unpacking);
      this.#assertRunning();
      const replica = journal.current();
      // Meanwhile somebody else may have applied it already, or have come to that place by another history.
      if (replica.position > entry.position) continue;
      if (replica.position === entry.position && isSameDigest(replica.digest, unpacked.digest)) continue;
      if (replica.position !== entry.position - 1) break;
      this.#apply(epoch, unpacked, replica.isOwn(unpacked.batch.incarnation));
      await this.#slices.next(unpacked);
    }
    return 'same';
  }

  #place(): Place {
    const { epoch, position, digest } = this.#options.journal.current();
    return { epoch, position, digest };
  }

  #isStillAt({ epoch, position, digest }: Place): boolean {
    const now = this.#options.journal.current();
    return now.epoch === epoch && now.position === position && isSameDigest(now.digest, digest);
  }

  #apply(epoch: string, unpacked: Unpacked, own: boolean): void {
    const { damage } = unpacked;
    const batch = damage === null ? encodeBatch(unpacked.batch) : NOTHING;
    this.#options.journal.append(ENTRY, encodeEntry({ epoch, ...unpacked }, batch));
    if (damage !== null) this.#tellOfDamage(unpacked.position, damage);
    this.#publisher.applied(unpacked, own);
    if (!own) this.#compareRegions(unpacked.batch);
  }

  /** It has its place in the order, and no effect, in all regions alike: nobody is stopped by it. */
  #tellOfDamage(position: number, damage: string): void {
    const { hubName, name, path } = this.#options;
    const message = `Entry ${position} of the log '${name}' of ${hubName} makes no sense and has no effect: ${damage}`;
    this.#link.notice('damage', message);
    warn({ code: 'hub-entry-damaged', message, path });
  }

  /** Another one of this region's name that began after this one: a second root was given it, or this one was copied. */
  #compareRegions({ region, incarnation }: Batch): void {
    if (region !== this.#options.region || !isLater(incarnation, this.#options.journal.current().incarnation)) return;
    this.#link.notice('region', `Another replica sends as region '${region}' too; each needs a name of its own.`);
  }

  async #rebase(verdict: Exclude<Verdict, 'same'>, head: LogHead): Promise<void> {
    if (verdict === 'trimmed') await this.#bootstrapFromSnapshot(head);
    else if (verdict === 'new' && (await this.#goesOnHere())) await this.#goOn(head);
    // A log that was emptied holds nothing that any replica could go on from, whatever it calls itself.
    else await this.#adopt(head, verdict === 'new' || head.position === 0);
  }

  /** (12) Takes over the history that the hub has, and adds to it what it has forgotten of this replica's. */
  async #adopt(head: LogHead, seed: boolean): Promise<void> {
    const { journal, quarantine } = this.#options;
    const old = journal.current();
    const from = { epoch: old.epoch, position: old.position };
    const bytes = seal(baseOf(old, old.epoch));
    const base = await buildBase(head, this.#bootstrap);
    if (from.position > 0) await quarantine(bytes);
    this.#replaceBase(from, base, seed);
    this.#link.notice('history', `The hub's log is not the one that this region followed up to entry ${from.position}; the old copy was put aside.`);
  }

  #goesOnHere(): Promise<boolean> {
    const { log, journal } = this.#options;
    return this.#line.ask('whether its log goes on from another', ANSWER_MS, () => goesOnFrom(log, journal.current().epoch));
  }

  /** What was confirmed in the log of before is in the snapshot, or is sent again. */
  async #goOn(head: LogHead): Promise<void> {
    const { epoch, position } = this.#options.journal.current();
    const base = await fetchSnapshot(head, this.#bootstrap);
    if (base === null) throw new HoldfastError('hub-damaged', 'The hub has no snapshot that stands for the log from before.');
    this.#replaceBase({ epoch, position }, base, false);
  }

  async #bootstrapFromSnapshot(head: LogHead): Promise<void> {
    const { epoch, position, digest } = this.#options.journal.current();
    const base = await fetchSnapshot(head, this.#bootstrap);
    if (base === null || base.position < position) {
      throw new HoldfastError('hub-damaged', `The hub has trimmed the entries after ${position} and has no snapshot that stands for them.`);
    }
    if (base.position > position) this.#replaceBase({ epoch, position }, base, false);
    else if (!isSameDigest(base.digest, digest)) await this.#adopt(head, false);
  }

  #replaceBase(from: { epoch: string; position: number }, base: Base, seed: boolean): void {
    this.#assertRunning();
    this.#options.journal.append(BASE, encodeBase({ from, seed, base: base.bytes }));
    this.#outbox.startAgain();
  }

  /** What else than the hub is waited for is not cut off by `stop`. */
  #assertRunning(): void {
    if (this.#stopped) throw new HoldfastError('closed', 'The replicator was stopped.');
  }
}

/** For what a hub has lost only: it walks over all there is. */
function recall({ pending, tail }: Replica, id: OperationId): Uint8Array | null {
  for (const list of [pending, tail.items]) {
    for (const { operation } of list) if (isSameOperation(operation, id)) return operation.payload;
  }
  return null;
}
