import { listCoordinators } from '../../host/coordinator/list-coordinators.ts';
import type { CoordinatorListing } from '../../host/coordinator/types.ts';
import { type Command, parse, requireArguments } from '../command.ts';
import { printJsonLine, printLines } from '../output.ts';
import { jsonOption, keyOption, openRootWithKey, originOption, readableOrigin, rootOptions } from '../root.ts';
import { ago, bytes, type Cell, moment, table } from '../table.ts';

const options = { ...originOption, ...jsonOption, ...keyOption, root: rootOptions.root } as const;

const HEADINGS = ['origin', 'class', 'name', 'owner', 'running', 'waiting', 'used', 'alarm', 'failed', 'items', 'localStorage'];

export const coordinators: Command = {
  name: 'coordinators',
  summary: 'list coordinators: who runs them, what waits for them, when they are woken',
  usage: '[--origin ORIGIN] [--json]',
  options,
  notes: ['Owner: the process that has it in memory; in brackets: one that has ended, or does not answer. Failed: how often its alarm has in a row.'],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    const rows: Cell[][] = [];
    const root = openRootWithKey(values);
    for await (const each of listCoordinators(root, values.origin === undefined ? undefined : readableOrigin(values, root))) {
      if (values.json) printJsonLine(each);
      else rows.push(rowOf(each));
    }
    if (!values.json) printLines(rows.length === 0 ? [`${root.path} has no coordinators.`] : table([HEADINGS, ...rows.sort(byName)]));
    return 0;
  },
};

function rowOf({ origin, className, name, owner, live, alarm, items, bytes: size }: CoordinatorListing): Cell[] {
  const activity = live === null ? ['-', '-', '-'] : [live.running, live.waiting, ago(live.usedAt)];
  return [origin, className, name ?? '?', ownerOf(owner), ...activity, alarm === null ? '-' : moment(alarm.time), live?.failures ?? alarm?.attempt ?? '-', items, bytes(size)];
}

function ownerOf(owner: CoordinatorListing['owner']): Cell {
  if (owner === null) return '-';
  return owner.answers ? (owner.process ?? '?') : `(${owner.process ?? '?'})`;
}

function byName(a: readonly Cell[], b: readonly Cell[]): number {
  const [one, other] = [a, b].map((row) => row.slice(0, 3).join('\n'));
  return (one ?? '') < (other ?? '') ? -1 : 1;
}
