import type { JournalRecord, Machine, SnapshotRecord } from '../journal/machine.ts';
import { decodeAlarm, decodeAlarms, encodeAlarm, encodeRules, FORGET, MOVE, NOTE, NOTES, requireRules, RULES, unknown } from './alarm-records.ts';
import type { AlarmKey, AlarmRecord } from './alarm-records.ts';

const idOf = ({ origin, className, name, isEncrypted }: AlarmKey): string => `${isEncrypted === true ? '\n' : ''}${origin}\n${className}\n${name}`;

/** A time at which a coordinator was to be looked at once; it may be another by now. */
interface Mark {
  readonly time: number;
  readonly id: string;
}

/**
 * When coordinators are to be looked at. It keeps these invariants:
 *
 * - what an owner of an earlier epoch says of a coordinator of which a later one has spoken is void;
 * - NOTE never makes a time later;
 * - each coordinator has a mark in `#heap` at its time, and maybe at earlier or later ones.
 */
export class AlarmMachine implements Machine<void> {
  readonly #alarms = new Map<string, AlarmRecord>();
  /** A binary heap: the earliest is the first. */
  #heap: Mark[] = [];

  get size(): number {
    return this.#alarms.size;
  }

  get weight(): number {
    return 100 * this.#alarms.size;
  }

  /** Of the coordinators of an origin, whoever can read their names. */
  ofOrigin(origin: string): AlarmRecord[] {
    return [...this.#alarms.values()].filter(({ key }) => key.origin === origin);
  }

  of(key: AlarmKey): AlarmRecord | undefined {
    return this.#alarms.get(idOf(key));
  }

  /** Those of an origin that are called as users call them. */
  readableOf(origin: string): AlarmKey[] {
    return Array.from(this.#alarms.values(), ({ key }) => key).filter((key) => key.origin === origin && key.isEncrypted !== true);
  }

  /** Undefined: there is none. */
  earliest(): AlarmRecord | undefined {
    for (let first = this.#heap[0]; first !== undefined; first = this.#heap[0]) {
      const known = this.#alarms.get(first.id);
      if (known?.time === first.time) return known;
      this.#pop();
    }
    return undefined;
  }

  /** All that are due, in no order. */
  due(now: number): Iterable<AlarmRecord> {
    const found = new Set<AlarmRecord>();
    const visit = (at: number): void => {
      const mark = this.#heap[at];
      if (mark === undefined || mark.time > now) return;
      const known = this.#alarms.get(mark.id);
      if (known?.time === mark.time) found.add(known);
      visit(2 * at + 1);
      visit(2 * at + 2);
    };
    visit(0);
    return found;
  }

  apply({ kind, payload }: JournalRecord): void {
    if (kind === NOTES) for (const record of decodeAlarms(payload)) this.#say(NOTE, record);
    else if (kind === NOTE || kind === MOVE || kind === FORGET) this.#say(kind, decodeAlarm(payload));
    else throw unknown(`A record of kind ${kind}`);
  }

  #say(kind: number, record: AlarmRecord): void {
    const id = idOf(record.key);
    const known = this.#alarms.get(id);
    if (known !== undefined && known.epoch > record.epoch) {
      if (kind === NOTE && record.time < known.time) this.#put(id, { ...known, time: record.time });
      return;
    }
    if (kind === FORGET) this.#alarms.delete(id);
    else this.#put(id, kind === NOTE && known !== undefined && known.time < record.time ? { ...record, time: known.time } : record);
  }

  #put(id: string, record: AlarmRecord): void {
    this.#alarms.set(id, record);
    this.#push({ time: record.time, id });
    // Marks that mean nothing any more must not outgrow the others.
    if (this.#heap.length > 64 && this.#heap.length > 2 * this.#alarms.size) this.#rebuild();
  }

  #rebuild(): void {
    // In the order of times it is a heap.
    this.#heap = Array.from(this.#alarms, ([id, { time }]) => ({ time, id })).sort((a, b) => a.time - b.time);
  }

  #push(mark: Mark): void {
    const heap = this.#heap;
    let at = heap.push(mark) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      const other = heap[above];
      if (other === undefined || other.time <= mark.time) break;
      heap[at] = other;
      at = above;
    }
    heap[at] = mark;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return;
    let at = 0;
    for (;;) {
      const [left, right] = [heap[2 * at + 1], heap[2 * at + 2]];
      if (left === undefined) break;
      const isRight = right !== undefined && right.time < left.time;
      const child = isRight ? right : left;
      if (child.time >= last.time) break;
      heap[at] = child;
      at = 2 * at + (isRight ? 2 : 1);
    }
    heap[at] = last;
  }

  reset(): void {
    this.#alarms.clear();
    this.#heap = [];
  }

  restore(kind: number, payload: Uint8Array): void {
    if (kind === RULES) return requireRules(payload);
    if (kind !== NOTE) throw unknown(`A snapshot's record of kind ${kind}`);
    const record = decodeAlarm(payload);
    this.#alarms.set(idOf(record.key), record);
  }

  restored(): void {
    this.#rebuild();
  }

  *snapshot(): Generator<SnapshotRecord> {
    yield { kind: RULES, payload: encodeRules() };
    for (const record of this.#alarms.values()) yield { kind: NOTE, payload: encodeAlarm(record) };
  }
}
