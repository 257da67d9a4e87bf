import type { decodeEntry} from '../../../src/disk/replica/replica-records.ts';
import { ENTRY } from '../../../src/disk/replica/replica-kinds.ts';
import { encodeEntry } from '../../../src/disk/replica/replica-records.ts';
import { ClientTable } from '../../../src/disk/replica/client-table.ts';
import { chains, NO_CHAIN } from '../../../src/disk/replica/chain.ts';
import { encodeBatch } from '../../../src/disk/replica/encode-batch.ts';
import type { PendingQueue } from '../../../src/disk/replica/pending-queue.ts';
import { Fates } from '../../../src/disk/replica/fates.ts';
import { RecentPlaces } from '../../../src/disk/replica/recent-places.ts';
import { Rejections } from '../../../src/disk/replica/rejections.ts';
import type { ReplicaJournal } from '../../../src/disk/replica/replica-journal.ts';
import { Replica } from '../../../src/disk/replica/replica.ts';
import type { HubEntry, HubLog, NewEntry } from '../../../src/sync/hub.ts';
import { Collector } from '../../../src/sync/replicator/collector.ts';
import { sha256 } from '../../../src/sync/replicator/digest.ts';
import { decodeWire } from '../../../src/sync/replicator/wire.ts';
import { HEALTHY } from './mutants.ts';
import type { Mutant } from './mutants.ts';
import { SimHub } from './sim-hub.ts';

/** Puts another method in the place of one of the product; returns what undoes it. */
function replace<T extends object, K extends keyof T>(target: T, name: K, by: (original: T[K]) => T[K]): () => void {
  const original = target[name];
  target[name] = by(original);
  return () => void (target[name] = original);
}

function broken(breaks: () => () => void): Mutant {
  return { ...HEALTHY, breaks };
}

/** A log of which some methods are others; the rest is as it was. */
function through(log: HubLog, others: Partial<HubLog>): HubLog {
  return {
    head: () => log.head(),
    append: (entries, blobs) => log.append(entries, blobs),
    read: (after, limit) => log.read(after, limit),
    subscribe: (onNews) => log.subscribe(onNews),
    snapshot: () => log.snapshot(),
    putSnapshot: (snapshot) => log.putSnapshot(snapshot),
    trim: (upTo) => log.trim(upTo),
    putBlob: (name, bytes) => log.putBlob(name, bytes),
    getBlob: (name) => log.getBlob(name),
    hasBlobs: (names) => log.hasBlobs(names),
    collectBlobs: (collection) => log.collectBlobs(collection),
    ...others,
  };
}

const noPredecessor = (): (() => void) =>
  replace(ClientTable.prototype, 'isNext', () => function (this: ClientTable, { incarnation, number }) {
    return number === this.last(incarnation).number + 1;
  });

/** Gives for the entry at one's own place what one believes to be there: the comparison always finds them equal. */
function forgetful(log: HubLog): HubLog {
  const seen = new Map<number, HubEntry>();
  return through(log, {
    async read(after, limit) {
      const [first, ...rest] = await log.read(after, limit);
      if (first === undefined) return [];
      const known = seen.get(first.position) ?? first;
      for (const entry of [known, ...rest]) seen.set(entry.position, entry);
      return [known, ...rest];
    },
  });
}

/** Applies what it has sent where it believes it to be, as soon as the hub has taken it. */
function hasty(log: HubLog, journal: ReplicaJournal): HubLog {
  return through(forgetful(log), {
    async append(entries, blobs) {
      const position = await log.append(entries, blobs);
      for (const { bytes } of entries) applyAtOnce(bytes, journal);
      return position;
    },
  });
}

function applyAtOnce(bytes: Uint8Array, journal: ReplicaJournal): void {
  const { epoch, position } = journal.current();
  const { operations, ...head } = decodeWire(bytes);
  const whole = operations.flatMap((each) => (each.payload === null ? [] : [{ ...each, payload: each.payload }]));
  if (epoch === '' || whole.length < operations.length) return;
  const batch = encodeBatch({ ...head, operations: whole });
  journal.append(ENTRY, encodeEntry({ epoch, position: position + 1, digest: sha256(bytes) }, batch));
}

/** Sends each entry at most once, whatever becomes of it. */
function stubborn(log: HubLog): HubLog {
  const sent = new Set<string>();
  const nameOf = ({ bytes }: NewEntry): string => {
    const { incarnation, first } = decodeWire(bytes);
    return `${incarnation}.${first}`;
  };
  return through(log, {
    async append(entries, blobs) {
      const fresh = entries.filter((entry) => !sent.has(nameOf(entry)));
      for (const entry of fresh) sent.add(nameOf(entry));
      return fresh.length === 0 ? Infinity : log.append(fresh, blobs);
    },
  });
}

/** The journal as it would look if the first incarnation of the pending operations were confirmed already. */
function fromSecondIncarnation(journal: ReplicaJournal): ReplicaJournal {
  return {
    append: () => undefined,
    watch: (onNews) => journal.watch(onNews),
    current() {
      const replica = journal.current();
      const { pending } = replica;
      const first = pending.at(0)?.incarnation;
      const skipped = [...pending].filter(({ incarnation }) => incarnation === first).length;
      const view = {
        at: (index: number) => pending.at(skipped + index),
        chainBefore: (index: number) => pending.chainBefore(skipped + index),
        *[Symbol.iterator]() {
          yield* [...pending].slice(skipped);
        },
      };
      return new Proxy(replica, {
        get(target, name) {
          if (name === 'pending') return view as unknown as PendingQueue;
          if (name === 'diverged') return false;
          return Reflect.get(target, name, target) as unknown;
        },
      });
    },
  };
}

