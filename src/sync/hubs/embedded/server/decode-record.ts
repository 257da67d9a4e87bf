import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { FrameReader, Malformed } from '../frames.ts';

/** Reads all of a record of `journal`. @throws HoldfastError `journal-damaged` */
export function decodeRecord<T>(journal: string, payload: Uint8Array, body: (frame: FrameReader) => T): T {
  try {
    const frame = new FrameReader(payload);
    const value = body(frame);
    frame.end();
    return value;
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
    throw new HoldfastError('journal-damaged', `A record of a hub's ${journal} has a valid checksum but makes no sense: ${error.message}.`, { cause: error });
  }
}
