import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Batch } from './batch.ts';
import { ClientTable } from './client-table.ts';
import { ConfirmedTail } from './confirmed-tail.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import type { Model, Refusal } from './model.ts';
import { isSameMark, markOf } from './operation.ts';
import type { Operation, OperationMark } from './operation.ts';
import { PendingQueue, readNumbered, writeNumbered } from './pending-queue.ts';
import type { Numbered } from './pending-queue.ts';
import { Rejections } from './rejections.ts';
import { NO_LINK, readLink, writeLink } from './replica-records.ts';
import type { BaseRecord, EntryRecord, LinkRecord, ReplicateRecord } from './replica-records.ts';
import { readBase, writeBase } from './snapshot.ts';
import type { BaseHead } from './snapshot.ts';

/** What became of one operation of an entry. */
export interface Applied {
  readonly operation: Operation;
  /** It was pending, and is no more. */
  readonly own: boolean;
  /** It was not the first of the pending ones. */
  readonly early: boolean;
  /** Null: accepted. */
  readonly refusal: Refusal | null;
}

/** Incarnations of this replica that are remembered, to tell another replica of the same region name. */
const REMEMBERED = 64;

/** Operations that no record holds get sequences beyond those of all records. */
const MADE = 2 ** 32;

/**
 * One replica's copy of what a hub orders: the confirmed base, and the operations of its own that are pending on top of
 * it. Deterministic: it knows nothing but the records of its journal. It keeps these invariants, whose numbers are those
 * of the sync rules in docs/SYNC.md:
 *
 * - (5) the base changes by entries only, each operation at most once, in its client's order, as `ClientTable` says;
 * - (6) entries apply in order of position: one at or below `position` is void, so is one beyond the next;
 * - (6) an operation leaves the pending ones by its echo, never by what the hub answered; when another operation is
 *   found under its number, everything pending waits for new numbers (`diverged`);
 * - what was pending is pending still, confirmed, or in `rejections`: nothing disappears.
 */
export class Replica {
  readonly model: Model;
  readonly clients = new ClientTable();
  readonly pending = new PendingQueue();
  readonly tail = new ConfirmedTail();
  readonly rejections = new Rejections();
  #region = '';
  #incarnations: Incarnation[] = [];
  #nextNumber = 1;
  #made = 0;
  #cap = 0;
  #diverged = false;
  #head: BaseHead = { epoch: '', position: 0, digest: new Uint8Array(0) };
  #link: LinkRecord = NO_LINK;

  constructor(model: Model) {
    this.model = model;
  }

  /** Whether local writes are for other regions too. */
  get active(): boolean {
    return this.#incarnations.length > 0;
  }

  get region(): string {
    return this.#region;
  }

  /** Under which the next local write is numbered; empty while not active. */
  get incarnation(): Incarnation {
    return this.#incarnations.at(-1) ?? '';
  }

  /** Whether this replica has, not too long ago, numbered with it. */
  isOwn(incarnation: Incarnation): boolean {
    return this.#incarnations.includes(incarnation);
  }

  /** Of the hub's log that the base is of; empty before the first entry or snapshot. */
  get epoch(): string {
    return this.#head.epoch;
  }

  /** Of the last entry in the base; 0: none. */
  get position(): number {
    return this.#head.position;
  }

  /** SHA-256 of the entry at `position`; empty at 0. */
  get digest(): Uint8Array {
    return this.#head.digest;
  }

  /** Pending operations have to be numbered anew, by an INCARNATION record, before any is sent. */
  get diverged(): boolean {
    return this.#diverged || !this.pending.follows(this.clients);
  }

  /** What whoever talks to the hub last said of the connection. */
  get link(): LinkRecord {
    return this.#link;
  }

  /** Whether more bytes of operations may become pending (rule 13). */
  hasRoomFor(payload: Uint8Array): boolean {
    return !this.active || this.pending.bytes + payload.length <= this.#cap;
  }

  /** The bytes that may be pending. */
  get cap(): number {
    return this.#cap;
  }

