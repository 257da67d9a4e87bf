import type { Operation } from '../replica/operation.ts';
import { decodeBatch, urlOf } from './map-batch.ts';
import type { MapBatch } from './map-batch.ts';
import { ADD, BARRIER, BATCH, CLEAR, COMPARE, damaged, LIMIT, RecordReader, REMOVE, SET } from './map-records.ts';
import type { MapState } from './map-state.ts';
import { performSteps } from './map-steps.ts';

/** What an operation does to one key. */
export interface KeyChange {
  readonly key: string;
  /** Null: the pair goes. */
  readonly value: string | null;
  /** Undefined: whatever the key's value is; null: it must have none. */
  readonly expected: string | null | undefined;
  /** It is as good if the key has the wanted value already: the pair is added to another map's, whoever set it there. */
  readonly adds?: true;
}

/** What an operation asks of a map; `url` is that of its writer. */
export type MapOperation =
  | (KeyChange & { readonly asks: 'change'; readonly url: string })
  | { readonly asks: 'clear'; readonly url: string }
  | { readonly asks: 'limit'; readonly quota: number }
  | { readonly asks: 'batch'; readonly batch: MapBatch; readonly url: string }
  | { readonly asks: 'nothing' };

const reader = new RecordReader();

/** `ownUrl` is the map's own url. @throws HoldfastError `journal-damaged` */
export function decodeOperation({ kind, payload }: Pick<Operation, 'kind' | 'payload'>, ownUrl: string): MapOperation {
  switch (kind) {
    case SET:
      reader.set(payload);
      return { asks: 'change', key: reader.key, value: reader.value, expected: undefined, url: reader.url(ownUrl) };
    case ADD:
      reader.set(payload);
      return { asks: 'change', key: reader.key, value: reader.value, expected: null, adds: true, url: reader.url(ownUrl) };
    case REMOVE:
      reader.remove(payload);
      return { asks: 'change', key: reader.key, value: null, expected: undefined, url: reader.url(ownUrl) };
    case COMPARE: {
      const { key, value, expected } = reader.compare(payload);
      return { asks: 'change', key, value, expected, url: reader.url(ownUrl) };
    }
    case CLEAR:
      reader.clear(payload);
      return { asks: 'clear', url: reader.url(ownUrl) };
    case LIMIT:
      return { asks: 'limit', quota: reader.number(payload) };
    case BATCH: {
      const batch = decodeBatch(payload);
      return { asks: 'batch', batch, url: urlOf(batch, ownUrl) };
    }
    case BARRIER:
      reader.barrier(payload);
      return { asks: 'nothing' };
    default:
      throw damaged(`its kind ${kind} is none of an operation`);
  }
}

/** What a key's value, or null, becomes where nothing refuses the change. */
export function changed(present: string | null, { value, expected }: KeyChange): string | null {
  return expected === undefined || expected === present ? value : present;
}

/** Gives a map what a pending operation makes of it, for which no quota is asked: it may yet be accepted (rule 9). */
export function perform(operation: MapOperation, state: MapState): void {
  if (operation.asks === 'change') place(state, operation.key, changed(state.get(operation.key) ?? null, operation));
  else if (operation.asks === 'clear') state.clear();
  else if (operation.asks === 'limit') state.quota = operation.quota;
  else if (operation.asks === 'batch') performSteps(state, operation.batch.steps);
}

/** The steps of a batch as operations of their own, which nothing refuses: what a map shows of one that is pending. */
export function stepsOf({ batch, url }: MapOperation & { readonly asks: 'batch' }): MapOperation[] {
  return batch.steps.map(({ key, value }) => (key === null ? { asks: 'clear', url } : { asks: 'change', key, value, expected: undefined, url }));
}

/** Sets a value, or removes it if it is null, without asking the quota. */
export function place(state: MapState, key: string, value: string | null): void {
  if (value === null) state.remove(key);
  else state.put(key, value);
}
