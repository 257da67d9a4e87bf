import { Blob } from 'node:buffer';
import path from 'node:path';
import { decodeOperation } from '../../disk/map/map-operation.ts';
import type { Locator } from '../../disk/locator.ts';
import { MapMachine } from '../../disk/map/map-machine.ts';
import type { MapState } from '../../disk/map/map-state.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import type { Rejection } from '../../disk/replica/rejections.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { keysOf } from '../../disk/root/origins.ts';
import type { Root } from '../../disk/root/root.ts';
import { readNewest } from '../../disk/survey/read-newest.ts';
import type { StorageClient } from '../../host/storage-client.ts';
import { getChunk } from '../../sync/files/blobs.ts';
import type { Conflict } from '../../sync/files/conflicts.ts';
import { FilesMachine } from '../../sync/files/files-machine.ts';
import { chunksOf } from '../../sync/files/manifest.ts';
import type { Hub } from '../../sync/hub.ts';
import type { Call, Content } from '../call.ts';
import { originOf, type Context } from '../context.ts';
import { cut } from '../cut.ts';
import { missing } from '../failure.ts';
import type { ConflictRow, RejectionRow, Sync, SyncArea } from '../messages.ts';
import { attachment, data } from '../replies.ts';

/** Rejections that are shown of each area, the newest. */
const MOST = 1000;
const SHOWN = 400;

interface Journals {
  readonly map: MapMachine | null;
  readonly files: FilesMachine | null;
}

/** What the root's processes know, whichever of them speaks with the hub. */
function journalsOf(root: Root, origin: string): Journals {
  const bucket = path.join(pathOfOrigin(root, origin), 'default');
  const keys = keysOf(root, origin);
  const map = readNewest(path.join(bucket, 'local-storage'), () => new MapMachine(`${origin}/`), keys?.journal('local-storage'));
  const files = readNewest(path.join(bucket, 'files-sync'), () => new FilesMachine(), keys?.journal('files-sync'));
  return { map: map?.replica?.active === true ? map : null, files: files?.replica.active === true ? files : null };
}

/** @throws HoldfastError journal-damaged, unknown-record */
export function areasOf(root: Root, origin: string): SyncArea[] {
  return areasIn(journalsOf(root, origin));
}

function areasIn({ map, files }: Journals): SyncArea[] {
  const replicas = { localStorage: map?.replica ?? null, files: files?.replica ?? null };
  return Object.entries(replicas).flatMap(([area, replica]) => (replica === null ? [] : [areaOf(area as SyncArea['area'], replica)]));
}

function areaOf(area: SyncArea['area'], { region, link, position, pending, rejections }: Replica): SyncArea {
  return {
    area,
    region,
    hub: link.hub,
    connected: link.connected,
    position,
    head: Math.max(link.head, position),
    pending: pending.length,
    pendingBytes: pending.bytes,
    time: link.time,
    rejected: rejections.size,
    problem: link.problem,
  };
}

export const sync: Call = {
  run: (context, args): Sync => {
    const origin = originOf(context, args);
    const journals = journalsOf(context.root, origin);
    return { areas: areasIn(journals), rejections: rejectionsIn(journals, origin), conflicts: conflictsIn(journals, canRead(context, origin)) };
  },
};

function rejectionsIn({ map, files }: Journals, origin: string): RejectionRow[] {
  const ofMap = map?.replica?.rejections.items.slice(-MOST) ?? [];
  const ofFiles = files?.replica.rejections.items.slice(-MOST) ?? [];
  return [...ofMap.map((each) => itemRejection(each, origin, map?.state ?? null)), ...ofFiles.map(({ serial, reason, position }): RejectionRow => ({ area: 'files', serial, reason, position, key: null, refused: null, present: null }))];
}

/** Both versions: what was refused, and what is there. */
function itemRejection({ serial, reason, position, operation }: Rejection, origin: string, state: MapState | null): RejectionRow {
  const asked = decodeOperation(operation, `${origin}/`);
  const { key, value } = asked.asks === 'change' ? asked : { key: null, value: null };
  const present = key === null ? null : (state?.get(key) ?? null);
  return { area: 'localStorage', serial, reason, position, key, refused: value === null ? null : cut(value, SHOWN), present: present === null ? null : cut(present, SHOWN) };
}

function conflictsIn({ files }: Journals, canBeRead: boolean): ConflictRow[] {
  if (files === null) return [];
  return files.model.conflicts.items.map((conflict) => conflictRow(conflict, canBeRead));
}

function conflictRow({ serial, locator, lost, winner }: Conflict, canBeRead: boolean): ConflictRow {
  const { size, lastModified } = lost.manifest;
  return {
    serial,
    path: locator,
    lost: { region: lost.region, size, modified: lastModified },
    winner: winner === null ? null : { region: winner, size: null, modified: null },
    canRead: canBeRead,
  };
}

/** Only who has the hub can ask it for what has lost its place. */
function canRead({ host, hub }: Context, origin: string): boolean {
  if (hub !== null) return true;
  const client: StorageClient = host.client(origin);
  try {
    return client.sync !== null;
  } finally {
    client.close();
  }
}

export const acknowledge: Call = {
  changes: true,
  run: (context, args) => {
    const client: StorageClient = context.host.client(originOf(context, args));
    try {
      if (client.sync === null) throw missing('This process has no hub for the origin: a program whose host has the option sync can acknowledge it.');
      client.sync.acknowledge({ area: args.oneOf('area', ['localStorage', 'files'], 'localStorage'), serial: args.integer('serial', Number.MAX_SAFE_INTEGER) });
      return {};
    } finally {
      client.close();
    }
  },
};

/** What has lost its place, as a file to be saved. */
export const conflict: Content = {
  run: async (context, args) => {
    const origin = originOf(context, args);
    const serial = args.integer('serial', Number.MAX_SAFE_INTEGER);
    const { locator, body } = context.hub === null ? await lostByHost(context, origin, serial) : await lostByHub(context, context.hub, origin, serial);
    return data(body, { type: 'application/octet-stream', headers: { 'content-disposition': attachment(locator.at(-1) ?? 'file') } });
  },
};

interface Lost {
  readonly locator: Locator;
  readonly body: Blob;
}

async function lostByHost({ host }: Context, origin: string, serial: number): Promise<Lost> {
  const client: StorageClient = host.client(origin);
  try {
    const found = (await client.sync?.conflicts())?.find((each) => each.serial === serial);
    if (found === undefined) throw noConflict();
    return { locator: found.locator, body: await found.lost.bytes() };
  } finally {
    await client.end();
  }
}

/** Of a host that follows no hub: the journal says which chunks it was, and the hub has them. */
async function lostByHub({ root }: Context, hub: Hub, origin: string, serial: number): Promise<Lost> {
  const found = journalsOf(root, origin).files?.model.conflicts.items.find((each) => each.serial === serial);
  if (found === undefined) throw noConflict();
  if (root.vaults !== undefined) throw missing('The hub has it encrypted: a program whose host has the options encryption and sync can read it.');
  await hub.connect();
  const log = hub.log(`${origin} files`);
  const parts: Blob[] = [];
  for (const chunk of chunksOf(found.lost.manifest)) parts.push(new Blob([Buffer.from(await getChunk(chunk, log))]));
  return { locator: found.locator, body: new Blob(parts) };
}

function noConflict(): Error {
  return missing('There is no such conflict any more.');
}