  /** From now on local writes are numbered; what the model holds already becomes pending. Only the first has effect. */
  replicate({ incarnation, region, cap }: ReplicateRecord, session: number): void {
    this.#region = region;
    this.#cap = cap;
    if (this.active) return;
    this.#incarnations = [incarnation];
    this.#seed(this.model.seeds(), session);
    this.model.clear();
  }

  #seed(seeds: ReturnType<Model['seeds']>, session: number): void {
    for (const { kind, payload } of seeds) {
      this.#made += 1;
      this.local({ session, sequence: MADE + this.#made, kind, payload });
    }
  }

  /** (2) The next local writes are numbered under another name; after a divergence the pending ones too. */
  incarnate(incarnation: Incarnation): void {
    if (!this.active || this.isOwn(incarnation)) return;
    this.#incarnations = [...this.#incarnations, incarnation].slice(-REMEMBERED);
    this.#nextNumber = 1;
    if (!this.diverged) return;
    this.#diverged = false;
    const operations = [...this.pending];
    this.pending.replace([]);
    for (const { operation } of operations) this.local(operation);
  }

  /** (1) A local write: pending from now on. */
  local(operation: Operation): void {
    if (!this.active) return;
    this.pending.push({ operation, incarnation: this.incarnation, number: this.#nextNumber });
    this.#nextNumber += 1;
  }

  /** Applies an entry of the hub's log; null when it is void. */
  entry({ epoch, position, digest, batch }: EntryRecord): Applied[] | null {
    if (!this.active || position !== this.position + 1) return null;
    if (this.epoch !== '' && epoch !== this.epoch) return null;
    this.#head = { epoch, position, digest };
    return this.#applyBatch(batch);
  }

  #applyBatch({ incarnation, first, previous, operations }: Batch): Applied[] {
    const applied: Applied[] = [];
    let number = first;
    let before = previous;
    for (const operation of operations) {
      const mark = markOf(operation);
      if (this.clients.isNext(incarnation, number, before)) {
        this.clients.record(incarnation, number, mark);
        applied.push(this.#applyNext({ operation, incarnation, number }));
      }
      number += 1;
      before = mark;
    }
    return applied;
  }

  #applyNext(item: Numbered): Applied {
    const { operation } = item;
    const index = this.#echo(item);
    const own = index >= 0;
    const refusal = this.model.confirm(operation);
    if (own && refusal !== null) this.rejections.add(operation, refusal, this.position);
    return { operation, own, early: index > 0, refusal };
  }

  #indexOf({ incarnation, number }: Numbered): number {
    const head = this.pending.at(0);
    if (head?.incarnation === incarnation && head.number === number) return 0;
    return this.isOwn(incarnation) ? this.pending.indexOf(incarnation, number) : -1;
  }

  /**
   * (6) Which pending operation this is the echo of, which then is pending no more; -1: none. It is the first, unless
   * it was under way when others were put before it, that a hub had forgotten.
   */
  #echo(item: Numbered): number {
    const index = this.#indexOf(item);
    const found = this.pending.at(index);
    if (index < 0 || found === undefined) return -1;
    if (!isSameMark(markOf(found.operation), markOf(item.operation))) {
      this.#diverged = true;
      return -1;
    }
    if (index === 0) this.pending.shift();
    else this.pending.remove(index);
    this.tail.push(item);
    return index;
  }

  /**
   * (11, 12) Replaces the base by a hub's snapshot, or by nothing, and puts on top of it what is pending and what the
   * hub has forgotten of one's own.
   *
   * @returns whether the record took effect: it is void when the base has moved since it was decided upon
   * @throws HoldfastError `hub-damaged` for a snapshot that makes no sense, `unknown-record` for one of newer code;
   * nothing has changed then
   */
  rebase({ from, seed, base }: BaseRecord, session: number): boolean {
    if (!this.active || from.position !== this.position || from.epoch !== this.epoch) return false;
    const seeds = seed ? [...this.model.seeds()] : [];
    this.#head = readBase(new ByteReader(base), this.clients, this.model);
    if (seed) this.#seedBefore([...this.pending], seeds, session);
    this.#reconcile(seed ? [] : this.tail.items, [...this.pending]);
    return true;
  }

