import { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import type { Batch } from './batch.ts';
import { chainOfMark, chains, NO_CHAIN } from './chain.ts';
import { ClientTable } from './client-table.ts';
import type { Progress } from './client-table.ts';
import { ConfirmedTail } from './confirmed-tail.ts';
import type { Incarnation } from './incarnation.ts';
import type { Model, Refusal } from './model.ts';
import { fromOld, readNumbered, readOldNumbered, writeNumbered } from './numbered-runs.ts';
import { isEqual, markOf } from './operation.ts';
import type { Operation, OperationId } from './operation.ts';
import { PendingQueue } from './pending-queue.ts';
import type { Numbered } from './pending-queue.ts';
import { isContinuous, reconcile } from './reconcile.ts';
import type { Own } from './fates.ts';
import { Rejections } from './rejections.ts';
import { NO_LINK, readLink, readOldLink, writeLink } from './replica-records.ts';
import type { BaseRecord, EntryRecord, LinkRecord, ReplicateRecord } from './replica-records.ts';
import { noState, readOldState, readState, writeState } from './replica-state.ts';
import { readBase, writeBase } from './snapshot.ts';
import type { BaseHead } from './snapshot.ts';
import type { Applied, Turn } from './turn.ts';
import { Verdicts } from './verdicts.ts';

/** Incarnations of this replica that are remembered, to tell another replica of the same region name. */
const REMEMBERED = 64;

/** Operations that no record holds get sequences beyond those of all records. */
const MADE = 2 ** 32;

/** Of what nobody wrote here. */
const NO_TICKET = 0;

/**
 * One replica's copy of what a hub orders: the confirmed base, and the operations of its own that are pending on top of
 * it. Deterministic: it knows nothing but the records of its journal. It keeps these invariants, whose numbers are those
 * of the sync rules in docs/SYNC.md:
 *
 * - (5) the base changes by entries only, each operation at most once, in its client's order, as `ClientTable` says, and
 *   not by what was sent in another history, as `RecentPlaces` says;
 * - (6) entries apply in order of position: one at or below `position` is void, so is one beyond the next;
 * - (6) an operation leaves the pending ones by its echo, never by what the hub answered; when another history is
 *   found under its number, everything pending waits for new numbers (`diverged`);
 * - what was pending is pending still, confirmed, or in `rejections`: nothing disappears;
 * - what became of an operation that somebody waits for is in `verdicts` until he was told, or nobody can say any more.
 */
export class Replica {
  readonly model: Model;
  readonly clients = new ClientTable();
  readonly pending = new PendingQueue();
  readonly tail = new ConfirmedTail();
  readonly rejections = new Rejections();
  readonly verdicts = new Verdicts();
  #state = noState();
  #head: BaseHead = { epoch: '', position: 0, digest: new Uint8Array(0) };
  #link: LinkRecord = NO_LINK;

  constructor(model: Model) {
    this.model = model;
  }

  /** Whether local writes are for other regions too. */
  get active(): boolean {
    return this.#state.incarnations.length > 0;
  }

  get region(): string {
    return this.#state.region;
  }

  /** Under which the next local write is numbered; empty while not active. */
  get incarnation(): Incarnation {
    return this.#state.incarnations.at(-1) ?? '';
  }

  /** Whether this replica has, not too long ago, numbered with it. */
  isOwn(incarnation: Incarnation): boolean {
    return this.#state.incarnations.includes(incarnation);
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
    return this.#state.diverged || !this.pending.follows(this.clients);
  }

  /** What whoever talks to the hub last said of the connection. */
  get link(): LinkRecord {
    return this.#link;
  }

  /** Whether more bytes of operations may become pending (rule 13): what is pending beyond that has no effect. */
  hasRoomFor(payload: Uint8Array): boolean {
    return !this.active || this.pending.bytes + payload.length <= this.#state.cap;
  }

  /** Whether whoever is about to write should: also what nobody has acknowledged takes of the cap. */
  welcomes(payload: Uint8Array): boolean {
    return !this.active || this.occupied + payload.length <= this.#state.cap;
  }

  /** Bytes of the cap that are taken. */
  get occupied(): number {
    return this.pending.bytes + this.rejections.bytes;
  }

  /** Whether what had this ticket, and everything before it, is pending no more. */
  hasPassed(ticket: number): boolean {
    const head = this.pending.at(0);
    return head === undefined || head.ticket > ticket;
  }

  /** The ticket of a pending operation, which was among the last to be made; undefined: it is not pending. */
  ticketOf({ session, sequence }: OperationId): number | undefined {
    for (let index = this.pending.length - 1; index >= 0; index--) {
      const item = this.pending.at(index);
      if (item?.operation.session === session && item.operation.sequence === sequence) return item.ticket;
    }
    return undefined;
  }

  /** Whether something that the order may hold was sent before there was a base. */
  get sent(): boolean {
    return this.#state.sent;
  }

  /** From now on the order may hold what is pending. */
  send(): void {
    this.#state.sent = true;
  }

  /** The bytes that may be pending. */
  get cap(): number {
    return this.#state.cap;
  }

  /** From now on local writes are numbered; what the model holds already becomes pending. Only the first has effect. */
  replicate({ incarnation, region, cap }: ReplicateRecord, session: number): void {
    this.#state.region = region;
    this.#state.cap = cap;
    if (this.active) return;
    this.#state.incarnations = [incarnation];
    this.#seed(this.model.seeds(), session);
    this.model.clear();
  }

  #seed(seeds: ReturnType<Model['seeds']>, session: number): void {
    for (const { kind, payload } of seeds) {
      this.#state.made += 1;
      this.#number({ session, sequence: MADE + this.#state.made, kind, payload }, NO_TICKET);
    }
  }

  /** (2) The next local writes are numbered under another name; after a divergence the pending ones too. */
  incarnate(incarnation: Incarnation): void {
    if (!this.active || this.isOwn(incarnation)) return;
    const { diverged } = this;
    this.#state.incarnations = [...this.#state.incarnations, incarnation].slice(-REMEMBERED);
    this.#state.nextNumber = 1;
    this.#state.chain = NO_CHAIN;
    if (!diverged) return;
    this.#state.diverged = false;
    const items = [...this.pending];
    this.pending.replace([]);
    for (const { operation, ticket } of items) this.#number(operation, ticket);
  }

  /** (1) A local write: pending from now on. */
  local(operation: Operation): void {
    if (!this.active) return;
    this.#state.tickets += 1;
    this.#number(operation, this.#state.tickets);
  }

  #number(operation: Operation, ticket: number): void {
    const { incarnation } = this;
    const before = this.pending.last;
    const goesOn = before?.incarnation === incarnation && before.number === this.#state.nextNumber - 1;
    this.pending.push({ operation, incarnation, number: this.#state.nextNumber, ticket, previous: goesOn ? null : this.#state.chain });
    this.#state.nextNumber += 1;
  }

  /** Applies an entry of the hub's log; null when it is void. */
  entry({ epoch, position, digest, batch }: EntryRecord): Applied[] | null {
    if (!this.active || position !== this.position + 1) return null;
    if (this.epoch !== '' && epoch !== this.epoch) return null;
    this.#head = { epoch, position, digest };
    const { places } = this.clients;
    const isOurs = places.isOurs(batch, position);
    places.pass(position, digest, batch);
    return isOurs ? this.#applyBatch(batch) : [];
  }

  #applyBatch({ incarnation, first, previous, base, chained, operations }: Batch): Applied[] {
    const applied: Applied[] = [];
    let number = first;
    let before = previous;
    for (const operation of operations) {
      const chain = chained ? chains.after(before, operation) : chainOfMark(markOf(operation));
      if (this.clients.isNext({ incarnation, number, before, base })) {
        const forgotten = this.clients.record(incarnation, { number, chain, position: chained ? this.position : 0 });
        for (const each of forgotten) if (this.isOwn(each)) this.#goOn(each, this.clients.last(each));
        applied.push(this.#applyNext({ operation, incarnation, number, chain, chained }));
      }
      number += 1;
      before = chain;
    }
    return applied;
  }

  /**
   * (5) What is pending of an incarnation is numbered, under the same name, from the last one that the order has of it:
   * from 1 where it was forgotten. So copies of this replica that have the same pending still do, and what was under way
   * when it was forgotten, or a hub restored, is still the same.
   */
  #goOn(incarnation: Incarnation, last: Progress): void {
    const count = this.pending.restart(incarnation, last);
    if (incarnation !== this.incarnation) return;
    this.#state.nextNumber = last.number + count + 1;
    this.#state.chain = last.chain;
  }

  #applyNext(turn: Turn): Applied {
    const { operation } = turn;
    const index = this.#echo(turn);
    const own = index >= 0;
    const refusal = this.model.confirm(operation);
    if (own) this.#decide(operation, refusal);
    return { operation, own, early: index > 0, refusal };
  }

  /** What has become of an operation of this replica. */
  #decide(operation: Operation, refusal: Refusal | null): void {
    const isAwaited = this.model.isAwaited(operation.kind);
    if (refusal !== null) this.rejections.add(operation, refusal, this.position, isAwaited);
    if (isAwaited) this.verdicts.add(operation, refusal ?? 'accepted');
  }

  #indexOf({ incarnation, number }: Turn): number {
    const head = this.pending.at(0);
    if (head?.incarnation === incarnation && head.number === number) return 0;
    return this.isOwn(incarnation) ? this.pending.indexOf(incarnation, number) : -1;
  }

  /**
   * (6) Which pending operation this is the echo of, which then is pending no more; -1: none. It is the first, unless
   * it was under way when others were put before it, that a hub had forgotten.
   */
  #echo(turn: Turn): number {
    const { incarnation, number, operation, chain } = turn;
    const index = this.#indexOf(turn);
    if (index < 0) return -1;
    if (!this.#isSame(index, turn)) {
      this.#state.diverged = true;
      return -1;
    }
    if (index === 0) this.pending.shift(chain);
    else this.pending.remove(index, chain);
    if (incarnation === this.incarnation && number === this.#state.nextNumber - 1) this.#state.chain = chain;
    this.tail.push({ operation, incarnation, number, chain, position: this.position });
    return index;
  }

  /** Whether the order has the pending operation there, with all its history. */
  #isSame(index: number, { operation, chain, chained }: Turn): boolean {
    if (chained) return this.pending.chainAt(index) === chain;
    const pending = this.pending.at(index);
    return pending !== undefined && isEqual(pending.operation, operation);
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
    const isUnsent = this.epoch === '' && !this.#state.sent;
    const before = new ClientTable();
    before.adopt(this.clients);
    this.#head = readBase(new ByteReader(base), this.clients, this.model);
    if (seed) this.#seedBefore([...this.pending], seeds, session);
    this.#reconcile({ tail: seed ? [] : this.tail.items, before, isUnsent });
    return true;
  }

  #reconcile(own: Pick<Own, 'tail' | 'before' | 'isUnsent'>): void {
    const { pending, clients, incarnation } = this;
    const { left, unknown, doubtful, tail, goesOn } = reconcile({ ...own, pending, clients });
    const last = pending.last;
    // What is written next goes on from it, though it is gone.
    if (last?.incarnation === incarnation && left.at(-1)?.operation !== last.operation) this.#state.chain = pending.chainAt(pending.length - 1);
    // Whoever waited for one of these was told when it was confirmed.
    for (const operation of doubtful) this.rejections.add(operation, 'unknown', this.position, false);
    // No echo will come. A snapshot does not tell what was refused, nor, after a copy, whose operation it was.
    for (const operation of unknown) this.#decide(operation, 'unknown');
    pending.replace(left);
    // A hub may forget once more, and then also what only a snapshot has confirmed.
    this.tail.replace(tail);
    for (const each of new Set([...pending.incarnations, incarnation])) if (!clients.knows(each) || goesOn(each)) this.#goOn(each, clients.last(each));
    if (pending.last?.incarnation === incarnation) this.#state.nextNumber = pending.last.number + 1;
    this.#state.diverged = !isContinuous([...pending], this);
  }

  /** What the base holds goes before what is pending on top of it, and is numbered with it. */
  #seedBefore(pending: readonly Numbered[], seeds: ReturnType<Model['seeds']>, session: number): void {
    this.pending.replace([]);
    this.#seed(seeds, session);
    for (const item of pending) this.pending.push(item);
  }

  acknowledge(through: number): void {
    this.rejections.acknowledge(through);
  }

  linked(link: LinkRecord): void {
    this.#link = link;
  }

  /** Those who waited for these operations know what became of them. */
  told(ids: Iterable<OperationId>): void {
    for (const id of ids) {
      this.verdicts.told(id);
      this.rejections.told(id);
    }
  }

  reset(): void {
    for (const part of [this.clients, this.rejections, this.verdicts]) part.clear();
    for (const list of [this.pending, this.tail]) list.replace([]);
    this.#state = noState();
    this.#head = { epoch: '', position: 0, digest: new Uint8Array(0) };
    this.#link = NO_LINK;
  }

  /** Everything, for a snapshot of the journal. */
  write(writer: ByteWriter): void {
    writeState(writer, this.#state);
    writeNumbered(writer, this.pending);
    this.tail.write(writer);
    this.rejections.write(writer);
    this.verdicts.write(writer);
    writeLink(writer, this.#link);
    writeBase(writer, this.#head, this.clients, this.model);
  }

  read(reader: ByteReader): void {
    const state = readState(reader);
    this.reset();
    this.#state = state;
    const pending = readNumbered(reader);
    this.pending.replace(pending);
    this.tail.read(reader);
    this.rejections.read(reader);
    this.verdicts.read(reader);
    this.#link = readLink(reader);
    this.#head = readBase(reader, this.clients, this.model);
  }

  /** As it was written before version 2. */
  readOld(reader: ByteReader): void {
    this.reset();
    const state = readOldState(reader);
    this.#state = state;
    const pending = readOldNumbered(reader);
    const tail = readOldNumbered(reader);
    this.rejections.readOld(reader);
    this.#link = readOldLink(reader);
    this.#head = readBase(reader, this.clients, this.model);
    this.pending.replace(fromOld(pending, this.clients));
    this.tail.replace(tail.map((item) => ({ ...item, chain: chainOfMark(markOf(item.operation)), position: 0 })));
    state.tickets = pending.length;
    state.chain = this.clients.last(this.incarnation).chain;
  }
}
