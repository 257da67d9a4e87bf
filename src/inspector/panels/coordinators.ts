import { listCoordinators } from '../../host/coordinator/list-coordinators.ts';
import type { CoordinatorListing } from '../../host/coordinator/types.ts';
import { uptime } from '../../runtime/timers.ts';
import type { Call } from '../call.ts';
import { originOf, type Context } from '../context.ts';
import type { CoordinatorRow, Page } from '../messages.ts';

/** How long a list is good: what coordinators do is asked of who runs them, not read from the disk. */
const GOOD_MS = 700;

/** Those that are listed. */
const MOST = 20_000;

interface Listed {
  readonly at: number;
  readonly rows: Promise<readonly CoordinatorRow[]>;
}

/** Coordinators of an origin, who has each, and what it is doing. */
export function coordinatorsCall(): Call {
  const known = new Map<string, Listed>();
  return {
    run: async (context, args): Promise<Page<CoordinatorRow>> => {
      const { offset, limit } = args.window();
      const search = args.textOr('search', '', 4096).toLowerCase();
      const origin = originOf(context, args);
      for (const [each, { at }] of known) if (uptime() - at > GOOD_MS) known.delete(each);
      const listed = known.get(origin) ?? { at: uptime(), rows: list(context, origin) };
      known.set(origin, listed);
      const all = await listed.rows;
      const found = search === '' ? all : all.filter(({ className, name }) => `${className} ${name}`.toLowerCase().includes(search));
      return { total: found.length, offset, rows: found.slice(offset, offset + limit) };
    },
  };
}

async function list({ root }: Context, origin: string): Promise<CoordinatorRow[]> {
  const rows: CoordinatorRow[] = [];
  for await (const listing of listCoordinators(root, origin)) {
    if (rows.push(rowOf(listing)) === MOST) break;
  }
  return rows.sort((a, b) => (a.className === b.className ? (a.name < b.name ? -1 : 1) : a.className < b.className ? -1 : 1));
}

function rowOf({ className, name, epoch, owner, alarm, bytes, items, live }: CoordinatorListing): CoordinatorRow {
  return {
    className,
    name: name ?? '',
    epoch,
    owner: owner === null ? null : { process: owner.process, answers: owner.answers },
    alarm: alarm?.time ?? null,
    attempt: alarm?.attempt ?? 0,
    items,
    bytes,
    live: live === null ? null : { usedAt: live.usedAt, waiting: live.waiting, running: live.running },
  };
}
