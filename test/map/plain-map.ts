/** A map that follows a hub, in the plainest code there is: everything is worked out anew from the log each time. */
import { DEFAULT_QUOTA } from '../../src/disk/map/map-state.ts';
import { NO_CHAIN } from '../../src/disk/replica/chain.ts';
import { ClientTable } from '../../src/disk/replica/client-table.ts';

export type PlainOperation =
  | { readonly do: 'set'; readonly key: string; readonly value: string }
  | { readonly do: 'remove'; readonly key: string }
  | { readonly do: 'compare'; readonly key: string; readonly expected: string | null; readonly value: string | null }
  | { readonly do: 'add'; readonly key: string; readonly value: string }
  | { readonly do: 'clear' }
  | { readonly do: 'limit'; readonly quota: number }
  | { readonly do: 'barrier' }
  | { readonly do: 'batch'; readonly reads: readonly PlainPair[]; readonly steps: readonly PlainStep[] }
  /** Bytes that make no sense. */
  | { readonly do: 'nonsense' };

export type PlainPair = readonly [key: string, value: string | null];
/** No key: all pairs go. */
export type PlainStep = { readonly key: string | null; readonly value: string | null };

export interface Identified {
  readonly id: string;
  /** What tells it, with all that came before it in its incarnation, from every other history. */
  readonly chain: string;
  readonly operation: PlainOperation;
}

/** An entry of the log; null: its bytes make no sense. */
export type PlainBatch = null | {
  readonly incarnation: string;
  readonly first: number;
  readonly previous: string;
  /** Up to where its sender had everything. */
  readonly base: number;
  readonly operations: readonly Identified[];
};

export class PlainMap {
  entries: [string, string][] = [];
  quota = DEFAULT_QUOTA;

  bytes(): number {
    return this.entries.reduce((sum, [key, value]) => sum + 2 * (key.length + value.length), 0);
  }

  get(key: string): string | null {
    return this.entries.find(([other]) => other === key)?.[1] ?? null;
  }

  /** At its place in the order: whether it was accepted. */
  confirm(operation: PlainOperation): boolean {
    if (operation.do === 'nonsense') return false;
    if (operation.do === 'compare' && this.get(operation.key) !== operation.expected) return false;
    if (operation.do === 'add' && this.get(operation.key) !== null) return this.get(operation.key) === operation.value;
    if (operation.do === 'batch' && operation.reads.some(([key, value]) => this.get(key) !== value)) return false;
    const before = { entries: structuredClone(this.entries), bytes: this.bytes() };
    this.perform(operation);
    if (this.bytes() <= this.quota || this.bytes() <= before.bytes) return true;
    this.entries = before.entries;
    return false;
  }

  /** Without asking the quota. */
  perform(operation: PlainOperation): void {
    if (operation.do === 'clear') this.entries = [];
    if (operation.do === 'limit') this.quota = operation.quota;
    if (operation.do === 'batch') for (const { key, value } of operation.steps) this.#step(key, value);
    if (operation.do === 'set') this.#place(operation.key, operation.value);
    if (operation.do === 'remove') this.#place(operation.key, null);
    if (operation.do === 'add' && this.get(operation.key) === null) this.#place(operation.key, operation.value);
    if (operation.do === 'compare' && this.get(operation.key) === operation.expected) this.#place(operation.key, operation.value);
  }

  #step(key: string | null, value: string | null): void {
    if (key === null) this.entries = [];
    else this.#place(key, value);
  }

  #place(key: string, value: string | null): void {
    const entry = this.entries.find(([other]) => other === key);
    if (value === null) this.entries = this.entries.filter(([other]) => other !== key);
    else if (entry === undefined) this.entries.push([key, value]);
    else entry[1] = value;
  }
}

/** How far an incarnation has come. */
interface Client {
  readonly number: number;
  readonly chain: string;
  readonly position: number;
}

interface Outcome {
  readonly base: PlainMap;
  readonly accepted: Set<string>;
  readonly refused: Set<string>;
  /** The incarnations that are remembered. */
  readonly clients: Map<string, Client>;
}

/** What a log comes to, each operation at most once and in its client's order. */
export function confirmed(log: readonly PlainBatch[]): Outcome {
  const base = new PlainMap();
  const clients = new Map<string, Client>();
  const accepted = new Set<string>();
  const refused = new Set<string>();
  let horizon = 0;
  for (const [at, batch] of log.entries()) {
    if (batch === null) continue;
    let { previous, first: number } = batch;
    for (const { id, chain, operation } of batch.operations) {
      const before = clients.get(batch.incarnation) ?? { number: 0, chain: batch.base < horizon ? 'too old' : NO_CHAIN };
      if (number === before.number + 1 && previous === before.chain) {
        clients.set(batch.incarnation, { number, chain, position: at + 1 });
        horizon = Math.max(horizon, forget(clients));
        (base.confirm(operation) ? accepted : refused).add(id);
      }
      previous = chain;
      number += 1;
    }
  }
  return { base, accepted, refused, clients };
}

/** One that is too many, which was active least lately. Returns where; 0: none is. */
function forget(clients: Map<string, Client>): number {
  if (clients.size <= ClientTable.most) return 0;
  const [[incarnation, { position }]] = [...clients].sort(([, a], [, b]) => a.position - b.position) as [[string, Client]];
  clients.delete(incarnation);
  return position;
}

/** What shows: the confirmed base, and on top of it what is pending. */
export function shown(log: readonly PlainBatch[], pending: readonly PlainOperation[]): PlainMap {
  const { base } = confirmed(log);
  for (const operation of pending) base.perform(operation);
  return base;
}
