// What a map needs for batches, as one part.
export { performBatch } from './map-batch.ts';
export { transact } from './map-transaction.ts';
