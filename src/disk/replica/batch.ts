import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { ByteReader, damaged } from './byte-reader.ts';
import { chainOfMark, readChain } from './chain.ts';
import type { Chain } from './chain.ts';
import { readIncarnation } from './incarnation.ts';
import type { Incarnation } from './incarnation.ts';
import { readMark, readOperation } from './operation.ts';
import type { Operation } from './operation.ts';
import { PLACE_DIGEST_BYTES } from './recent-places.ts';
import type { SenderPlace } from './recent-places.ts';

/** The version of the batches that ENTRY records hold. */
export const BATCH_VERSION = 3;

/**
 * One entry of a hub's log: operations of one incarnation, numbered without a gap from `first` on. It is applied whole
 * at its place in the order.
 */
export interface Batch extends SenderPlace {
  readonly incarnation: Incarnation;
  /** The region that sent it, for people. */
  readonly region: string;
  /** The client sequence of its first operation, from 1. */
  readonly first: number;
  /** Up to the operation before its first one in this incarnation: two histories of one incarnation cannot be mixed. */
  readonly previous: Chain;
  /** The position up to which its sender had everything while its operations were pending there; 0: it does not say. */
  readonly base: number;
  /** False: it came in an entry of version 1, which knows of nothing but the mark of the operation before. */
  readonly chained: boolean;
  readonly operations: readonly Operation[];
}

/** @throws HoldfastError `hub-damaged`, and `unknown-record` for what newer code wrote */
export function decodeBatch(bytes: Uint8Array): Batch {
  const reader = new ByteReader(bytes);
  const version = reader.byte();
  if (version > BATCH_VERSION) throw new HoldfastError('unknown-record', `An entry of a hub is of version ${version}; this Holdfast knows ${BATCH_VERSION}.`);
  if (version === 0) throw damaged('it is of no version');
  const head = version === 1 ? readOldHead(reader) : readHead(reader, version);
  const operations: Operation[] = [];
  while (!reader.atEnd) operations.push(readOperation(reader));
  return { ...head, operations };
}

type Head = Omit<Batch, 'operations'>;

function readHead(reader: ByteReader, version: number): Head {
  const head = {
    incarnation: readIncarnation(reader),
    region: reader.text(),
    first: reader.integer(),
    previous: readChain(reader),
    base: reader.integer(),
    chained: reader.byte() === 1,
  };
  if (version === 2 || reader.byte() === 0) return head;
  return { ...head, baseDigest: reader.bytes(PLACE_DIGEST_BYTES) };
}

function readOldHead(reader: ByteReader): Head {
  return {
    incarnation: readIncarnation(reader),
    region: reader.text(),
    first: reader.integer(),
    previous: chainOfMark(readMark(reader)),
    base: 0,
    chained: false,
  };
}
