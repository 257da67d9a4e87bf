import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { END_OF_SNAPSHOT_KIND, FIRST_JOURNAL_KIND } from './frame.ts';
import type { FrameReader } from './frame-reader.ts';
import type { GenerationFile } from './generation-file.ts';
import { decodeEnd, type EndOfSnapshot } from './journal-records.ts';
import type { Machine } from './machine.ts';

/**
 * Restores a machine from the snapshot that a generation begins with.
 *
 * @param reader - stands at the snapshot's beginning, and afterwards at its end.
 * @param fill - brings the reader more bytes; how many.
 * @throws HoldfastError `journal-damaged`; the machine is of no use then.
 */
export function restoreSnapshot<Outcome>(machine: Machine<Outcome>, reader: FrameReader, file: GenerationFile, fill: () => number): EndOfSnapshot {
  const { cipher } = file;
  for (let records = 0; next(reader, fill); records++) {
    if (cipher !== null) reader.frame.payload = cipher.open(reader.frame, records + 1);
    const { kind, payload } = reader.frame;
    if (kind === END_OF_SNAPSHOT_KIND) return checkedEnd(decodeEnd(payload), file, records);
    if (kind >= FIRST_JOURNAL_KIND) break;
    machine.restore(kind, payload);
  }
  throw damagedSnapshot(file);
}

function next(reader: FrameReader, fill: () => number): boolean {
  while (!reader.next()) if (fill() === 0) return false;
  return reader.damage === 0;
}

function checkedEnd(end: EndOfSnapshot, file: GenerationFile, records: number): EndOfSnapshot {
  if (end.records !== records || end.generation !== file.number) throw damagedSnapshot(file);
  return end;
}

function damagedSnapshot(file: GenerationFile): HoldfastError {
  return new HoldfastError('journal-damaged', `The snapshot of the journal ${file.path} is damaged; nothing was read from it.`);
}
