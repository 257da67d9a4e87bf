import { MapMachine } from '../../../src/disk/map/map-machine.ts';
import { BARRIER, CLEAR, COMPARE, LIMIT, RecordWriter, REMOVE, SET } from '../../../src/disk/map/map-records.ts';
import { MapModel } from '../../../src/disk/map/map-model.ts';
import type { ReplicaJournal } from '../../../src/disk/replica/replica-journal.ts';
import { Replica } from '../../../src/disk/replica/replica.ts';
import type { HubLog } from '../../../src/sync/hub.ts';
import { Replicator } from '../../../src/sync/replicator/replicator.ts';
import type { Surroundings } from '../../../src/sync/replicator/surroundings.ts';
import { Reader } from './sim-disk.ts';
import type { Mutant } from './mutants.ts';
import { SimLog, SMALL } from './sim-hub.ts';
import type { SimRegion } from './sim-region.ts';
import type { Mortal } from './world.ts';

const URL = 'https://a.example/';
const KEYS = ['a', 'b', 'c', 'd', 'e', 'f'];
/** Bytes of operations that may be pending: little enough to be met. */
const CAP = 3000;

/** What went to the disk as an accepted local write. */
export interface Write {
  readonly key: string;
  /** The process. */
  readonly writer: string;
}

/** The identity of an operation as the judge sees it: with its content, since a copied machine uses an id twice. */
export function keyOf({ session, sequence, kind, payload }: { session: number; sequence: number; kind: number; payload: Uint8Array }): string {
  return `${session}.${sequence}.${kind}.${Buffer.from(payload).toString('latin1')}`;
}

/** A process of a region: its machine over the region's disk, and a replicator while it leads. */
export class SimProcess implements Mortal {
  readonly name: string;
  readonly region: SimRegion;
  alive = true;
  session: number;
  sequence = 0;
  readonly machine = new MapMachine(URL);
  readonly reader: Reader;
  /** What events have made of the map that was there when the process began to listen. */
  readonly seen = new Map<string, string>();
  leads = false;
  /** Up to where its events were compared with what it shows. */
  checked = -1;
  #written = 0;
  #stirred = false;
  readonly #skew: number;
  readonly #mutant: Mutant;
  readonly #journalWriter: { session: number; sequence: number };
  readonly #watchers = new Set<() => void>();
  readonly #records = new RecordWriter();

  constructor(region: SimRegion, name: string, mutant: Mutant, like?: SimProcess) {
    const { chance } = region.world;
    this.region = region;
    this.name = name;
    this.#mutant = mutant;
    this.session = like?.session ?? 1 + chance.below(2 ** 40);
    this.sequence = like?.sequence ?? 0;
    this.#journalWriter = { session: 1 + chance.below(2 ** 40), sequence: 0 };
    this.#skew = chance.below(100_000_000) - 50_000_000;
    this.reader = new Reader(region.disk, this.machine);
    this.reader.catchUp();
    for (const [key, value] of this.machine.state.entries()) this.seen.set(key, value);
    this.machine.listener = ({ key, newValue }) => {
      if (key === null) this.seen.clear();
      else if (newValue === null) this.seen.delete(key);
      else this.seen.set(key, newValue);
    };
  }

  get replica(): Replica | null {
    this.reader.catchUp();
    return this.machine.replica;
  }

  lead(): void {
    this.leads = true;
    const journal = this.#journal();
    const cutOff = (): boolean => this.region.isCutOff;
    const log = this.#mutant.log(new SimLog(this.region.hub, this, cutOff), journal);
    const start = (over: ReplicaJournal, through: HubLog): void =>
      new Replicator({
        journal: over,
        log: through,
        name: 'a log',
        path: '/simulated',
        capabilities: { ...SMALL, notifies: this.region.notifies },
        hubName: 'simulated',
        region: this.region.name,
        cap: CAP,
        model: () => new MapModel(),
        quarantine: () => void this.region.quarantines++,
        surroundings: this.#surroundings(),
        snapshots: this.#mutant.snapshots,
        collection: { every: 0, unusedFor: 0 },
      }).start();
    start(journal, log);
    const second = this.#mutant.secondSender?.(journal);
    if (second !== undefined) start(second, log);
  }

