/** One region's machines, and a hub that does whatever it is told to. */
import { expect } from 'vitest';
import type { JournalRecord, SnapshotRecord } from '../../src/disk/journal/machine.ts';
import type { MapChange, SetOutcome } from '../../src/disk/map/map-area.ts';
import { encodeBatch as encodeMapBatch } from '../../src/disk/map/map-batch.ts';
import { MapReads } from '../../src/disk/map/map-overlay.ts';
import { MapMachine } from '../../src/disk/map/map-machine.ts';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { decodeOperation } from '../../src/disk/map/map-operation.ts';
import { ADD, BARRIER, BATCH, CLEAR, COMPARE, LIMIT, RecordWriter, REMOVE, SET } from '../../src/disk/map/map-records.ts';
import { ByteWriter } from '../../src/disk/replica/byte-writer.ts';
import { encodeBatch } from '../../src/disk/replica/encode-batch.ts';
import type { Batch } from '../../src/disk/replica/batch.ts';
import { chains } from '../../src/disk/replica/chain.ts';
import type { Chain } from '../../src/disk/replica/chain.ts';
import type { Operation, OperationId } from '../../src/disk/replica/operation.ts';
import { BASE, ENTRY, INCARNATION, REPLICATE } from '../../src/disk/replica/replica-kinds.ts';
import {
  decodeEntry,
  encodeBase,
  encodeEntry,
  encodeIncarnation,
  encodeReplicate,
} from '../../src/disk/replica/replica-records.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import { writeBase } from '../../src/disk/replica/snapshot.ts';
import type { PlainBatch, PlainOperation } from './plain-map.ts';
import { ownUrl } from './temporary-bucket.ts';

const writer = new RecordWriter();
export const nonsense = Uint8Array.of(255, 255, 255);
export const elsewhere = `${ownUrl}elsewhere`;

export function kindAndPayload(operation: PlainOperation, url = ownUrl): { kind: number; payload: Uint8Array } {
  const made = (kind: number, payload: Uint8Array) => ({ kind, payload: Uint8Array.from(payload) });
  switch (operation.do) {
    case 'set':
      return made(SET, writer.set(ownUrl, url, operation.key, operation.value));
    case 'remove':
      return made(REMOVE, writer.remove(ownUrl, url, operation.key));
    case 'compare':
      return made(COMPARE, writer.compare(ownUrl, url, operation));
    case 'add':
      return made(ADD, writer.set(ownUrl, url, operation.key, operation.value));
    case 'clear':
      return made(CLEAR, writer.clear(ownUrl, url));
    case 'limit':
      return made(LIMIT, writer.number(operation.quota));
    case 'batch': {
      const reads = new MapReads();
      for (const [key, value] of operation.reads) reads.values.set(key, value);
      return made(BATCH, encodeMapBatch(ownUrl, url, reads, operation.steps));
    }
    case 'barrier':
      return made(BARRIER, new Uint8Array());
    case 'nonsense':
      return made(SET, nonsense);
  }
}

export function plain({ kind, payload }: Operation): PlainOperation {
  if (kind === SET && payload.length === nonsense.length && payload.every((byte) => byte === 255)) return { do: 'nonsense' };
  const asked = decodeOperation({ kind, payload }, ownUrl);
  if (asked.asks === 'clear') return { do: 'clear' };
  if (asked.asks === 'limit') return { do: 'limit', quota: asked.quota };
  if (asked.asks === 'nothing') return { do: 'barrier' };
  if (asked.asks === 'batch') {
    const { expectations, steps } = asked.batch;
    return { do: 'batch', reads: expectations.map(({ key, value }) => [key, value as string | null]), steps };
  }
  const { key, value, expected, adds } = asked;
  if (adds === true && value !== null) return { do: 'add', key, value };
  if (expected !== undefined) return { do: 'compare', key, expected, value };
  return value === null ? { do: 'remove', key } : { do: 'set', key, value };
}

export const idOf = ({ session, sequence }: OperationId): string => `${session}:${sequence}`;

