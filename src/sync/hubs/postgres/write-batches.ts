import type { LogBatch, WriteBatches } from '../append-queue.ts';
import type { Connections } from './connection.ts';
import type { LogId } from './postgres-log.ts';
import { headsIn, type Row } from './rows.ts';
import type { Statements } from './statements.ts';

/** Appends to several logs in one transaction. */
export function batchWriter(connections: Connections, { append }: Statements): WriteBatches<LogId> {
  return (batches) => {
    const [first] = batches;
    const doing = batches.length === 1 ? `append to the log ${first?.log.label}` : `append to ${batches.length} logs`;
    return connections.perform(doing, async () => {
      const [row] = await connections.rows<Row>(append(valuesOf(inOrder(batches))));
      const positions = headsIn(row, batches.length);
      const heads = new Map(inOrder(batches).map(({ log }, index) => [log.key, positions[index]]));
      return batches.map(({ log }) => heads.get(log.key) ?? 0);
    });
  };
}

/** The same order for all who append, or two could wait for each other. */
function inOrder(batches: readonly LogBatch<LogId>[]): LogBatch<LogId>[] {
  return [...batches].sort((a, b) => (a.log.key < b.log.key ? -1 : 1));
}

function valuesOf(batches: readonly LogBatch<LogId>[]): unknown[] {
  const entries = batches.flatMap((batch) => batch.entries);
  const blobs = batches.flatMap((batch) => batch.blobs);
  return [
    batches.map(({ log }) => log.key),
    batches.map(({ log }) => log.label),
    batches.map((batch) => batch.entries.length),
    entries.map(({ id }) => id),
    entries.map(({ bytes }) => bytes.length),
    Buffer.concat(entries.map(({ bytes }) => bytes)),
    batches.map((batch) => batch.blobs.length),
    blobs,
  ];
}
