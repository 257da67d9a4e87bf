import { MapMachine } from '../../src/disk/map/map-machine.ts';
import { MapModel } from '../../src/disk/map/map-model.ts';
import { RecordWriter, SET } from '../../src/disk/map/map-records.ts';
import type { ReplicaJournal } from '../../src/disk/replica/replica-journal.ts';
import { Replica } from '../../src/disk/replica/replica.ts';
import type { Hub } from '../../src/sync/hub.ts';
import { Replicator } from '../../src/sync/replicator/replicator.ts';
import { systemSurroundings } from '../../src/sync/replicator/surroundings.ts';
import type { Surroundings } from '../../src/sync/replicator/surroundings.ts';
import { MEMORY_CAPABILITIES } from '../support/memory-hub.ts';
import { Reader, SimDisk } from './simulation/sim-disk.ts';

const URL = 'https://a.example/';

/** A region of one process, with a journal in memory, and the product's replicator and timers. */
export class Region {
  readonly name: string;
  readonly quarantined: Uint8Array[] = [];
  replicator: Replicator;
  readonly #hub: Hub;
  readonly #surroundings: Surroundings;
  readonly #machine = new MapMachine(URL);
  readonly #disk = new SimDisk();
  readonly #reader = new Reader(this.#disk, this.#machine);
  readonly #watchers = new Set<() => void>();
  readonly #session = 1 + Math.floor(Math.random() * 2 ** 40);
  #sequence = 0;

  constructor(name: string, hub: Hub, surroundings = systemSurroundings) {
    this.#surroundings = surroundings;
    this.name = name;
    this.#reader.catchUp();
    this.#hub = hub;
    this.replicator = this.#replicate();
  }

  /** As another process does after this one has ended. */
  async restart(): Promise<void> {
    await this.replicator.stop();
    this.replicator = this.#replicate();
    this.replicator.start();
  }

  #replicate(): Replicator {
    const { name } = this;
    const hub = this.#hub;
    return new Replicator({
      journal: this.journal,
      log: hub.log('a'),
      name: 'a',
      path: `/${name}`,
      capabilities: MEMORY_CAPABILITIES,
      hubName: hub.name,
      region: name,
      cap: 2 ** 26,
      model: () => new MapModel(),
      surroundings: this.#surroundings,
      quarantine: (bytes) => void this.quarantined.push(bytes),
    });
  }

  get journal(): ReplicaJournal {
    return {
      current: () => this.replica,
      append: (kind, payload) => void this.append(kind, payload),
      watch: (onNews) => {
        this.#watchers.add(onNews);
        return () => this.#watchers.delete(onNews);
      },
    };
  }

  get replica(): Replica {
    return this.#machine.replica ?? new Replica(new MapModel());
  }

  /** Records of its journal. */
  get records(): number {
    return this.#disk.end;
  }

  append(kind: number, payload: Uint8Array): void {
    this.#disk.append({ kind, session: this.#session, sequence: ++this.#sequence, payload: new Uint8Array(payload) });
    this.#reader.catchUp();
    for (const watcher of this.#watchers) queueMicrotask(watcher);
  }

  set(key: string, value: string): void {
    this.append(SET, new RecordWriter().set(URL, URL, key, value));
  }

  get(key: string): string | undefined {
    return this.#machine.state.get(key);
  }
}
