import { DOWN, ECHO, encodeDown, encodeEcho, encodeForeign, encodeUp, FOREIGN, UP } from '../../disk/channels/channel-records.ts';
import type { Link, WaitingPost } from '../../disk/channels/channel-records.ts';
import type { SpanJournal } from '../../disk/channels/channel-journal.ts';
import type { Span } from '../../disk/channels/span.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { warn } from '../../runtime/warning.ts';
import type { HubCapabilities, HubEntry, HubLog, LogHead } from '../hub.ts';
import { Alarm, type Signal } from '../replicator/alarm.ts';
import { checkedHead } from '../replicator/follower.ts';
import { Line } from '../replicator/line.ts';
import { systemSurroundings } from '../replicator/surroundings.ts';
import type { Surroundings } from '../replicator/surroundings.ts';
import { Assembly, encodeEntries, firstBatch, isTooLarge } from './channel-wire.ts';
import type { PlacedMessages } from './channel-wire.ts';
import { LogTrim } from './log-trim.ts';

/** How long the hub may take, in milliseconds: what was posted here waits for it. */
const ANSWER_MS = 3000;

/** How often to look without news: hubs that tell of news may miss some. */
const POLL_MS = { notifies: 10_000, silent: 1000 };

/** Between attempts to reach the hub, in milliseconds; doubled each time. */
const FIRST_RETRY_MS = 250;
const LAST_RETRY_MS = 30_000;

const AT_ONCE = 256;

/** How long an end waits for what was posted before it, in milliseconds. */
const LAST_WORDS_MS = 1000;

export interface ChannelRelayOptions {
  readonly journal: SpanJournal;
  readonly log: HubLog;
  /** Of the log. */
  readonly name: string;
  readonly hubName: string;
  /** Of what the journal is a part of, for warnings. */
  readonly path: string;
  /** Hears of what is in the way, each time that it is. */
  readonly onProblem: (sentence: string) => void;
  readonly surroundings?: Surroundings;
}

/**
 * Keeps the channels of a root and a log of a hub together: gives the hub what is posted here, and this root's journal
 * what the log holds, in its order. One runs for a root at a time, in whichever process speaks with the hub.
 *
 * Messages are not writes. What is posted while the hub is away is delivered here at once, and sent nowhere; what others
 * post meanwhile is not fetched afterwards; so there is nothing to remember but how the channels stand to the hub, which
 * is in the journal. Invariants:
 * - an entry of a link that is, or was, of this root brings nothing but the echo of what still waits;
 * - one append is under way at a time, so what was posted first comes first;
 * - whatever goes wrong ends the link, and with it the waiting of what was posted here.
 */
export class ChannelRelay {
  readonly #options: ChannelRelayOptions;
  readonly #surroundings: Surroundings;
  readonly #alarm = new Alarm();
  readonly #line: Line;
  #pollMs = POLL_MS.silent;
  #maxEntryBytes = 0;
  #done: Promise<void> | null = null;
  #stopped = false;
  #failures = 0;

  /** Does nothing yet. */
  constructor(options: ChannelRelayOptions) {
    this.#options = options;
    this.#surroundings = options.surroundings ?? systemSurroundings;
    this.#line = new Line(this.#surroundings);
  }

  /** Whoever followed the hub before does so no more: what waits for it is delivered. */
  takeOver(): void {
    try {
      this.#down(this.#options.journal.current()?.link ?? 0);
    } catch (error) {
      this.#options.onProblem(errorMessage(error));
    }
  }

  /** Begins; returns at once. Only the first call has effect. */
  start({ notifies, maxEntryBytes }: HubCapabilities): void {
    this.#pollMs = notifies ? POLL_MS.notifies : POLL_MS.silent;
    this.#maxEntryBytes = maxEntryBytes;
    this.#done ??= this.#run();
  }

