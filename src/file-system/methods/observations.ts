import { boolean, dictionary } from '../../webidl/conversions.ts';
import type { Observation } from '../algorithms/observe.ts';
import { deliver } from '../delivery.ts';
import { isSameEntry } from '../entry.ts';
import type { Entry } from '../entry.ts';
import type { FileSystemChangeRecord } from '../change-record.ts';
import type { FileSystemObserverObserveOptions } from '../observer.ts';

type Receive = (records: FileSystemChangeRecord[]) => void;

const convertObserveOptions = dictionary<Required<FileSystemObserverObserveOptions>>({
  recursive: { convert: boolean, default: false },
});

/** What one FileSystemObserver observes: at most one observation of a place. */
export class Observations {
  readonly #receive: Receive;
  readonly #all = new Set<Observation>();
  /** Counts disconnects, so that an observe() still under way at one takes no effect. */
  #connection = 0;

  constructor(receive: Receive) {
    this.#receive = receive;
  }

  async observe(entry: Entry, options: unknown, context: string): Promise<void> {
    const { recursive } = convertObserveOptions(options, `${context}: parameter 2`);
    const connection = this.#connection;
    const observation = await entry.system.perform(({ observe }) => observe(entry, recursive, this.#enqueue, context));
    if (connection === this.#connection) this.#replace(observation);
    else observation.stop();
  }

  unobserve(entry: Entry): void {
    for (const observation of this.#all) {
      if (isSameEntry(observation.root, entry)) this.#stop(observation);
    }
  }

  disconnect(): void {
    this.#connection += 1;
    for (const observation of this.#all) this.#stop(observation);
  }

  readonly #enqueue = (observation: Observation, record: FileSystemChangeRecord): void => {
    deliver({ record, receive: this.#receive, isCancelled: () => observation.isStopped });
  };

  /** Keeps an observation, in place of an older one of the same place. */
  #replace(observation: Observation): void {
    this.unobserve(observation.root);
    this.#all.add(observation);
  }

  #stop(observation: Observation): void {
    observation.stop();
    this.#all.delete(observation);
  }
}
