import type { ByteReader } from './byte-reader.ts';
import type { ByteWriter } from './byte-writer.ts';
import { NO_CHAIN, readChain, writeChain } from './chain.ts';
import type { Chain } from './chain.ts';
import type { ClientTable } from './client-table.ts';
import { readIncarnation, writeIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { readOperation, writeOperation } from './operation.ts';
import type { Operation } from './operation.ts';
import type { Numbered } from './pending-queue.ts';

/*
 * Numbered operations, in runs: those of one follow each other in number, and each one's chain goes on from that of the
 * one before. Within a run, in stretches whose tickets count on, or are all 0.
 *
 *   n, n times: incarnation, number of the first, chain before it, n stretches
 *   stretch     ticket of the first, n operations
 */

interface Stretch {
  readonly ticket: number;
  readonly operations: Operation[];
}

interface Run {
  readonly incarnation: Incarnation;
  readonly first: number;
  readonly previous: Chain;
  readonly stretches: Stretch[];
  /** How many operations. */
  length: number;
}

function ticketAt({ ticket }: Stretch, index: number): number {
  return ticket === 0 ? 0 : ticket + index;
}

function runsOf(items: Iterable<Numbered>): Run[] {
  const runs: Run[] = [];
  for (const item of items) {
    const { incarnation, number, previous } = item;
    const last = runs.at(-1);
    const goesOn = last?.incarnation === incarnation && previous === null && number === last.first + last.length;
    const run = goesOn ? last : { incarnation, first: number, previous: previous ?? NO_CHAIN, stretches: [], length: 0 };
    if (!goesOn) runs.push(run);
    addTo(run, item);
  }
  return runs;
}

function addTo(run: Run, { operation, ticket }: Numbered): void {
  const stretch = run.stretches.at(-1);
  if (stretch !== undefined && ticket === ticketAt(stretch, stretch.operations.length)) stretch.operations.push(operation);
  else run.stretches.push({ ticket, operations: [operation] });
  run.length += 1;
}

/** The first one, and each that does not go on from the one before, must say what comes before it. */
export function writeNumbered(writer: ByteWriter, items: Iterable<Numbered>): void {
  const runs = runsOf(items);
  writer.integer(runs.length);
  for (const { incarnation, first, previous, stretches } of runs) {
    writeIncarnation(writer, incarnation);
    writer.integer(first);
    writeChain(writer, previous);
    writer.integer(stretches.length);
    for (const stretch of stretches) writeStretch(writer, stretch);
  }
}

function writeStretch(writer: ByteWriter, { ticket, operations }: Stretch): void {
  writer.integer(ticket).integer(operations.length);
  for (const operation of operations) writeOperation(writer, operation);
}

export function readNumbered(reader: ByteReader): Numbered[] {
  const items: Numbered[] = [];
  for (let left = reader.integer(); left > 0; left--) readRun(reader, items);
  return items;
}

function readRun(reader: ByteReader, items: Numbered[]): void {
  const incarnation = readIncarnation(reader);
  let number = reader.integer();
  let previous: Chain | null = readChain(reader);
  for (let stretches = reader.integer(); stretches > 0; stretches--) {
    const stretch = { ticket: reader.integer(), operations: [] };
    const count = reader.integer();
    for (let at = 0; at < count; at++) {
      items.push({ incarnation, number, previous, ticket: ticketAt(stretch, at), operation: readOperation(reader) });
      number += 1;
      previous = null;
    }
  }
}

/** As snapshots of before version 2 had them: n, n times: incarnation, number, operation. */
export type OldNumbered = Pick<Numbered, 'incarnation' | 'number' | 'operation'>;

export function readOldNumbered(reader: ByteReader): OldNumbered[] {
  const items: OldNumbered[] = [];
  for (let left = reader.integer(); left > 0; left--) {
    const incarnation = readIncarnation(reader);
    const number = reader.integer();
    items.push({ incarnation, number, operation: readOperation(reader) });
  }
  return items;
}

/** They go on from what the order has of their incarnation; one that does not will find that out. */
export function fromOld(items: readonly OldNumbered[], clients: ClientTable): Numbered[] {
  return items.map((item, at) => {
    const before = items[at - 1];
    const goesOn = before?.incarnation === item.incarnation && before.number === item.number - 1;
    return { ...item, ticket: at + 1, previous: goesOn ? null : clients.last(item.incarnation).chain };
  });
}
