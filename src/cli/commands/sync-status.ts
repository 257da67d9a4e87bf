import fs from 'node:fs';
import { LockTable } from '../../disk/locks/table.ts';
import { MapJournal } from '../../disk/map/map-journal.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { BucketDirectory } from '../../disk/root/bucket-directory.ts';
import { keysOf, originsOf } from '../../disk/root/origins.ts';
import { Root } from '../../disk/root/root.ts';
import { FilesJournal } from '../../sync/files/files-journal.ts';
import { LOCK_NAME } from '../../sync/membership/election.ts';
import { type Command, parse } from '../command.ts';
import { printJsonLine } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { jsonOption, openRootWithKey, originOf, rootOptions, unlockAll } from '../root.ts';
import { moment, table } from '../table.ts';

const options = { ...keyOptions, ...jsonOption, ...rootOptions } as const;

export const syncStatus: Command = {
  name: 'sync status',
  summary: 'show how the origins of a root stand to their hub',
  usage: '[ORIGIN...] [--json]',
  options,
  run: show,
};

/** One line of the table: an origin's localStorage, or its files. */
export interface Row {
  readonly origin: string;
  readonly area: string;
  readonly replica: Replica;
  readonly isSpoken: boolean;
}

const HEADINGS = ['origin', 'area', 'region', 'state', 'position', 'pending', 'rejected', 'last at the head', 'hub'];

/** Reads only; what it shows is what the root's processes know. */
async function show(args: readonly string[]): Promise<number> {
  const { values, positionals } = parse(options, args);
  const root = await openRootWithKey(values);
  const origins = positionals.length > 0 ? positionals.map(originOf) : Array.from(originsOf(root), ({ origin }) => origin).sort();
  await unlockAll(values, root, origins, 'thrown');
  const rows = origins.flatMap((origin) => rowsOf(root, origin));
  if (values.json) {
    for (const row of rows) printJsonLine(documentOf(row));
    return 0;
  }
  if (rows.length === 0) {
    console.log(`No origin of ${root.path} follows a hub.`);
    return 0;
  }
  for (const line of table([HEADINGS, ...rows.map(cells)])) console.log(line);
  for (const { origin, area, replica } of rows) {
    if (replica.link.problem !== '') console.log(`\n${origin}, ${area}: ${replica.link.problem}`);
  }
  return 0;
}

/** Those of an origin that follow a hub. */
export function rowsOf(root: Root, origin: string): Row[] {
  const keys = keysOf(root, origin);
  const place = new BucketDirectory(keys === undefined && root.vaults !== undefined ? new Root(root.path, root.durability, root.shared) : root, origin, 'default');
  if (!fs.existsSync(place.path)) return [];
  const map = new MapJournal(place, { url: `${origin}/` });
  const files = new FilesJournal(place, { session: 1 });
  const locks = new LockTable(place, {});
  try {
    const isSpoken = locks.query().held.some(({ name }) => name === LOCK_NAME);
    const replicas = { localStorage: map.replicaJournal().current(), files: files.current() };
    return Object.entries(replicas)
      .filter(([, replica]) => replica.active)
      .map(([area, replica]) => ({ origin, area, replica, isSpoken }));
  } finally {
    map.close();
    files.close();
    void locks.close();
  }
}

function cells({ origin, area, replica, isSpoken }: Row): string[] {
  const { region, position, pending, rejections, link } = replica;
  return [
    origin,
    area,
    region,
    stateOf(replica, isSpoken),
    String(position),
    String(pending.length),
    String(rejections.items.length),
    link.time === 0 ? 'never' : moment(link.time),
    link.hub,
  ];
}

function stateOf({ link }: Replica, isSpoken: boolean): string {
  if (!isSpoken) return 'nobody runs';
  return link.connected ? 'connected' : 'away';
}

function documentOf({ origin, area, replica, isSpoken }: Row): object {
  const { region, position, pending, rejections, link } = replica;
  return { origin, area, region, state: stateOf(replica, isSpoken), position, pending: pending.length, rejected: rejections.items.length, lastAtHead: link.time, hub: link.hub, problem: link.problem };
}
