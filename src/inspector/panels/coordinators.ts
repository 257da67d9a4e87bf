import { listCoordinators } from '../../host/coordinator/list-coordinators.ts';
import type { CoordinatorListing } from '../../host/coordinator/types.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { uptime } from '../../runtime/timers.ts';
import type { Call } from '../call.ts';
import { originOf, type Context } from '../context.ts';
import { keptCoordinators } from '../kept.ts';
import type { CoordinatorRow, Coordinators } from '../messages.ts';

/**
 * How long a list is good, in milliseconds: what coordinators do is asked of who runs them, not read from the disk. One
 * that took long to make, as of thousands that a hub keeps, is good for longer, so that asking takes a tenth of the time.
 */
const GOOD_MS = 700;
const PART = 0.1;

/** Those that are listed. */
const MOST = 20_000;

interface Rows {
  readonly rows: readonly CoordinatorRow[];
  /** Why those of the hub are missing. */
  readonly problem: string;
}

class Listed {
  readonly found: Promise<Rows>;
  #until = Infinity;

  constructor(found: Promise<Rows>) {
    const begun = uptime();
    const note = (): void => void (this.#until = uptime() + Math.max(GOOD_MS, (uptime() - begun) / PART));
    this.found = found;
    found.then(note, note);
  }

  get isGood(): boolean {
    return uptime() <= this.#until;
  }
}

/** Coordinators of an origin, who has each, and what it is doing. */
export function coordinatorsCall(): Call {
  const known = new Map<string, Listed>();
  return {
    run: async (context, args): Promise<Coordinators> => {
      const { offset, limit } = args.window();
      const search = args.textOr('search', '', 4096).toLowerCase();
      const origin = originOf(context, args);
      for (const [each, { isGood }] of known) if (!isGood) known.delete(each);
      const listed = known.get(origin) ?? new Listed(list(context, origin));
      known.set(origin, listed);
      const { rows: all, problem } = await listed.found;
      const found = search === '' ? all : all.filter(({ className, name }) => `${className} ${name}`.toLowerCase().includes(search));
      return { total: found.length, offset, rows: found.slice(offset, offset + limit), problem };
    },
  };
}

/** Those of the root, and those that a hub keeps: where that does not answer the others are shown all the same. */
async function list(context: Context, origin: string): Promise<Rows> {
  const rows: CoordinatorRow[] = [];
  await take(listCoordinators(context.root, origin), rows);
  const problem = await take(keptCoordinators(context, origin), rows).then(() => '', errorMessage);
  rows.sort((a, b) => (a.className === b.className ? (a.name < b.name ? -1 : 1) : a.className < b.className ? -1 : 1));
  return { rows, problem };
}

async function take(found: AsyncIterable<CoordinatorListing>, rows: CoordinatorRow[]): Promise<void> {
  for await (const listing of found) if (rows.push(rowOf(listing)) >= MOST) return;
}

function rowOf({ className, name, epoch, owner, alarm, bytes, items, live }: CoordinatorListing): CoordinatorRow {
  return {
    className,
    name: name ?? '',
    epoch,
    owner: owner === null ? null : { region: owner.region, process: owner.process, answers: owner.answers },
    alarm: alarm?.time ?? null,
    attempt: alarm?.attempt ?? 0,
    items,
    bytes,
    live: live === null ? null : { usedAt: live.usedAt, waiting: live.waiting, running: live.running },
  };
}
