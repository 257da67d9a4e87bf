import { HoldfastError } from '../../../../../runtime/holdfast-error.ts';
import type { NewEntry } from '../../../../hub.ts';
import { decodeRecord } from '../decode-record.ts';
import { type FrameReader, FrameWriter } from '../../frames.ts';
import { MAX_NAME_UNITS } from '../../operations.ts';

/*
 * The records of a hub's commit journal. docs/HUB-PROTOCOL.md, "On disk", is the same in words.
 *
 *   OWN     as of coordinators
 *   COMMIT  any number of: name, epoch, first position, entries
 *
 *   STATE   version of the rules, epoch of ownership, session, address   (in snapshots only, as the first record)
 *   TAIL    as COMMIT                                                    (in snapshots only)
 */
export const OWN = 1;
export const COMMIT = 2;

export const STATE = 1;
export const TAIL = 2;

const RULES_VERSION = 1;

/** Entries of one log in a row. */
export interface Stretch {
  readonly name: string;
  /** Of the log. */
  readonly epoch: string;
  /** The position of the first entry. */
  readonly first: number;
  readonly entries: readonly NewEntry[];
}

export function encodeStretches(stretches: Iterable<Stretch>): Uint8Array {
  const frame = new FrameWriter();
  for (const { name, epoch, first, entries } of stretches) {
    frame.units(name).text(epoch);
    writePlaced(frame, first, entries);
  }
  return frame.finish();
}

export function decodeStretches(payload: Uint8Array, each: (stretch: Stretch) => void): void {
  decodeRecord('commits', payload, (frame) => {
    while (frame.left > 0) each({ name: frame.units(MAX_NAME_UNITS), epoch: frame.text(), ...readPlaced(frame) });
  });
}

export function writePlaced(frame: FrameWriter, first: number, entries: readonly NewEntry[]): FrameWriter {
  frame.u53(first).u32(entries.length);
  for (const { id, bytes } of entries) frame.text(id).bytes(bytes);
  return frame;
}

export function readPlaced(frame: FrameReader): Pick<Stretch, 'first' | 'entries'> {
  const first = frame.u53();
  return { first, entries: Array.from({ length: frame.count(8) }, () => ({ id: frame.text(), bytes: frame.bytes() })) };
}

export interface CommitState {
  readonly epoch: number;
  readonly session: number;
  readonly address: string;
}

export function encodeState({ epoch, session, address }: CommitState): Uint8Array {
  return new FrameWriter().u32(RULES_VERSION).u53(epoch).u53(session).text(address).finish();
}

export function decodeState(payload: Uint8Array): CommitState {
  return decodeRecord('commits', payload, (frame) => {
    const version = frame.u32();
    if (version !== RULES_VERSION) throw unknownCommit(`Version ${version} of the rules`);
    return { epoch: frame.u53(), session: frame.u53(), address: frame.text() };
  });
}

export function unknownCommit(what: string): HoldfastError {
  return new HoldfastError('unknown-record', `${what} is in the commits of this hub; a newer version of Holdfast must have written it.`);
}