  /** Ends, when what was posted before has been sent, or a second is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#alarm.ring('stop');
    const cancel = this.#surroundings.after(LAST_WORDS_MS, () => this.#line.cut());
    await this.#done;
    cancel();
    this.#line.cut();
  }

  async #run(): Promise<void> {
    const { journal, log } = this.#options;
    // The first turn belongs to whoever has started it.
    await null;
    const ends = [journal.watch(() => this.#alarm.ring('journal')), log.subscribe(() => this.#alarm.ring('hub'))];
    while (!this.#stopped) await this.#attempt();
    for (const end of ends) end();
  }

  async #attempt(): Promise<void> {
    let link = 0;
    try {
      if (this.#options.journal.current() === null) return void (await this.#alarm.wait(Infinity, this.#surroundings));
      const head = checkedHead(await this.#line.ask('for its head', ANSWER_MS, () => this.#options.log.head()));
      link = randomInteger();
      await this.#follow(link, head);
      this.#downSafely(link);
    } catch (error) {
      this.#downSafely(link);
      if (this.#stopped) return;
      this.#options.onProblem(errorMessage(error));
      await this.#pause();
    }
  }

  #downSafely(link: Link): void {
    try {
      this.#down(link);
    } catch {
      // The disk takes nothing now; whoever follows the hub next ends the link.
    }
  }

  #down(link: Link): void {
    if (link !== 0) this.#options.journal.append(DOWN, encodeDown(link));
  }

  /** Longer after each failure, and not at the same moment as all other regions. */
  async #pause(): Promise<void> {
    const { now, random } = this.#surroundings;
    const longest = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** this.#failures);
    this.#failures += 1;
    const end = now() + longest * (0.5 + random() / 2);
    while (!this.#stopped && now() < end) await this.#alarm.wait(end - now(), this.#surroundings);
  }

  /** Resolves when it is to end. */
  async #follow(link: Link, head: LogHead): Promise<void> {
    const { journal, log } = this.#options;
    journal.append(UP, encodeUp(link, head));
    const following = new Following(link, head, this.#surroundings, log);
    for (let signals: ReadonlySet<Signal> = new Set(['hub']); ; ) {
      this.#send(following);
      if (signals.size === 0) await this.#confirm(head.epoch, following);
      if (!isOnlyPosted(signals)) await this.#read(following);
      this.#send(following);
      if (this.#stopped && !following.isSending) return;
      await this.#trim(following);
      signals = await this.#alarm.wait(Math.min(this.#pollMs, following.trim.wait(this.#surroundings.now())), this.#surroundings);
    }
  }

  /** @throws HoldfastError where somebody else follows the hub by now, or too much waits for it */
  #spanOf(link: Link): Span {
    const span = this.#options.journal.current();
    if (span?.link === link) return span;
    throw new HoldfastError('hub-unreachable', 'More messages of channels wait than the hub takes in time.');
  }

  /** Nothing has told of news for a while. */
  async #confirm(epoch: string, { position }: Following): Promise<void> {
    const head = checkedHead(await this.#line.ask('for its head', ANSWER_MS, () => this.#options.log.head()));
    if (head.epoch === epoch && head.position >= position) return;
    throw new HoldfastError('hub-damaged', "The hub's log of channels is another one than before.");
  }

