import type { Foreign, Echo, Link, LogPlace, PostId, SpanRecord, WaitingPost } from './channel-records.ts';

/** Bytes of messages that may wait for a hub; with more it counts as away, so that whoever posts never waits for it. */
const MOST_WAITING_BYTES = 32 * 2 ** 20;

/** A root's last links, whose late messages it has heard already. */
const MOST_LINKS = 8;

/** What becomes of messages. */
export interface SpanEffects {
  /** Its turn has come; `session`: who posted it, 0: another region. */
  deliver(message: Uint8Array, session: number): void;
  /** The hub's order went on without this root, since it followed it the last time. */
  missed(): void;
  /** It follows it from now on. */
  follows(): void;
}

/**
 * How a root's channels follow a hub's order: part of their machine, so all processes of the root decide alike.
 * Invariants:
 * - while there is a link, what is posted waits for its echo, and is delivered at its place among what others posted;
 * - when the link ends, all that waits is delivered, in the order in which it was posted; nothing is delivered twice;
 * - what is said of a link that has ended, or of a position that was passed, is void;
 * - no more than MOST_WAITING_BYTES wait.
 */
export class Span {
  #link: Link = 0;
  #links: Link[] = [];
  #place: LogPlace = NOWHERE;
  /** In the order in which they were posted. */
  readonly #waiting = new Map<string, WaitingPost>();
  #bytes = 0;

  /** The link of now; 0: none. */
  get link(): Link {
    return this.#link;
  }

  /** Where it is in the hub's log. */
  get place(): LogPlace {
    return this.#place;
  }

  /** Whether a link is, or was, this root's. */
  isOwn(link: Link): boolean {
    return this.#links.includes(link);
  }

  /** What waits for its place, in the order in which it was posted. */
  get waiting(): Iterable<WaitingPost> {
    return this.#waiting.values();
  }

  waits(post: PostId): boolean {
    return this.#waiting.has(keyOf(post));
  }

  /** Bytes of what waits. */
  get bytes(): number {
    return this.#bytes;
  }

  /** `message`: a view. */
  post({ message, ...id }: WaitingPost, effects: SpanEffects): void {
    if (this.#link === 0) return effects.deliver(message, id.session);
    this.#add({ ...id, message: new Uint8Array(message) });
    if (this.#bytes > MOST_WAITING_BYTES) this.#end(effects);
  }

  #add(post: WaitingPost): void {
    this.#waiting.set(keyOf(post), post);
    this.#bytes += post.message.length;
  }

  up(link: Link, place: LogPlace, effects: SpanEffects): void {
    this.#end(effects);
    const { epoch, position } = this.#place;
    if (epoch !== '' && (epoch !== place.epoch || position < place.position)) effects.missed();
    this.#link = link;
    this.#links = [...this.#links, link].slice(-MOST_LINKS);
    // Whoever asked for the head may have been overtaken by one who has gone further since.
    this.#place = { epoch: place.epoch, position: epoch === place.epoch ? Math.max(position, place.position) : place.position };
    effects.follows();
  }

  down(link: Link, effects: SpanEffects): void {
    if (link === this.#link) this.#end(effects);
  }

  #end(effects: SpanEffects): void {
    this.#link = 0;
    for (const { message, session } of this.#waiting.values()) effects.deliver(message, session);
    this.#waiting.clear();
    this.#bytes = 0;
  }

  echo({ link, position, posts }: Echo, effects: SpanEffects): void {
    // A message that is not for the hub has no position of its own.
    if (link !== this.#link || position < this.#place.position) return;
    this.#move(position);
    for (const post of posts) this.#deliver(keyOf(post), effects);
  }

  #deliver(key: string, effects: SpanEffects): void {
    const post = this.#waiting.get(key);
    if (post === undefined) return;
    this.#waiting.delete(key);
    this.#bytes -= post.message.length;
    effects.deliver(post.message, post.session);
  }

  foreign({ link, position, messages }: Foreign, effects: SpanEffects): void {
    if (link !== this.#link || position <= this.#place.position) return;
    this.#move(position);
    for (const message of messages) effects.deliver(message, 0);
  }

  #move(position: number): void {
    this.#place = { epoch: this.#place.epoch, position };
  }

  /** Null: there was never a link. */
  get record(): SpanRecord | null {
    return this.#links.length === 0 ? null : { link: this.#link, links: this.#links, ...this.#place };
  }

  reset(): void {
    this.#link = 0;
    this.#links = [];
    this.#place = NOWHERE;
    this.#waiting.clear();
    this.#bytes = 0;
  }

  restore({ link, links, epoch, position }: SpanRecord): void {
    this.#link = link;
    this.#links = links.slice(-MOST_LINKS);
    this.#place = { epoch, position };
  }

  restoreWaiting(post: WaitingPost): void {
    this.#add(post);
  }
}

const NOWHERE: LogPlace = { epoch: '', position: 0 };

function keyOf({ session, sequence }: PostId): string {
  return `${session}.${sequence}`;
}
