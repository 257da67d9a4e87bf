import fs from 'node:fs';
import path from 'node:path';
import { makeRoot } from '../../disk/backup/restore.ts';
import { encodeOrigin } from '../../disk/names/origin.ts';
import { syncTree } from '../../disk/root/durable.ts';
import { isEncrypted } from '../../disk/root/encrypted.ts';
import { Root } from '../../disk/root/root.ts';
import { mayBeStub } from '../../disk/tree/stub.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubLog } from '../../sync/hub.ts';
import { PastHub, type PastLog } from '../../sync/past-hub.ts';
import { isSameDigest, sha256 } from '../../sync/replicator/digest.ts';
import { StorageHost } from '../storage-host.ts';
import type { Goal } from './hub-position.ts';
import { type Followed, followedIn } from './positions.ts';

/** A log of the hub, what a backup has of it, and how far it is to go; where that was not asked for it stays. */
interface Course {
  readonly name: string;
  readonly log: HubLog;
  readonly replica: Replica;
  readonly last: number;
}

/** The region had written what is not of that position when its backup was made. */
export class LaterWrites extends HoldfastError {
  constructor(message: string) {
    super('backup-missing', message);
  }
}

/**
 * Brings an origin that nobody sees yet forward on its hub's orders. A region of its own does it, in a root of its own,
 * that follows the hub as it was when its logs ended there.
 *
 * @param staged - the origin's whole directory, under the name `as`
 * @throws HoldfastError hub-trimmed where the hub does not have all the entries any more, hub-damaged where it is
 * another one, disk-full, encryption-unsupported, and as hubs do; LaterWrites
 */
export async function goForward(staged: string, as: string, goal: Goal): Promise<void> {
  if (isEncrypted(staged)) throw new HoldfastError('encryption-unsupported', `${goal.origin} is encrypted, and cannot be brought to a position of its hub: restore a backup, and its region follows the hub from there.`);
  await goal.hub.connect();
  const before = followedIn(staged, as);
  const courses = coursesOf(before, goal);
  for (const course of courses) await requireWay(course);
  const names = new Map<string, PastLog>(courses.map(({ name, last }) => [name.replace(goal.origin, () => as), { name, last }]));
  const past = new PastHub(goal.hub, names);
  await inRootOfItsOwn(staged, as, (root) => follow(root, as, past, before));
  requireAll(followedIn(staged, as), goal, past);
  requireContent(path.join(staged, 'default'));
  syncTree(staged);
}

function coursesOf({ map, files }: Followed, { hub, origin, position: { position, filesPosition } }: Goal): Course[] {
  const one = (name: string, replica: Replica | null, at: number | undefined): Course[] =>
    replica === null ? [] : [{ name, log: hub.log(name), replica, last: at ?? replica.position }];
  return [...one(origin, map, position), ...one(`${origin} files`, files, filesPosition)];
}

/** The hub is the one that the backup knows, and has all that is missing. */
async function requireWay({ name, log, replica, last }: Course): Promise<void> {
  const { epoch, position, digest } = replica;
  const head = await log.head();
  if ((epoch !== '' && epoch !== head.epoch) || position > head.position) throw differs(name);
  if (position > 0 && position >= head.first) {
    const [entry] = await log.read(position - 1, 1);
    if (entry === undefined || !isSameDigest(sha256(entry.bytes), digest)) throw differs(name);
  }
  if (last > head.position) throw new HoldfastError('bad-option', `The hub's log '${name}' ends at position ${head.position}; there is no ${last}.`);
  if (position >= last || position + 1 >= head.first) return;
  const snapshot = await log.snapshot();
  if (snapshot !== null && snapshot.position <= last) return;
  throw new HoldfastError('hub-trimmed', `The hub's log '${name}' begins at position ${head.first} by now, and the newest backup before ${last} is at ${position}: what is between them is gone.`);
}

function differs(name: string): HoldfastError {
  return new HoldfastError('hub-damaged', `The hub's log '${name}' is not the one that the backup knows: the hub is another one, or was restored since.`);
}

/** Gives the origin a root, calls `body` with it, and takes the origin out of it again. */
async function inRootOfItsOwn(staged: string, as: string, body: (root: string) => Promise<void>): Promise<void> {
  const root = new Root(`${staged}.root`, 'relaxed');
  makeRoot(root, '');
  const place = path.join(root.origins, encodeOrigin(as));
  fs.renameSync(staged, place);
  await body(root.path);
  fs.renameSync(place, staged);
}

async function follow(root: string, as: string, past: PastHub, { map, files }: Followed): Promise<void> {
  const region = map?.region ?? files?.region ?? '';
  const host = new StorageHost({ root, sync: { hub: past, region, files: files === null ? 'off' : 'eager' } });
  try {
    await Promise.race([host.client(as).sync?.caughtUp(), past.failed]);
  } finally {
    await host.close();
  }
}

/** What the region had written by its backup and the hub has only later is not of that position. */
function requireAll({ map, files }: Followed, { origin, position: { position, filesPosition } }: Goal, { missing }: PastHub): void {
  const waiting = (replica: Replica | null, at: number | undefined): number => (at === undefined || replica === null ? 0 : replica.pending.length);
  const count = waiting(map, position) + waiting(files, filesPosition);
  if (count > 0) throw new LaterWrites(`The backups before that position have writes of ${origin} that the hub had later, if at all: choose a later position.`);
  const [name] = missing;
  if (name !== undefined) throw new HoldfastError('hub-damaged', `The hub does not have the content of a file any more, blob ${name}.`);
}

/** A file without its content would be read from the hub as it is then. */
function requireContent(bucket: string): void {
  for (const entry of fs.readdirSync(bucket, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && mayBeStub(fs.statSync(file))) throw new HoldfastError('disk-full', `The content of ${file} could not be had: the disk is full, or the hub has lost it.`);
  }
}