  async #read(following: Following): Promise<void> {
    for (let entries = await this.#ask(following.position); entries.length > 0; entries = await this.#ask(following.position)) {
      for (const entry of entries) this.#apply(following, entry);
      this.#failures = 0;
      await this.#surroundings.turn();
      this.#send(following);
    }
  }

  async #ask(after: number): Promise<readonly HubEntry[]> {
    const entries = await this.#line.ask('for entries', ANSWER_MS, () => this.#options.log.read(after, AT_ONCE));
    entries.forEach(({ position }, index) => {
      if (position !== after + 1 + index) throw new HoldfastError('hub-damaged', `Where entry ${after + 1 + index} should be the hub gives ${position}.`);
    });
    return entries;
  }

  #apply(following: Following, entry: HubEntry): void {
    const placed = this.#placed(following, entry);
    following.passed(entry);
    if (placed === null) return;
    const { journal } = this.#options;
    const span = this.#spanOf(following.link);
    const { link } = following;
    const { position, posts } = placed;
    if (!span.isOwn(placed.link)) journal.append(FOREIGN, encodeForeign({ link, position, messages: posts.map(({ message }) => message) }));
    else if (posts.some((post) => span.waits(post))) journal.append(ECHO, encodeEcho({ link, position, posts }));
  }

  /** What makes no sense has no effect, and keeps nobody from going on. */
  #placed({ assembly }: Following, entry: HubEntry): PlacedMessages | null {
    try {
      return assembly.add(entry);
    } catch (error) {
      const { hubName, name, path, onProblem } = this.#options;
      const message = `Entry ${entry.position} of the log '${name}' of ${hubName} makes no sense and has no effect: ${errorMessage(error)}`;
      onProblem(message);
      warn({ code: 'hub-entry-damaged', message, path });
      return null;
    }
  }

  /** What waits by now, unless somebody else has taken over meanwhile: then it is his business. @throws as an append did */
  #send(following: Following): void {
    const span = this.#spanOf(following.link);
    following.throwFailure();
    if (following.isSending) return;
    const batch = firstBatch(following.unsent(span));
    const [first] = batch;
    if (first === undefined) return;
    if (isTooLarge(first)) return this.#deliverHere(following, first);
    const entries = encodeEntries(following.link, following.number, batch, this.#maxEntryBytes);
    const answer = this.#line.ask('to take messages', ANSWER_MS, () => this.#options.log.append(entries));
    following.sends(batch, entries.length, answer, () => this.#alarm.ring('answer'));
  }

  /** Its place is after what was posted before it; other regions never hear of it. */
  #deliverHere(following: Following, post: WaitingPost): void {
    following.skip(post);
    const { journal } = this.#options;
    const { session, sequence } = post;
    journal.append(ECHO, encodeEcho({ link: following.link, position: following.position, posts: [{ session, sequence }] }));
    this.#alarm.ring('journal');
  }

  async #trim({ trim }: Following): Promise<void> {
    const now = this.#surroundings.now();
    if (trim.wait(now) > 0) return;
    try {
      await this.#line.ask('to forget messages', ANSWER_MS, () => trim.run(now));
    } catch (error) {
      this.#options.onProblem(`The hub does not forget messages of channels: ${errorMessage(error)}`);
    }
  }
}

/** Then there is nothing to read: what is posted is sent without waiting for a reading. */
function isOnlyPosted(signals: ReadonlySet<Signal>): boolean {
  return signals.size === 1 && signals.has('journal');
}

/** How far one link has come. */
class Following {
  readonly link: Link;
  readonly assembly = new Assembly();
  readonly trim: LogTrim;
  readonly #surroundings: Pick<Surroundings, 'now'>;
  /** Of the last entry that was read. */
  position: number;
  /** Of the next entry that is sent. */
  number = 1;
  /** The last that was sent, or need not be; what was posted before it was, too. */
  #last: WaitingPost | null = null;
  #isSending = false;
  #failure: unknown = null;

  constructor(link: Link, { position, first }: LogHead, surroundings: Pick<Surroundings, 'now'>, log: HubLog) {
    this.link = link;
    this.position = position;
    this.#surroundings = surroundings;
    this.trim = new LogTrim(log);
    if (first > position) return;
    this.trim.passed(position, 0, surroundings.now());
    this.trim.oblige();
  }

  get isSending(): boolean {
    return this.#isSending;
  }

  passed({ position, bytes }: HubEntry): void {
    this.position = position;
    this.trim.passed(position, bytes.length, this.#surroundings.now());
  }

  /** Those that came after the last one that was sent. */
  *unsent(span: Span): Generator<WaitingPost> {
    const last = this.#last;
    let isSent = last !== null && span.waits(last);
    for (const post of span.waiting) {
      if (!isSent) yield post;
      else if (post.session === last?.session && post.sequence === last.sequence) isSent = false;
    }
  }

  skip(post: WaitingPost): void {
    this.#last = post;
  }

  sends(batch: readonly WaitingPost[], entries: number, answer: Promise<unknown>, onAnswer: () => void): void {
    this.#isSending = true;
    this.#last = batch.at(-1) ?? null;
    this.number += entries;
    void answer
      .then(() => this.trim.oblige(), (error: unknown) => (this.#failure = error))
      .then(() => {
        this.#isSending = false;
        onAnswer();
      });
  }

  /** @throws what an append was answered */
  throwFailure(): void {
    if (this.#failure !== null) throw this.#failure;
  }
}
