import { BATCH_VERSION } from './batch.ts';
import type { Batch } from './batch.ts';
import { ByteWriter } from './byte-writer.ts';
import { writeChain } from './chain.ts';
import { writeIncarnation } from './incarnation.ts';
import { writeOperation } from './operation.ts';

/** What `decodeBatch` reads. */
export function encodeBatch({ incarnation, region, first, previous, base, baseDigest, chained, operations }: Batch): Uint8Array {
  const writer = new ByteWriter().byte(BATCH_VERSION);
  writeIncarnation(writer, incarnation);
  writer.text(region).integer(first);
  writeChain(writer, previous);
  writer.integer(base).byte(chained ? 1 : 0).byte(baseDigest === undefined ? 0 : 1);
  if (baseDigest !== undefined) writer.raw(baseDigest);
  for (const operation of operations) writeOperation(writer, operation);
  return writer.finish();
}
