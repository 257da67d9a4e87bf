import type { Activity } from '../../coordinator/activity.ts';
import { idOf } from '../../coordinator/coordination.ts';
import { askActivities } from '../../coordinator/sockets/ask-activities.ts';
import type { Listener } from '../../coordinator/sockets/ask-activities.ts';
import type { CoordinatorKey } from '../../coordinator/store.ts';
import { socketsOf } from '../../disk/coordinator/alarm-index.ts';
import type { Root } from '../../disk/root/root.ts';
import type { CoordinatorListing } from './types.ts';

/** How long whoever runs coordinators has to say what they do, in milliseconds. */
const PATIENCE_MS = 1000;

/** Who runs coordinators beside a root, and what these do, as they say themselves. */
export class Running {
  readonly #listeners: ReadonlyMap<string, Listener>;
  readonly #live = new Map<string, Activity>();

  private constructor(listeners: readonly Listener[]) {
    this.#listeners = new Map(listeners.map((listener) => [listener.address, listener]));
    for (const { activities } of listeners) for (const activity of activities ?? []) this.#remember(activity);
  }

  /** Asks all processes of a root at once. Never rejects. */
  static async of(root: Root): Promise<Running> {
    return new Running(await askActivities(socketsOf(root), PATIENCE_MS));
  }

  /** Of two, the later one. */
  #remember(activity: Activity): void {
    const id = idOf(activity);
    if (activity.epoch > (this.#live.get(id)?.epoch ?? 0)) this.#live.set(id, activity);
  }

  /** Whoever listens at an address, or has; null: nobody has said so. */
  at(address: string): { readonly process: number | null; readonly answers: boolean } | null {
    const listener = this.#listeners.get(address);
    return listener === undefined ? null : { process: listener.process, answers: listener.activities !== null };
  }

  /** What a coordinator does; null: nothing. One of an earlier epoch has been deposed, and does not know it yet. */
  liveOf(key: CoordinatorKey, epoch: number): CoordinatorListing['live'] {
    const activity = this.#live.get(idOf(key));
    if (activity === undefined || activity.epoch < epoch) return null;
    const { usedAt, waiting, running, failures } = activity;
    return { usedAt, waiting, running, failures };
  }
}
