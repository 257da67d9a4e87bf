import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { ByteReader, damaged } from './byte-reader.ts';
import { readIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { readMark, readOperation } from './operation.ts';
import type { Operation, OperationMark } from './operation.ts';

/** The version of the entries that replicas exchange. */
export const BATCH_VERSION = 1;

/**
 * One entry of a hub's log: operations of one incarnation, numbered without a gap from `first` on. It is applied whole
 * at its place in the order.
 */
export interface Batch {
  readonly incarnation: Incarnation;
  /** The region that sent it, for people. */
  readonly region: string;
  /** The client sequence of its first operation, from 1. */
  readonly first: number;
  /** The operation before its first one in this incarnation: two histories of one incarnation cannot be mixed. */
  readonly previous: OperationMark;
  readonly operations: readonly Operation[];
}

/** @throws HoldfastError `hub-damaged`, and `unknown-record` for what newer code wrote */
export function decodeBatch(bytes: Uint8Array): Batch {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version > BATCH_VERSION) throw new HoldfastError('unknown-record', `An entry of a hub is of version ${version}; this Holdfast knows ${BATCH_VERSION}.`);
  if (version < BATCH_VERSION) throw damaged('it is of no version');
  const head = {
    incarnation: readIncarnation(reader),
    region: reader.text(),
    first: reader.integer(),
    previous: readMark(reader),
  };
  const operations: Operation[] = [];
  while (!reader.atEnd) operations.push(readOperation(reader));
  return { ...head, operations };
}
