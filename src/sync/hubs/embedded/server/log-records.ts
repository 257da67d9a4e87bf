import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import type { NewEntry } from '../../../hub.ts';
import { decodeRecord } from './decode-record.ts';
import { readPlaced, type Stretch, writePlaced } from './commits/commit-records.ts';
import { FrameWriter } from '../frames.ts';
import { MAX_NAME_UNITS } from '../operations.ts';

/*
 * The records of a log's journal. docs/HUB-PROTOCOL.md, "On disk", is the same in words.
 *
 *   STATE    version of the rules, name, epoch, first position   (in snapshots only, as the first record)
 *   ENTRIES  any number of: id, bytes
 *   TRIM     first position that is kept
 *   PLACED   first position, entries
 */
export const STATE = 1;
export const ENTRIES = 2;
export const TRIM = 3;
export const PLACED = 4;

/** The rules that this code knows. */
const RULES_VERSION = 1;

export interface LogState {
  /** Directories of long names have a hash of them only. */
  readonly name: string;
  readonly epoch: string;
  readonly first: number;
}

export function encodeState({ name, epoch, first }: LogState): Uint8Array {
  return new FrameWriter().u32(RULES_VERSION).units(name).text(epoch).u53(first).finish();
}

export function decodeState(payload: Uint8Array): LogState {
  return decodeRecord('log', payload, (frame) => {
    const version = frame.u32();
    if (version !== RULES_VERSION) {
      throw new HoldfastError('unknown-record', `A log of this hub follows version ${version} of its rules; this Holdfast knows only ${RULES_VERSION}.`);
    }
    return { name: frame.units(MAX_NAME_UNITS), epoch: frame.text(), first: frame.u53() };
  });
}

export function encodeEntries(entries: Iterable<NewEntry>): Uint8Array {
  const frame = new FrameWriter();
  for (const { id, bytes } of entries) frame.text(id).bytes(bytes);
  return frame.finish();
}

export function decodeEntries(payload: Uint8Array, each: (entry: NewEntry) => void): void {
  decodeRecord('log', payload, (frame) => {
    while (frame.left > 0) each({ id: frame.text(), bytes: frame.bytes() });
  });
}

export function encodeTrim(first: number): Uint8Array {
  return new FrameWriter().u53(first).finish();
}

export function decodeTrim(payload: Uint8Array): number {
  return decodeRecord('log', payload, (frame) => frame.u53());
}

export function encodePlaced({ first, entries }: Stretch): Uint8Array {
  return writePlaced(new FrameWriter(), first, entries).finish();
}

export function decodePlaced(payload: Uint8Array): Pick<Stretch, 'first' | 'entries'> {
  return decodeRecord('log', payload, readPlaced);
}
