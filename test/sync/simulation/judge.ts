import { decodeOperation } from '../../../src/disk/map/map-operation.ts';
import type { MapOperation } from '../../../src/disk/map/map-operation.ts';
import { DEFAULT_QUOTA } from '../../../src/disk/map/map-state.ts';
import { chains, NO_CHAIN } from '../../../src/disk/replica/chain.ts';
import { ClientTable } from '../../../src/disk/replica/client-table.ts';
import { sha256 } from '../../../src/sync/replicator/digest.ts';
import type { WireOperation } from '../../../src/sync/replicator/wire.ts';
import { keyOf } from './sim-process.ts';
import { isSealed, openedBlob, plainEntry } from './sealed.ts';
import { decoded } from './sim-hub.ts';
import type { SimHub } from './sim-hub.ts';

/** What the whole of a hub's log means, worked out in another and simpler way than replicas do. */
export interface Judgement {
  readonly map: ReadonlyMap<string, string>;
  readonly bytes: number;
  readonly quota: number;
  /** What had its turn, in order: whether it was refused. */
  readonly decided: ReadonlyMap<string, boolean>;
  /** What had its turn twice. */
  readonly twice: readonly string[];
}

const NOTHING = new Uint8Array(0);

export function judge(hub: SimHub): Judgement {
  const state = { map: new Map<string, string>(), quota: DEFAULT_QUOTA };
  const decided = new Map<string, boolean>();
  const twice: string[] = [];
  const numbers = new Map<string, { number: number; key: string; position: number }>();
  let horizon = 0;
  const { history } = hub.content;
  for (const { position, bytes } of history) {
    const { incarnation, first, previous, base, baseDigest, operations } = decoded(bytes);
    const there = base === 0 ? undefined : history[base - 1];
    // It was sent in another history, before the hub was restored.
    if (base >= position || (there !== undefined && Buffer.compare(sha256(plainEntry(there.bytes)).subarray(0, 8), baseDigest ?? NOTHING) !== 0)) continue;
    let before = previous;
    operations.forEach((wire, index) => {
      const { session, sequence, kind } = wire;
      const operation = { session, sequence, kind, payload: payloadOf(wire, hub, isSealed(bytes)) };
      const last = numbers.get(incarnation) ?? { number: 0, key: base < horizon ? 'too old' : NO_CHAIN };
      const name = chains.after(before, operation);
      const isNext = first + index === last.number + 1 && before === last.key;
      before = name;
      if (!isNext) return;
      numbers.set(incarnation, { number: first + index, key: name, position });
      horizon = Math.max(horizon, forget(numbers));
      const key = keyOf(operation);
      if (decided.has(key)) twice.push(key);
      decided.set(key, !perform(decodeOperation(operation, ''), state));
    });
  }
  return { ...state, bytes: sizeOf(state.map), decided, twice };
}

/** The incarnation that was active least lately is forgotten where there are too many; the position of its last operation. */
function forget(numbers: Map<string, { position: number }>): number {
  if (numbers.size <= ClientTable.most) return 0;
  const [[incarnation, { position }]] = [...numbers].sort(([, a], [, b]) => a.position - b.position) as [[string, { position: number }]];
  numbers.delete(incarnation);
  return position;
}

/** A plain blob may begin with any byte: whether it is sealed is known by the entry that names it. */
function payloadOf({ payload, blobs }: WireOperation, hub: SimHub, sealed: boolean): Uint8Array {
  if (blobs === null) return payload;
  return Buffer.concat(blobs.map(({ digest }) => {
    const bytes = hub.archive.get(Buffer.from(digest).toString('hex')) ?? NOTHING;
    return sealed ? openedBlob(bytes) : bytes;
  }));
}

function sizeOf(map: ReadonlyMap<string, string>): number {
  let bytes = 0;
  for (const [key, value] of map) bytes += 2 * (key.length + value.length);
  return bytes;
}

/** False: it is refused. */
function perform(operation: MapOperation, state: { map: Map<string, string>; quota: number }): boolean {
  if (operation.asks === 'clear') state.map.clear();
  if (operation.asks === 'limit') state.quota = operation.quota;
  if (operation.asks !== 'change') return true;
  const { key, value, expected, adds } = operation;
  const present = state.map.get(key) ?? null;
  if (expected !== undefined && expected !== present) return adds === true && present === value;
  if (present === value) return true;
  if (value === null) return state.map.delete(key);
  const after = new Map(state.map).set(key, value);
  if (sizeOf(after) > state.quota && sizeOf(after) > sizeOf(state.map)) return false;
  state.map.set(key, value);
  return true;
}
