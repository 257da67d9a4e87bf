import { AccountMachine } from '../../src/disk/quota/machine.ts';
import type { Verdict } from '../../src/disk/quota/machine.ts';
import { encodeAdjustment, encodeBegin, encodeCount, encodeDead, kinds } from '../../src/disk/quota/records.ts';

/** A session as it should behave, whose knowledge is as old as its last record. */
class Writer {
  session: number;
  left = 0;
  used = 0;
  freed = 0;
  stale = false;
  since = 0;

  constructor(session: number) {
    this.session = session;
  }
}

function untoldBy({ freed, stale }: Writer): number {
  return stale ? Infinity : freed;
}

/** A counting: some of what is on the disk has been met, some not. */
interface Count {
  readonly session: number;
  readonly epoch: number;
  met: number;
  /** Files that are still to be looked at. */
  ahead: number[];
}

/**
 * Sessions that use, remove, die and count, with a model of the disk: files of some size. Small enough that every order
 * of their steps comes up.
 */
export class Ledgers {
  readonly machine = new AccountMachine();
  readonly #limit: number;
  readonly #writers = [1, 2, 3].map((session) => new Writer(session));
  #files: number[] = [];
  #count: Count | null = null;
  #sequence = 0;
  #sessions = 3;
  /** What sessions that died had freed. */
  #lost = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get onDisk(): number {
    return this.#files.reduce((all, bytes) => all + bytes, 0);
  }

  get taken(): number {
    return this.machine.taken;
  }

  /** Bytes that have gone at most, of which sessions have not told yet, or never will. */
  get untold(): number {
    return this.#writers.reduce((all, writer) => all + untoldBy(writer), this.#lost);
  }

  /** One thing that somebody does. */
  step(what: number, who: number, bytes: number): void {
    const writer = this.#writers[who] as Writer;
    if (what <= 1) this.#write(writer, bytes + 1);
    else if (what === 2) this.#remove(writer, bytes);
    else if (what === 3) this.#adjust(writer, 0, 0);
    else if (what === 4) this.#die(writer);
    else if (what === 5) this.#begin(writer);
    else if (what === 6) this.#look();
    else this.#end();
  }

  #write(writer: Writer, bytes: number): void {
    if (bytes > writer.left && !this.#adjust(writer, bytes, 100).granted) return;
    writer.left -= bytes;
    writer.used += bytes;
    this.#files.push(bytes);
    // A walk may meet what appears meanwhile.
    if (bytes % 2 === 0) this.#count?.ahead.push(bytes);
  }

  #remove(writer: Writer, which: number): void {
    if (this.#files.length === 0) return;
    const { counting, epoch } = this.machine;
    const [bytes = 0] = this.#files.splice(which % this.#files.length, 1);
    const ahead = this.#count?.ahead.indexOf(bytes) ?? -1;
    if (ahead >= 0) this.#count?.ahead.splice(ahead, 1);
    if (counting !== null || (writer.freed > 0 && writer.since !== epoch)) {
      writer.stale = true;
      writer.freed = 0;
    }
    if (counting !== null) return;
    writer.freed += bytes;
    writer.since = epoch;
  }

  #adjust(writer: Writer, need: number, want: number): Verdict {
    const { session, used, freed, stale, since } = writer;
    const identity = { boot: '', namespace: '', pid: session, tid: 0, start: 0 };
    const amounts = (amount: number): ReadonlyMap<number, number> => new Map(amount > 0 ? [[0, amount]] : []);
    const record = { identity, epoch: since, stale, limit: this.#limit, need, want, used: amounts(used), freed: amounts(freed) };
    const verdict = this.#tell(session, kinds.adjust, encodeAdjustment(record));
    writer.left = this.machine.reservations.get(session)?.bytes ?? 0;
    Object.assign(writer, { used: 0, freed: 0, stale: false });
    return verdict;
  }

  /** Its thread is gone, with all that it has not told of; another one says so, and a new one takes its place. */
  #die(writer: Writer): void {
    this.#tell(99, kinds.dead, encodeDead(writer.session));
    if (this.#count?.session === writer.session) this.#count = null;
    this.#lost += untoldBy(writer);
    this.#sessions += 1;
    Object.assign(writer, new Writer(this.#sessions));
  }

  #begin(writer: Writer): void {
    this.#adjust(writer, 0, 0);
    this.#tell(writer.session, kinds.begin, encodeBegin({ boot: '', namespace: '', pid: 1, tid: 0, start: 0 }));
    this.#count = { session: writer.session, epoch: this.machine.epoch, met: 0, ahead: [...this.#files] };
  }

  #look(): void {
    if (this.#count !== null) this.#count.met += this.#count.ahead.pop() ?? 0;
  }

  #end(): void {
    const count = this.#count;
    if (count === null) return;
    while (count.ahead.length > 0) this.#look();
    this.#count = null;
    const amounts = new Map([[0, count.met]]);
    this.#tell(count.session, kinds.end, encodeCount({ epoch: count.epoch, at: 1, boot: '', amounts }));
  }

  /** What the account says after everybody has told what there was to tell, and somebody has counted. */
  countInPeace(): number {
    for (const writer of this.#writers) this.#adjust(writer, 0, 0);
    this.step(5, 0, 0);
    this.step(7, 0, 0);
    return this.taken;
  }

  #tell(session: number, kind: number, payload: Uint8Array): Verdict {
    return this.machine.apply({ kind, session, sequence: ++this.#sequence, payload });
  }
}