/** Takes the id of the pending operation for that of whatever has its number. */
function withIdsOfPending(record: ReturnType<typeof decodeEntry>, { pending }: Replica): ReturnType<typeof decodeEntry> {
  const { batch } = record;
  const own = new Map([...pending].map(({ incarnation, number, operation }) => [`${incarnation}.${number}`, operation]));
  const operations = batch.operations.map((operation, index) => own.get(`${batch.incarnation}.${batch.first + index}`) ?? operation);
  return { ...record, batch: { ...batch, operations } };
}

/** What must not go unnoticed, by what was broken. */
export const BROKEN: Record<string, Mutant> = {
  'no dedupe': broken(() =>
    replace(ClientTable.prototype, 'isNext', () => function (this: ClientTable, { incarnation, number }) {
      return number <= this.last(incarnation).number + 1;
    }),
  ),

  // The comparison of digests would find the place wrong, and repair it: so it is out of action too.
  'apply on acknowledgement': { ...HEALTHY, log: hasty },

  'no gap rule': broken(() =>
    replace(ClientTable.prototype, 'isNext', () => function (this: ClientTable, { incarnation, number }) {
      return number > this.last(incarnation).number;
    }),
  ),

  'pipelining across incarnations': { ...HEALTHY, secondSender: fromSecondIncarnation },

  'no check of predecessors': broken(noPredecessor),

  'a predecessor known by itself, without what came before it': broken(() =>
    replace(chains, 'after', (original) => (_, operation) => original(NO_CHAIN, operation)),
  ),

  'what was forgotten begins anew': broken(() =>
    replace(ClientTable.prototype, 'isNext', (original) => function (this: ClientTable, candidacy) {
      return original.call(this, { ...candidacy, base: Infinity });
    }),
  ),

  'what was forgotten counts as never seen': broken(() => {
    const horizon = Object.getOwnPropertyDescriptor(ClientTable.prototype, 'horizon') ?? {};
    Object.defineProperty(ClientTable.prototype, 'horizon', { ...horizon, get: () => 0 });
    return () => void Object.defineProperty(ClientTable.prototype, 'horizon', horizon);
  }),

  'what diverged keeps its numbers': broken(() => replace(Replica.prototype, 'incarnate', () => () => undefined)),

  'snapshot without the clients table': broken(() =>
    replace(ClientTable.prototype, 'write', () => (writer) => void writer.integer(0).integer(0)),
  ),

  'no tail on quarantine': broken(() =>
    replace(Replica.prototype, 'rebase', (original) => function (this: Replica, record, session) {
      this.tail.replace([]);
      return original.call(this, record, session);
    }),
  ),

  'digest not compared': { ...HEALTHY, log: forgetful },

  'echo matched by number only': broken(() =>
    replace(Replica.prototype, 'entry', (original) => function (this: Replica, record) {
      return original.call(this, withIdsOfPending(record, this));
    }),
  ),

  'resend never': { ...HEALTHY, log: stubborn },

  // A log that is trimmed up to the snapshot, without a margin, is only slower: see 'no margin' in the tests.
  'trim beyond the snapshot': {
    ...HEALTHY,
    snapshots: { ...HEALTHY.snapshots, margin: -6 },
    breaks: () => replace(SimHub.prototype, 'trimLimit', () => function (this: SimHub) {
      return this.position;
    }),
  },

  'blobs collected that appends have named': broken(() =>
    replace(SimHub.prototype, 'lastNaming', () => () => 0),
  ),

  'blobs collected that kept entries name': broken(() =>
    replace(Collector.prototype, 'collect', (original) => function (this: Collector, known) {
      // As if nothing but the state named any.
      const forgetful = Object.assign(new Set<string>(), { add: () => new Set<string>() });
      return original.call(this, { ...known, named: forgetful });
    }),
  ),

  'rejection not recorded': broken(() =>
    replace(Rejections.prototype, 'add', () => (operation, reason, position) => ({ serial: 0, operation, reason, position, told: false })),
  ),

  'pending lost at compaction': broken(() =>
    replace(Replica.prototype, 'read', (original) => function (this: Replica, reader) {
      original.call(this, reader);
      this.pending.replace([]);
    }),
  ),
};

/** What must not go unnoticed where a hub is restored again and again that has forgotten who wrote. */
export const BROKEN_RESTORES: Record<string, Mutant> = {
  'the tail ends where an incarnation is forgotten': broken(() =>
    replace(Replica.prototype, 'entry', (original) => function (this: Replica, record) {
      const applied = original.call(this, record);
      this.tail.replace(this.tail.items.filter(({ incarnation }) => this.clients.knows(incarnation)));
      return applied;
    }),
  ),

  'what was sent in another history counts': broken(() => replace(RecentPlaces.prototype, 'isOurs', () => () => true)),

  'an earlier life counts as the present one': broken(() =>
    replace(Fates.prototype, 'ofConfirmed', (original) => function (this: Fates, item, index) {
      const { number } = this.own.clients.last(item.incarnation);
      return number >= item.number ? 'taken' : original.call(this, item, index);
    }),
  ),
};

/** What is broken, and covered by something else. */
export const COVERED: Record<string, Mutant> = {
  // Whoever has sent a value still has it when the entry comes back, and puts its blobs again.
  'entries taken whose blobs were collected': broken(() => replace(SimHub.prototype, 'hasAll', () => () => true)),
  // The tail gives back what an older base has not seen, and the log has it still.
  'base replaced although it moved': broken(() =>
    replace(Replica.prototype, 'rebase', (original) => function (this: Replica, record, session) {
      const from = { epoch: this.epoch, position: this.position };
      return original.call(this, { ...record, from }, session);
    }),
  ),
  'no margin': { ...HEALTHY, snapshots: { ...HEALTHY.snapshots, margin: 0 } },
};
