import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { NO_CHAIN, readChain, writeChain } from './chain.ts';
import type { Chain } from './chain.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';

/** What a replica remembers beside what it has lists and tables of. */
export interface ReplicaState {
  region: string;
  /** Those that it has numbered with, the newest last. */
  incarnations: readonly Incarnation[];
  /** Of the next operation of the newest incarnation. */
  nextNumber: number;
  /** Up to the last operation of the newest incarnation, where that is not pending any more. */
  chain: Chain;
  /** How many local writes have been given one. */
  tickets: number;
  /** How many operations were made of content. */
  made: number;
  /** The bytes that may be pending. */
  cap: number;
  /** What is pending has to be numbered anew. */
  diverged: boolean;
  /** Whether something was sent before there was a base. */
  sent: boolean;
}

/** Of what `writeState` writes. */
const VERSION = 2;

const DIVERGED = 1;
const SENT = 2;

/** Of a replica that is not active. */
export function noState(): ReplicaState {
  return { region: '', incarnations: [], nextNumber: 1, chain: NO_CHAIN, tickets: 0, made: 0, cap: 0, diverged: false, sent: false };
}

export function writeState(writer: ByteWriter, state: ReplicaState): void {
  writer.byte(VERSION).text(state.region).integer(state.cap).integer(state.nextNumber).integer(state.made).integer(state.tickets);
  writeChain(writer, state.chain);
  writer.byte((state.diverged ? DIVERGED : 0) | (state.sent ? SENT : 0)).integer(state.incarnations.length);
  for (const incarnation of state.incarnations) writeIncarnation(writer, incarnation);
}

/** @throws HoldfastError `unknown-record` for what newer code wrote */
export function readState(reader: ByteReader): ReplicaState {
  const version = reader.byte();
  if (version !== VERSION) throw new HoldfastError('unknown-record', `The state of a replica is of version ${version}; this Holdfast knows ${VERSION}.`);
  const head = { region: reader.text(), cap: reader.integer(), nextNumber: reader.integer(), made: reader.integer(), tickets: reader.integer() };
  const chain = readChain(reader);
  const flags = reader.byte();
  return { ...head, chain, diverged: (flags & DIVERGED) !== 0, sent: (flags & SENT) !== 0, incarnations: readIncarnations(reader) };
}

/** As it was written before version 2: without tickets, and without a chain. */
export function readOldState(reader: ByteReader): ReplicaState {
  const head = { region: reader.text(), cap: reader.integer(), nextNumber: reader.integer(), made: reader.integer() };
  const diverged = reader.byte() === 1;
  // Nobody wrote down whether something was.
  return { ...noState(), ...head, diverged, sent: true, incarnations: readIncarnations(reader) };
}

function readIncarnations(reader: ByteReader): Incarnation[] {
  const incarnations: Incarnation[] = [];
  for (let left = reader.integer(); left > 0; left--) incarnations.push(readIncarnation(reader));
  return incarnations;
}
