import { AlarmMachine } from '../../disk/coordinator/alarm-machine.ts';
import { encodeAlarm } from '../../disk/coordinator/alarm-records.ts';
import type { AlarmRecord } from '../../disk/coordinator/alarm-records.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomInteger } from '../../runtime/random.ts';
import { decodeIndexEntry, decodeIndexSnapshot, encodeIndexEntry, encodeIndexSnapshot } from './index-entries.ts';
import type { OrderedLog } from './region-store.ts';

const READ_AT_ONCE = 1000;

/** A snapshot is put after so many entries of one's own, or as many as there are records; so many before it stay. */
const SNAPSHOT_ENTRIES = 1024;
const MARGIN = 64;

/** An index in a hub's log: what its entries come to, as far as they were read. */
export class IndexLog {
  readonly machine = new AlarmMachine();
  readonly #log: OrderedLog;
  readonly #session = randomInteger().toString(36);
  #appended = 0;
  #sinceSnapshot = 0;
  #epoch = '';
  #position = 0;

  constructor(log: OrderedLog) {
    this.#log = log;
  }

  /** @throws (rejects) HoldfastError as a hub's `append`; it may be there then */
  async append(kind: number, record: AlarmRecord, id = `${this.#session}.${(this.#appended += 1)}`): Promise<void> {
    await this.#log.append([{ id, bytes: encodeIndexEntry(kind, new Uint8Array(encodeAlarm(record))) }]);
    this.#sinceSnapshot += 1;
  }

  /** Whether nothing was ever said in it: to ask that makes no log, as to ask for its head does. @throws as `catchUp` */
  async isUnused(): Promise<boolean> {
    try {
      return (await this.#log.read(0, 1)).length === 0;
    } catch (error) {
      if (isTrimmed(error)) return false;
      throw error;
    }
  }

  /** Reads up to where the log was when it was asked. @throws (rejects) HoldfastError as a hub's `read`, unknown-record */
  async catchUp(): Promise<void> {
    const { epoch, position } = await this.#log.head();
    if (epoch !== this.#epoch || position < this.#position) this.#beginAnew(epoch);
    while (this.#position < position) if (!(await this.#read())) return;
  }

  /** The log was restored, or made anew. */
  #beginAnew(epoch: string): void {
    this.#epoch = epoch;
    this.#position = 0;
    this.machine.reset();
  }

  /** Whether anything came. */
  async #read(): Promise<boolean> {
    const before = this.#position;
    try {
      for (const { position, bytes } of await this.#log.read(before, READ_AT_ONCE)) this.#take(position, bytes);
    } catch (error) {
      if (!isTrimmed(error)) throw error;
      await this.#restore();
    }
    return this.#position > before;
  }

  #take(position: number, bytes: Uint8Array): void {
    if (position !== this.#position + 1) return;
    const entry = decodeIndexEntry(bytes);
    this.#position = position;
    if (entry !== null) this.machine.apply({ kind: entry.kind, session: 0, sequence: 0, payload: entry.payload });
  }

  async #restore(): Promise<void> {
    const snapshot = await this.#log.snapshot();
    if (snapshot === null || snapshot.position <= this.#position) return;
    this.machine.reset();
    decodeIndexSnapshot(snapshot.bytes, (kind, payload) => this.machine.restore(kind, payload));
    this.machine.restored();
    this.#position = snapshot.position;
  }

  /** Puts a snapshot in the place of entries, where there are many. Best effort: what fails is done later. */
  async keepShort(): Promise<void> {
    if (this.#sinceSnapshot < Math.max(SNAPSHOT_ENTRIES, this.machine.size)) return;
    this.#sinceSnapshot = 0;
    const position = this.#position;
    const bytes = encodeIndexSnapshot(this.machine.snapshot());
    const put = async (): Promise<void> => {
      await this.#log.putSnapshot({ position, bytes });
      await this.#log.trim(position - MARGIN);
    };
    await put().catch(() => undefined);
  }
}

function isTrimmed(error: unknown): boolean {
  return error instanceof HoldfastError && error.code === 'hub-trimmed';
}