export const incarnationOf = (number: number): string => `00000000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;

/** An entry as a hub has it: bytes, which may be anything. */
interface Stored {
  readonly bytes: Uint8Array;
  readonly batch: PlainBatch;
}

export function batchOf(batch: Pick<Batch, 'incarnation' | 'first' | 'previous' | 'operations'>, base = 0): Batch {
  return { ...batch, region: 'r', base, chained: true };
}

export const digest = new Uint8Array(32).fill(7);

/** The hub's log. */
export class FakeHub {
  epoch = 'epoch-1';
  log: Stored[] = [];
  /** Every entry there ever was, also what was lost. */
  readonly #history: Stored[] = [];

  /** Of a sender who had everything up to `base`. */
  append(incarnation: string, first: number, previous: Chain, operations: readonly Operation[], base = 0): void {
    const bytes = Uint8Array.from(encodeBatch(batchOf({ incarnation, first, previous, operations }, base)));
    let chain = previous;
    const identified = operations.map((operation) => ({ id: idOf(operation), chain: (chain = chains.after(chain, operation)), operation: plain(operation) }));
    const stored = { bytes, batch: { incarnation, first, previous, base, operations: identified } };
    this.#history.push(stored);
    this.log.push(stored);
  }

  /** A request that was under way arrives late, or once more. */
  repeat(index: number): void {
    const stored = this.#history.at(-1 - index);
    if (stored !== undefined) this.log.push(stored);
  }

  appendNonsense(): void {
    this.log.push({ bytes: Uint8Array.of(1, 2, 3), batch: null });
  }

  batches(upTo: number): PlainBatch[] {
    return this.log.slice(0, upTo).map(({ batch }) => batch);
  }

  entry(position: number): Uint8Array | null {
    const stored = this.log[position - 1];
    return stored === undefined ? null : Uint8Array.from(encodeEntry({ epoch: this.epoch, position, digest }, stored.bytes));
  }

  /** The base at a position, as bytes. */
  snapshot(position: number): Uint8Array {
    const writer = new ByteWriter();
    const model = new MapModel();
    const replica = new Replica(model);
    replica.replicate({ incarnation: incarnationOf(0xffff), region: 'hub', cap: 0 }, 1);
    for (let at = 1; at <= position; at++) replica.entry(decodeEntry(this.entry(at) ?? new Uint8Array()));
    const head = { epoch: this.epoch, position, digest: position === 0 ? new Uint8Array() : digest };
    writeBase(writer, head, replica.clients, model);
    return Uint8Array.from(writer.finish());
  }
}

/** A machine with a listener whose notes of what it heard are what shows. */
class Process {
  machine = new MapMachine(ownUrl);
  readonly told = new Map<string, string>();
  changes: MapChange[] = [];

  constructor() {
    this.#listen();
  }

  #listen(): void {
    this.machine.listener = (change) => {
      this.changes.push(change);
      if (change.key === null) {
        this.told.clear();
        return;
      }
      expect(this.told.get(change.key) ?? null).toBe(change.oldValue);
      if (change.newValue === null) this.told.delete(change.key);
      else this.told.set(change.key, change.newValue);
    };
  }

  restore(snapshot: readonly SnapshotRecord[]): void {
    this.machine.reset();
    for (const { kind, payload } of snapshot) this.machine.restore(kind, payload);
    this.machine.restored();
  }
}

/** A region: two processes on one journal, the second of which reads it only now and then. */
export class Region {
  readonly first = new Process();
  readonly second = new Process();
  #unread: JournalRecord[] = [];
  #sequences = new Map<number, number>();

  get replica(): Replica {
    const { replica } = this.first.machine;
    if (replica === null) throw new Error('The map follows no hub.');
    return replica;
  }

  append(session: number, kind: number, payload: Uint8Array): { id: OperationId; outcome: SetOutcome } {
    const sequence = (this.#sequences.get(session) ?? 0) + 1;
    this.#sequences.set(session, sequence);
    const record = { kind, payload, session, sequence };
    this.#unread.push(record);
    this.first.changes = [];
    // The payload is a view that is valid during the call only.
    const view = Uint8Array.from(payload);
    const outcome = this.first.machine.apply({ ...record, payload: view });
    view.fill(0xee);
    return { id: { session, sequence }, outcome };
  }

  replicate(cap: number): void {
    this.append(99, REPLICATE, encodeReplicate({ incarnation: incarnationOf(1), region: 'here', cap }));
  }

  incarnate(number: number): void {
    this.append(99, INCARNATION, encodeIncarnation(incarnationOf(number)));
  }

  enter(entry: Uint8Array): void {
    this.append(99, ENTRY, entry);
  }

  rebase(base: Uint8Array, seed: boolean): void {
    const { epoch, position } = this.replica;
    this.append(99, BASE, Uint8Array.from(encodeBase({ from: { epoch, position }, seed, base })));
  }

  #snapshot(): SnapshotRecord[] {
    return Array.from(this.first.machine.snapshot(), ({ kind, payload }) => ({ kind, payload: Uint8Array.from(payload) }));
  }

  /** The second process reads what is new; or it finds that its generation is gone. */
  catchUp(behind: boolean): void {
    if (behind) this.second.restore(this.#snapshot());
    else for (const record of this.#unread) this.second.machine.apply(record);
    this.#unread = [];
  }

  /** The first process starts again. */
  restart(): void {
    this.first.restore(this.#snapshot());
  }
}
