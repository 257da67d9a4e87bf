import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { wallClock } from '../../../runtime/timers.ts';
import type { BlobCollection } from '../../hub.ts';
import type { Tip } from './chain.ts';
import { isConflict } from './failure.ts';
import { forEachName, getObject, putObject } from './objects.ts';
import type { Session } from './session.ts';

/*
 * A blob is an object under its log's key and its digest. What the Object Store keeps about an object is one message,
 * whose time, by the server's clock, is when the blob was used the last time; it is replaced only by comparing its
 * sequence number, so that of a use and a removal one loses and knows it. In it is also the position of the last entry
 * whose append has named the blob.
 *
 * Why no entry loses a blob that its append has named, whoever is slow:
 * - Who appends reads the end of the chain first, then marks the blobs as used, then publishes after that end.
 * - Who removes reads the messages of the blobs first, then adds a message without entries to the chain, then removes
 *   each blob whose message is still the same, and whose position is not beyond what it knows.
 * So an append that has marked a blob before it was looked at is before that message in the chain, or has to mark it
 * again; and one that marks it later makes the removal fail.
 */

/** Bytes of one blob, which is put together in memory. */
export const MAX_BLOB_BYTES = 32 * 2 ** 20;

/** The time of a blob that is asked for is set anew when it is older than this, in milliseconds. */
const TOUCH_MS = 3_600_000;

const NAMED = 'named';

/** What the Object Store keeps about an object, as far as it matters here. */
interface Info {
  readonly nuid: string;
  readonly deleted?: boolean;
  readonly metadata?: Readonly<Record<string, string>>;
}

/** The message of a blob. */
interface Kept {
  readonly info: Info;
  readonly sequence: number;
  /** Milliseconds since 1970 on the server's clock. */
  readonly time: number;
}

/** The blobs of one log. */
export class Blobs {
  readonly #folder: string;

  /** @param key - the log's */
  constructor(key: string) {
    this.#folder = `${key}/blob/`;
  }