  /** What the base holds goes before what is pending on top of it, and is numbered with it. */
  #seedBefore(pending: readonly Numbered[], seeds: ReturnType<Model['seeds']>, session: number): void {
    this.pending.replace([]);
    this.#seed(seeds, session);
    for (const item of pending) this.pending.push(item);
  }

  /** Keeps pending what the new base has not seen, the `tail` before it that an older base had. */
  #reconcile(tail: readonly Numbered[], pending: readonly Numbered[]): void {
    const own = [...tail, ...pending];
    const isLeft = ({ incarnation, number }: Numbered): boolean => number > this.clients.last(incarnation).number;
    const left = own.filter(isLeft);
    const known = new Set(own.map(({ operation }) => nameOf(markOf(operation))));
    // Otherwise the order knows later ones of the incarnation than this replica: its disk was restored, or copied.
    const isKnown = ({ incarnation }: Numbered): boolean => known.has(nameOf(this.clients.last(incarnation)));
    for (const item of pending) {
      // No echo will come. A snapshot does not tell what was refused, nor, after a copy, whose operation it was.
      if (!isLeft(item)) this.rejections.add(item.operation, 'unknown', this.position);
    }
    this.pending.replace(left);
    this.#diverged = !this.#isContinuous(left);
    // A hub may forget once more, and then also what only a snapshot has confirmed.
    this.tail.replace(own.filter((item) => !isLeft(item) && isKnown(item)));
  }

  /** Whether the operations, and those that will come after them, can all be confirmed under their numbers. */
  #isContinuous(items: readonly Numbered[]): boolean {
    let before: Numbered | undefined;
    for (const item of items) {
      const follows = before?.incarnation === item.incarnation;
      const expected = follows ? (before?.number ?? 0) + 1 : this.clients.last(item.incarnation).number + 1;
      if (item.number !== expected) return false;
      // Operations to come are numbered as this one: nothing of another incarnation may stand between.
      if (!follows && before?.incarnation === this.incarnation) return false;
      before = item;
    }
    return true;
  }

  acknowledge(through: number): void {
    this.rejections.acknowledge(through);
  }

  linked(link: LinkRecord): void {
    this.#link = link;
  }

  reset(): void {
    this.clients.clear();
    this.pending.replace([]);
    this.tail.replace([]);
    this.rejections.read(new ByteReader(NO_REJECTIONS));
    this.#region = '';
    this.#incarnations = [];
    this.#nextNumber = 1;
    this.#made = 0;
    this.#cap = 0;
    this.#diverged = false;
    this.#head = { epoch: '', position: 0, digest: new Uint8Array(0) };
    this.#link = NO_LINK;
  }

  /** Everything, for a snapshot of the journal. */
  write(writer: ByteWriter): void {
    writer.text(this.#region).integer(this.#cap).integer(this.#nextNumber).integer(this.#made);
    writer.byte(this.#diverged ? 1 : 0).integer(this.#incarnations.length);
    for (const incarnation of this.#incarnations) writeIncarnation(writer, incarnation);
    writeNumbered(writer, [...this.pending]);
    writeNumbered(writer, this.tail.items);
    this.rejections.write(writer);
    writeLink(writer, this.#link);
    writeBase(writer, this.#head, this.clients, this.model);
  }

  read(reader: ByteReader): void {
    this.reset();
    this.#region = reader.text();
    this.#cap = reader.integer();
    this.#nextNumber = reader.integer();
    this.#made = reader.integer();
    this.#diverged = reader.byte() === 1;
    for (let left = reader.integer(); left > 0; left--) this.#incarnations.push(readIncarnation(reader));
    this.pending.replace(readNumbered(reader));
    this.tail.replace(readNumbered(reader));
    this.rejections.read(reader);
    this.#link = readLink(reader);
    this.#head = readBase(reader, this.clients, this.model);
  }
}

/** As `Rejections` writes them. */
const NO_REJECTIONS = new Uint8Array(2);

function nameOf({ session, sequence, check }: OperationMark): string {
  return `${session}.${sequence}.${check}`;
}
