import type { Call } from '../call.ts';
import type { Known } from '../census.ts';
import { originOf } from '../context.ts';
import { badRequest } from '../failure.ts';
import type { About, OriginRow, Origins } from '../messages.ts';

export const about: Call = {
  run({ host, readOnly }): About {
    return { root: host.root, readOnly, stats: host.stats() };
  },
};

const SORTS = ['usage', 'origin', 'changed'] as const;
type Sort = (typeof SORTS)[number];

const orders: Record<Sort, (a: Known, b: Known) => number> = {
  usage: (a, b) => usageOf(b) - usageOf(a) || byName(a, b),
  origin: byName,
  changed: (a, b) => (b.summary?.lastChange ?? 0) - (a.summary?.lastChange ?? 0) || byName(a, b),
};

function byName(a: Known, b: Known): number {
  return a.origin < b.origin ? -1 : 1;
}

function usageOf({ summary }: Known): number {
  return summary?.usage ?? -1;
}

export const origins: Call = {
  async run({ census }, args): Promise<Origins> {
    const { offset, limit } = args.window();
    const search = args.textOr('search', '', 4096).toLowerCase();
    const sort = args.oneOf('sort', SORTS, 'usage');
    const all = await census.all();
    const found = search === '' ? [...all] : all.filter(({ origin }) => origin.toLowerCase().includes(search));
    found.sort(orders[sort]);
    return {
      total: found.length,
      offset,
      rows: found.slice(offset, offset + limit).map(rowOf),
      origins: all.length,
      surveyed: census.surveyed,
      usage: all.reduce((sum, { summary }) => sum + (summary?.usage ?? 0), 0),
      largest: all.reduce((largest, { summary }) => Math.max(largest, summary?.usage ?? 0), 0),
    };
  },
};

function rowOf({ origin, summary, problem }: Known): OriginRow {
  return {
    origin,
    usage: summary?.usage ?? null,
    usageDetails: summary?.usageDetails ?? null,
    items: summary?.buckets.reduce((sum, { items }) => sum + items, 0) ?? 0,
    buckets: summary?.buckets.length ?? 0,
    lastChange: summary?.lastChange ?? 0,
    problem,
  };
}

export const deleteOrigin: Call = {
  changes: true,
  async run(context, args) {
    const origin = originOf(context, args);
    // Named twice it is meant.
    if (args.text('again', 4096) !== origin) throw badRequest('Type the name of the origin to delete it.');
    await context.host.deleteOrigin(origin);
    context.census.forget(origin);
    return { deleted: true };
  },
};