  async put(session: Session, name: string, bytes: Uint8Array): Promise<void> {
    if (!(await this.has(session, name))) await putObject(session, this.#object(name), bytes);
  }

  get(session: Session, name: string): Promise<Uint8Array | null> {
    return getObject(session, this.#object(name), MAX_BLOB_BYTES);
  }

  /** Whether it is there, which is a use of it. */
  async has(session: Session, name: string): Promise<boolean> {
    const kept = await this.#find(session, name);
    if (kept === null || kept.info.deleted === true) return false;
    if (wallClock() - kept.time <= TOUCH_MS) return true;
    return await this.#use(session, name, kept, 0);
  }

  async among(session: Session, names: readonly string[]): Promise<Set<string>> {
    const answers = await forEachName(names, (name) => this.has(session, name));
    return new Set(names.filter((_, index) => answers[index]));
  }

  /**
   * Notes that an entry which will be at this position, or before, names them.
   *
   * @throws HoldfastError `hub-blob-missing`
   */
  async name(session: Session, names: readonly string[], position: number): Promise<void> {
    const there = await forEachName(names, async (name) => this.#use(session, name, await this.#find(session, name), position));
    const missing = names.find((_, index) => there[index] !== true);
    if (missing !== undefined) throw new HoldfastError('hub-blob-missing', `The entries name the blob ${missing}, which the hub does not have.`);
  }

  /** False when it is not there. */
  async #use(session: Session, name: string, first: Kept | null, position: number): Promise<boolean> {
    for (let kept = first; kept !== null && kept.info.deleted !== true; kept = await this.#find(session, name)) {
      const named = String(Math.max(position, namedIn(kept.info)));
      const info = { ...kept.info, metadata: { ...kept.info.metadata, [NAMED]: named } };
      if ((await this.#replace(session, name, kept, info)) !== null) return true;
    }
    return false;
  }

  /**
   * Removes what nothing names; how many that were.
   *
   * @param mark - adds a message without entries to the chain; null when the log is another one, or ends before
   */
  async collect(session: Session, { position, isNamed, unusedFor }: BlobCollection, mark: () => Promise<Tip | null>): Promise<number> {
    const names = (await this.#list(session)).filter((name) => !isNamed(name));
    const found = await forEachName(names, async (name) => ({ name, kept: await this.#find(session, name) }));
    const candidates = found.filter(({ kept }) => kept !== null && namedIn(kept.info) <= position);
    const tip = candidates.length === 0 ? null : await mark();
    if (tip === null) return 0;
    const now = await timeOf(session, tip.sequence);
    const old = new Map(candidates.flatMap(({ name, kept }) => (kept !== null && now - kept.time >= unusedFor ? [[name, kept] as const] : [])));
    const removed = await forEachName([...old.keys()], (name) => this.#remove(session, name, old.get(name)));
    return removed.filter(Boolean).length;
  }

  /** False when it has been used meanwhile, or was removed before and only has left something. */
  async #remove(session: Session, name: string, kept: Kept | undefined): Promise<boolean> {
    if (kept === undefined) return false;
    const { info } = kept;
    const gone = info.deleted === true ? kept.sequence : await this.#replace(session, name, kept, { ...info, deleted: true, size: 0, chunks: 0, digest: '' });
    if (gone === null) return false;
    const { manager } = session;
    await manager.streams.purge(streamOf(session), { filter: `$O.${bucketOf(session)}.C.${info.nuid}` });
    await manager.streams.purge(streamOf(session), { filter: this.#subject(session, name), seq: gone + 1 });
    return info.deleted !== true;
  }

  /** Puts another message in the place of one; its sequence number, or null when somebody else was faster. */
  async #replace(session: Session, name: string, { sequence }: Kept, info: object): Promise<number | null> {
    const headers = session.headers();
    headers.set('Nats-Rollup', 'sub');
    try {
      const { seq } = await session.jetstream.publish(this.#subject(session, name), JSON.stringify(info), { headers, expect: { lastSubjectSequence: sequence } });
      return seq;
    } catch (error) {
      if (isConflict(error)) return null;
      throw error;
    }
  }

  async #find(session: Session, name: string): Promise<Kept | null> {
    const message = await session.manager.streams.getMessage(streamOf(session), { last_by_subj: this.#subject(session, name) });
    if (message === null) return null;
    return { info: readInfo(message.string(), name), sequence: message.seq, time: message.time.getTime() };
  }

  /** The names of all blobs of the log, and of what removed ones have left. */
  async #list(session: Session): Promise<string[]> {
    const prefix = subjectPrefix(session);
    const { state } = await session.manager.streams.info(streamOf(session), { subjects_filter: `${prefix}>` });
    const objects = Object.keys(state.subjects ?? {}).map((subject) => Buffer.from(subject.slice(prefix.length), 'base64url').toString());
    return objects.filter((object) => object.startsWith(this.#folder)).map((object) => object.slice(this.#folder.length));
  }

  #object(name: string): string {
    return `${this.#folder}${name}`;
  }

  /** As the Object Store names it: base64 with the characters of URLs, and padding. */
  #subject(session: Session, name: string): string {
    const encoded = Buffer.from(this.#object(name)).toString('base64').replaceAll('+', '-').replaceAll('/', '_');
    return `${subjectPrefix(session)}${encoded}`;
  }
}

function bucketOf({ prepared }: Session): string {
  return prepared.config.name;
}

function streamOf(session: Session): string {
  return `OBJ_${bucketOf(session)}`;
}

function subjectPrefix(session: Session): string {
  return `$O.${bucketOf(session)}.M.`;
}

function namedIn({ metadata }: Info): number {
  const named = Number(metadata?.[NAMED] ?? 0);
  return Number.isSafeInteger(named) ? named : 0;
}

async function timeOf({ manager, prepared }: Session, sequence: number): Promise<number> {
  const message = await manager.streams.getMessage(prepared.config.name, { seq: sequence });
  return message?.time.getTime() ?? 0;
}

/** @throws HoldfastError `hub-damaged` */
function readInfo(text: string, name: string): Info {
  try {
    const info = JSON.parse(text) as Partial<Info> | null;
    if (typeof info?.nuid === 'string' && /^[A-Za-z0-9]+$/.test(info.nuid)) return { ...info, nuid: info.nuid };
  } catch {
    // The same as any other that makes no sense.
  }
  throw new HoldfastError('hub-damaged', `What the Object Store keeps about the blob ${name} makes no sense.`);
}
