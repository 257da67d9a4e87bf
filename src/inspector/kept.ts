import { KeptInHub, listKept } from '../host/coordinator/listing.ts';
import type { CoordinatorListing } from '../host/coordinator/types.ts';
import { ownerOf } from '../host/storage-host.ts';
import { setTimeout, uptime } from '../runtime/timers.ts';
import type { Context } from './context.ts';

/** How long a hub has to say whether it keeps any, and how long what it said is good, in milliseconds. */
const PATIENCE_MS = 1000;
const GOOD_MS = 5000;

/** The hub of the inspector, or else of the host, as one that keeps coordinators; null: there is none. */
function keptOf({ hub, host, root }: Context): KeptInHub | null {
  const known = hub ?? ownerOf(host).sync?.hub ?? null;
  return known === null ? null : new KeptInHub(known, root);
}

/** Coordinators of an origin that a hub keeps, as {@link listKept} tells of them. */
export async function* keptCoordinators(context: Context, origin: string): AsyncGenerator<CoordinatorListing, void> {
  const kept = keptOf(context);
  if (kept !== null) yield* listKept(kept, origin, context.root);
}

/** Whether a hub keeps coordinators of an origin. It is asked now and then, however often the page wants to know. */
export class HasKept {
  readonly #known = new Map<string, { readonly at: number; readonly answer: Promise<boolean> }>();

  /** True also where it does not say, or not in time: whoever looks at them is told why. */
  of(context: Context, origin: string): Promise<boolean> {
    for (const [each, { at }] of this.#known) if (uptime() - at > GOOD_MS) this.#known.delete(each);
    const known = this.#known.get(origin) ?? { at: uptime(), answer: hasKept(context, origin) };
    this.#known.set(origin, known);
    return known.answer;
  }
}

async function hasKept(context: Context, origin: string): Promise<boolean> {
  const kept = keptOf(context);
  if (kept === null) return false;
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(true), PATIENCE_MS).unref());
  const isUnused = kept.register(origin).isUnused();
  return await Promise.race([isUnused.then((is) => !is, () => true), late]);
}
