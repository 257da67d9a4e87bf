import { BATCH_VERSION } from './batch.ts';
import type { Batch } from './batch.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeIncarnation } from './incarnation.ts';
import { writeMark, writeOperation } from './operation.ts';

/** What `decodeBatch` reads. */
export function encodeBatch({ incarnation, region, first, previous, operations }: Batch): Uint8Array {
  const writer = new ByteWriter().byte(BATCH_VERSION);
  writeIncarnation(writer, incarnation);
  writer.text(region).integer(first);
  writeMark(writer, previous);
  for (const operation of operations) writeOperation(writer, operation);
  return writer.finish();
}
