import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { Courtesy } from './courtesy.ts';
import type { Place, Whereabouts } from './epoch.ts';
import { isConflict } from './failure.ts';
import { decodeIds, decodeObject, encodeState, IDS_HEADER, MAX_OBJECT_BYTES, OBJECT_HEADER, STATE_HEADER, type LogState } from './message.ts';
import { getObject } from './objects.ts';
import type { Session } from './session.ts';
import { REMEMBERED_SECONDS } from './stream.ts';
import { messagesIn, type LogMessage } from './subject.ts';

/** Ids of one log that are kept in memory. */
const MOST_IDS = 4096;

/** What the next message has. */
export interface Link {
  readonly state: LogState;
  readonly ids: readonly string[];
  /** The ids as the header has them. */
  readonly idsHeader?: string;
  readonly object?: string;
  readonly body?: Uint8Array;
}

/** The end of a log, as it was at some moment. */
export interface Tip {
  readonly place: Place;
  /** Of the last message. */
  readonly sequence: number;
  readonly state: LogState;
}

/**
 * What a client knows of the end of one log: enough to append to it by one message, provided that nobody else has. It
 * may be behind; then the server refuses what it would add. A message goes after the tip that it was made for, not after
 * what is known by then, for several things that a client does at once share one chain.
 */
export class Chain {
  readonly #whereabouts: Whereabouts;
  readonly #ids = new Set<string>();
  #tip: Tip | null = null;

  constructor(whereabouts: Whereabouts) {
    this.#whereabouts = whereabouts;
  }

  /** Whether it knows of an entry with this id. */
  has(id: string): boolean {
    return this.#ids.has(id);
  }

  /** The last that is known; asks when nothing is. */
  async tip(session: Session): Promise<Tip> {
    return this.#tip ?? (await this.catchUp(session));
  }

  /** Reads what came after the last message that is known. Makes the log when there is none. */
  async catchUp(session: Session): Promise<Tip> {
    const { last, ...place } = await this.#whereabouts.find(session);
    const before = this.#tip;
    const goesOn = before?.place.epoch === place.epoch && before.sequence <= last.sequence;
    if (!goesOn) this.#ids.clear();
    if (!goesOn || before.sequence < last.sequence) await this.#readIds(session, place, last, goesOn ? before : null);
    this.#tip = { place, sequence: last.sequence, state: last.state };
    return this.#tip;
  }

  /** Publishes a message after a tip; null when there is another by now. */
  async extend(session: Session, { place, sequence }: Tip, link: Link): Promise<Tip | null> {
    const headers = session.headers();
    headers.set(STATE_HEADER, encodeState(link.state));
    if (link.idsHeader !== undefined) headers.set(IDS_HEADER, link.idsHeader);
    if (link.object !== undefined) headers.set(OBJECT_HEADER, link.object);
    try {
      const { seq } = await session.jetstream.publish(place.subject, link.body ?? '', { headers, expect: { lastSubjectSequence: sequence } });
      this.#remember(link.ids);
      this.#tip = { place, sequence: seq, state: link.state };
      return this.#tip;
    } catch (error) {
      if (isConflict(error)) return null;
      throw error;
    }
  }

  /** Of what it knows already, only the rest; else of the last minutes. */
  async #readIds(session: Session, place: Place, last: LogMessage, known: Tip | null): Promise<void> {
    if (last.state.position === 0) return;
    if (known !== null && last.state.position - last.state.count === known.state.position) return this.#remember(await idsOf(session, last));
    // By the server's clock alone, for this machine's may be far off.
    const from = known !== null ? known.sequence + 1 : { time: last.time - REMEMBERED_SECONDS * 1000 };
    const range = { from, last: last.sequence, headersOnly: true, few: known !== null };
    for await (const message of messagesIn(session, place.subject, range)) this.#remember(await idsOf(session, message));
  }

  #remember(ids: readonly string[]): void {
    for (const id of ids) this.#ids.add(id);
    for (const id of this.#ids) {
      if (this.#ids.size <= MOST_IDS) return;
      this.#ids.delete(id);
    }
  }
}

async function idsOf(session: Session, { ids, object }: LogMessage): Promise<readonly string[]> {
  if (ids !== null || object === null) return ids ?? [];
  const bytes = await getObject(session, object, MAX_OBJECT_BYTES);
  // It was trimmed meanwhile.
  return bytes === null ? [] : decodeIds(decodeObject(bytes).ids);
}

/** Times that a message is published anew since others were faster. */
const MOST_ATTEMPTS = 1000;

/** One message that is to be added to a chain. */
export interface Extension {
  readonly chain: Chain;
  readonly courtesy: Courtesy;
  /** The log's. */
  readonly key: string;
  /** Makes it for a tip, as often as others are faster; null when there is nothing to add. */
  next(tip: Tip): Promise<Link | null> | Link | null;
}

/** Adds one message to a chain, however many others do so too; gives the tip that it was, or that needed nothing. */
export async function extendChain(session: Session, { chain, courtesy, key, next }: Extension): Promise<Tip> {
  await courtesy.waitFor(key);
  let tip = await chain.tip(session);
  const request = courtesy.request(session, key);
  try {
    for (let attempt = 1; attempt <= MOST_ATTEMPTS; attempt++) {
      const link = await next(tip);
      const extended = link === null ? tip : await chain.extend(session, tip, link);
      if (extended !== null) return extended;
      request.repeat();
      tip = await chain.catchUp(session);
    }
  } finally {
    request.end();
  }
  throw new HoldfastError('hub-unreachable', `Others have appended faster ${MOST_ATTEMPTS} times in a row.`);
}
