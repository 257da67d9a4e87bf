import { reportException, setTimeout } from '../runtime/timers.ts';
import type { FileSystemChangeRecord } from './change-record.ts';

/** A record on its way to an observer's callback. */
export interface Delivery {
  readonly record: FileSystemChangeRecord;
  /** Calls the callback; one function per observer, so that what goes to one can go together. */
  readonly receive: (records: FileSystemChangeRecord[]) => void;
  /** Whether the observer has stopped observing in the meantime. */
  readonly isCancelled: () => boolean;
}

let waiting: Delivery[] = [];

/**
 * Milliseconds for which records are gathered. Changes come in runs, and a callback looks at the files: one call for a
 * run costs less than one for each. Programs count on it too: WPT's observer tests take it that two records in a row
 * reach an observer later than a writable, opened at the same time, can be closed.
 */
const gathering = 20;

/**
 * Delivers a record in a task of its own, a little later. There is one queue for all observers of the realm, so that they are told of
 * changes in their order; neighbours that go to one observer go in one call.
 */
export function deliver(delivery: Delivery): void {
  if (waiting.push(delivery) === 1) setTimeout(deliverAll, gathering);
}

function deliverAll(): void {
  const deliveries = waiting;
  waiting = [];
  for (let index = 0; index < deliveries.length; ) index = deliverNext(deliveries, index);
}

/** Delivers what goes to the observer at `start` together, and returns where the next one's begins. */
function deliverNext(deliveries: readonly Delivery[], start: number): number {
  const receive = deliveries[start]?.receive;
  const end = deliveries.findIndex((delivery, index) => index > start && delivery.receive !== receive);
  const group = deliveries.slice(start, end === -1 ? undefined : end);
  const records = group.filter((delivery) => !delivery.isCancelled()).map((delivery) => delivery.record);
  if (records.length > 0) call(receive, records);
  return start + group.length;
}

/** An exception is reported, as one of an event listener would be, and keeps nothing from the others. */
function call(receive: Delivery['receive'] | undefined, records: FileSystemChangeRecord[]): void {
  try {
    receive?.(records);
  } catch (error) {
    reportException(error);
  }
}