  #surroundings(): Surroundings {
    const { world } = this.region;
    return {
      now: () => world.time + this.#skew,
      after: (milliseconds, callback) => world.after(this, milliseconds, callback),
      turn: () => Promise.resolve(),
      random: () => world.chance.next(),
      randomBytes: (length) => world.chance.bytes(length),
    };
  }

  #journal(): ReplicaJournal {
    const none = new Replica(new MapModel());
    return {
      current: () => this.replica ?? none,
      append: (kind, payload) => {
        const { session } = this.#journalWriter;
        this.region.append({ kind, session, sequence: ++this.#journalWriter.sequence, payload: new Uint8Array(payload) });
        this.reader.catchUp();
      },
      watch: (onNews) => {
        this.#watchers.add(onNews);
        return () => this.#watchers.delete(onNews);
      },
    };
  }

  /** Something was appended to the region's journal. */
  stir(): void {
    if (this.#stirred) return;
    this.#stirred = true;
    const arrive = (): void => {
      this.#stirred = false;
      for (const watcher of this.#watchers) watcher();
    };
    this.region.world.send({ what: `stir ${this.name}`, to: this, arrive });
  }

  /** A local write of any kind; null when it was refused at once, or does nothing. */
  write(): Write | null {
    const { chance } = this.region.world;
    this.reader.catchUp();
    const what = chance.next();
    if (what < 0.7) return this.#append(SET, this.#records.set(URL, URL, chance.pick(KEYS), this.#value()));
    if (what < 0.8) return this.#append(REMOVE, this.#records.remove(URL, URL, chance.pick(KEYS)));
    if (what < 0.83) return this.#append(CLEAR, this.#records.clear(URL, URL));
    if (what < 0.87) return this.#append(BARRIER, new Uint8Array(0));
    const key = chance.pick(KEYS);
    const expected = chance.is(0.6) ? (this.machine.state.get(key) ?? null) : 'something else';
    return this.#append(COMPARE, this.#records.compare(URL, URL, { key, expected, value: this.#value() }));
  }

  /** What another process, a copy of this one, does as well; null as for `write`. */
  writeAlike(choice: number): Write | null {
    this.reader.catchUp();
    const key = KEYS[choice % KEYS.length] ?? '';
    return this.#append(REMOVE, this.#records.remove(URL, URL, key));
  }

  /** What no copy of this process does. */
  writeOwn(choice: number): Write | null {
    this.reader.catchUp();
    return this.#append(SET, this.#records.set(URL, URL, KEYS[choice % KEYS.length] ?? '', this.#value()));
  }

  limit(quota: number): void {
    this.reader.catchUp();
    this.#append(LIMIT, this.#records.number(quota));
  }

  /** Never the same twice, in no process; now and then too large for an entry, or for the quota. */
  #value(): string {
    const { chance } = this.region.world;
    this.#written += 1;
    const filler = chance.is(0.07) ? '-'.repeat(700) : chance.is(0.1) ? '+'.repeat(120) : '';
    return `${this.name}#${this.#written}${filler}`;
  }

  #append(kind: number, payload: Uint8Array): Write | null {
    const record = { kind, session: this.session, sequence: ++this.sequence, payload: new Uint8Array(payload) };
    if (!this.machine.admit(record.payload).accepted) return null;
    const before = this.machine.replica?.pending.length;
    this.region.append(record);
    const accepted = this.reader.catchUp();
    if (!accepted) return null;
    // What was there before the map followed a hub is taken over as a whole, under other names.
    const isPending = before !== undefined && (this.machine.replica?.pending.length ?? 0) > before;
    return isPending ? { key: keyOf(record), writer: this.name } : null;
  }
}
