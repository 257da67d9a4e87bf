import { listCoordinators } from '../../host/coordinator/list-coordinators.ts';
import type { CoordinatorListing } from '../../host/coordinator/types.ts';
import type { Hub } from '../../sync/hub.ts';
import { type Command, parse, requireArguments, UsageError, type Values } from '../command.ts';
import { hubIn, hubOptions } from '../hub-option.ts';
import { printJsonLine, printLines } from '../output.ts';
import { encryptionOf, keyOptions } from '../keys-option.ts';
import { jsonOption, openRootIfNamed, openRootWithKey, originIn, originOption, readableOrigin, rootOptions } from '../root.ts';
import { ago, bytes, type Cell, moment, table } from '../table.ts';

const options = { ...originOption, ...hubOptions, ...jsonOption, ...keyOptions, root: rootOptions.root } as const;

const HEADINGS = ['origin', 'class', 'name', 'region', 'owner', 'running', 'waiting', 'used', 'alarm', 'failed', 'items', 'localStorage'];

/** Where the region stands in a row: it is left out where there are none. */
const REGION = HEADINGS.indexOf('region');

export const coordinators: Command = {
  name: 'coordinators',
  summary: 'list coordinators: who runs them, what waits for them, when they are woken',
  usage: '[--origin ORIGIN] [--json] | --origin ORIGIN --hub URL [--json]',
  options,
  notes: [
    'Owner: the process that has it in memory; in brackets: one that has ended, or does not answer. Failed: how often its alarm has in a row.',
    'With --hub those of the origin that the hub keeps, not those of a root: the region that has each. What one does is known where it runs',
    'beside the root that --root or the environment names; of other regions it is not.',
  ],
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, []);
    if (values.hub !== undefined && values.origin === undefined) throw new UsageError("'--hub' needs '--origin': a hub is asked for those of one origin");
    await encryptionOf(values);
    const hub = await hubIn(values);
    await (hub === null ? printOfRoot(values) : printOfHub(values, hub).finally(() => hub.close()));
    return 0;
  },
};

type Given = Values<typeof options>;

async function printOfRoot(values: Given): Promise<void> {
  const root = await openRootWithKey(values);
  const found = listCoordinators(root, values.origin === undefined ? undefined : await readableOrigin(values, root));
  const without = (row: readonly Cell[]): Cell[] => row.toSpliced(REGION, 1);
  await print(values, found, `${root.path} has no coordinators.`, without);
}

async function printOfHub(values: Given, hub: Hub): Promise<void> {
  const origin = originIn(values);
  const { KeptInHub, listKept } = await import('../../host/coordinator/listing.ts');
  const root = await openRootWithKey(values, openRootIfNamed);
  const found = listKept(new KeptInHub(hub, root), origin, root);
  await print(values, found, `The hub ${hub.name} keeps no coordinators of ${origin}.`, (row) => row);
}

async function print({ json }: Given, found: AsyncIterable<CoordinatorListing>, none: string, columns: (row: readonly Cell[]) => readonly Cell[]): Promise<void> {
  const rows: Cell[][] = [];
  for await (const each of found) {
    if (json) printJsonLine(each);
    else rows.push(rowOf(each));
  }
  if (!json) printLines(rows.length === 0 ? [none] : table([HEADINGS, ...rows.sort(byName)].map(columns)));
}

function rowOf({ origin, className, name, owner, live, alarm, items, bytes: size }: CoordinatorListing): Cell[] {
  const activity = live === null ? ['-', '-', '-'] : [live.running, live.waiting, ago(live.usedAt)];
  return [origin, className, name ?? '?', owner?.region ?? '-', ownerOf(owner), ...activity, alarm === null ? '-' : moment(alarm.time), live?.failures ?? alarm?.attempt ?? '-', items, bytes(size)];
}

function ownerOf(owner: CoordinatorListing['owner']): Cell {
  if (owner === null) return '-';
  return owner.answers === false ? `(${owner.process ?? '?'})` : (owner.process ?? '?');
}

function byName(a: readonly Cell[], b: readonly Cell[]): number {
  const [one, other] = [a, b].map((row) => row.slice(0, 3).join('\n'));
  return (one ?? '') < (other ?? '') ? -1 : 1;
}
