import { Buffer } from 'node:buffer';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { JournalRecord } from '../journal/machine.ts';
import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { ACKNOWLEDGE, BASE, ENTRY, INCARNATION, LINK, OLD_REPLICA, REPLICA, REPLICATE, SEND, TOLD } from './replica-kinds.ts';
import {
  decodeAcknowledge,
  decodeBase,
  decodeEntry,
  decodeIncarnation,
  decodeLink,
  decodeReplicate,
  decodeTold,
} from './replica-records.ts';
import type { Replica } from './replica.ts';
import type { Applied } from './turn.ts';

/** What a record did that whoever shows the replica's state has to follow. */
export type Effect =
  | { readonly did: 'nothing' }
  /** From now on the replica is active. */
  | { readonly did: 'replicate' }
  | { readonly did: 'enter'; readonly applied: readonly Applied[] }
  /** Base and pending operations are others. */
  | { readonly did: 'rebase' };

const NOTHING: Effect = { did: 'nothing' };

/** Bytes of one REPLICA record of a snapshot; well below what a record can hold. */
const PART_BYTES = 2 ** 24;

/** The parts of a replica's state, as a snapshot of a journal has them. */
export class ReplicaParts {
  #kind = REPLICA;
  #parts: Uint8Array[] = [];

  get isEmpty(): boolean {
    return this.#parts.length === 0;
  }

  /** `payload` may be a view that is valid only now. */
  add(kind: number, payload: Uint8Array): void {
    this.#kind = kind;
    this.#parts.push(new Uint8Array(payload));
  }

  /** Hands over what there is, and is empty again. */
  restore(replica: Replica): void {
    const reader = new ByteReader(Buffer.concat(this.#parts));
    this.#parts = [];
    if (this.#kind === OLD_REPLICA) replica.readOld(reader);
    else replica.read(reader);
  }

  clear(): void {
    this.#parts = [];
  }
}

/** @throws HoldfastError `unknown-record` for what only newer code knows, before anything has changed */
export function applyRecord(replica: Replica, { kind, payload, session }: JournalRecord): Effect {
  switch (kind) {
    case REPLICATE: {
      const isFirst = !replica.active;
      replica.replicate(decodeReplicate(payload), session);
      return isFirst ? { did: 'replicate' } : NOTHING;
    }
    case INCARNATION:
      replica.incarnate(decodeIncarnation(payload));
      return NOTHING;
    case ENTRY:
      return enter(replica, payload);
    case BASE:
      return rebase(replica, payload, session);
    case LINK:
      replica.linked(decodeLink(payload));
      return NOTHING;
    case ACKNOWLEDGE:
      replica.acknowledge(decodeAcknowledge(payload));
      return NOTHING;
    case TOLD:
      replica.told(decodeTold(payload));
      return NOTHING;
    case SEND:
      replica.send();
      return NOTHING;
    default:
      throw new HoldfastError('unknown-record', `A record of kind ${kind} is about a replica; a newer version of Holdfast must have written it.`);
  }
}

/** (6) */
function enter(replica: Replica, payload: Uint8Array): Effect {
  const entry = decodeEntry(payload);
  for (const { kind } of entry.batch.operations) {
    if (replica.model.knows(kind)) continue;
    throw new HoldfastError('unknown-record', `An operation of kind ${kind} is in an entry of a hub; a newer version of Holdfast must have written it.`);
  }
  const applied = replica.entry(entry);
  return applied === null ? NOTHING : { did: 'enter', applied };
}

/** (11, 12) A snapshot that makes no sense has no effect, in every region and process: it must not stop those who read. */
function rebase(replica: Replica, payload: Uint8Array, session: number): Effect {
  try {
    return replica.rebase(decodeBase(payload), session) ? { did: 'rebase' } : NOTHING;
  } catch (error) {
    if (error instanceof HoldfastError && error.code === 'hub-damaged') return NOTHING;
    throw error;
  }
}

/** Payloads of REPLICA records: all of a replica, for a snapshot of its journal. */
export function* partsOf(replica: Replica): Generator<Uint8Array> {
  const writer = new ByteWriter();
  replica.write(writer);
  const bytes = writer.finish();
  for (let at = 0; at < bytes.length; at += PART_BYTES) yield bytes.subarray(at, at + PART_BYTES);
}
