import fs from 'node:fs';
import path from 'node:path';
import { makeRoot } from '../../disk/backup/restore.ts';
import { encodeOrigin } from '../../disk/names/origin.ts';
import { syncTree } from '../../disk/root/durable.ts';
import { Root } from '../../disk/root/root.ts';
import { mayBeStub } from '../../disk/tree/stub.ts';
import type { Replica } from '../../disk/replica/replica.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { Connection } from '../../sync/connection.ts';
import type { HubLog } from '../../sync/hub.ts';
import { PastHub, type PastLog } from '../../sync/past-hub.ts';
import { isSameDigest, sha256 } from '../../sync/replicator/digest.ts';
import type { StorageHostOptions } from '../options.ts';
import { StorageHost } from '../storage-host.ts';
import type { Goal } from './hub-position.ts';
import { type Followed, followedIn, keysIn } from './positions.ts';

/** A log of the hub, what a backup has of it, and how far it is to go; where that was not asked for it stays. */
interface Course {
  readonly name: string;
  readonly log: HubLog;
  readonly replica: Replica;
  readonly last: number;
}

/** A goal, and its hub as {@link openedHub} has opened it. */
type Opened = Omit<Goal, 'hub'> & { readonly hub: Connection };

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
 * another one, or an encrypted log of it was changed, hub-incompatible where newer code wrote it, disk-full, and as hubs and
 * keys do; LaterWrites
 */
export async function goForward(target: Root, staged: string, as: string, goal: Opened): Promise<void> {
  const keys = await keysIn(target, staged, as);
  const before = followedIn(staged, as, keys);
  const courses = coursesOf(before, goal);
  for (const course of courses) await requireWay(course);
  const names = new Map<string, PastLog>(courses.map(({ name, log, last }) => [name.replace(goal.origin, () => as), { log, last }]));
  const past = new PastHub(goal.hub, names, before.chunks);
  const encryption = keys === undefined ? undefined : goal.encryption;
  await inRootOfItsOwn(staged, as, (root) => follow({ root, encryption }, as, past, before));
  requireAll(followedIn(staged, as, keys), goal, past);
  requireContent(path.join(staged, 'default'));
  syncTree(staged);
}

/** The hub as a region sees it that has the keys. @throws HoldfastError key-wrong, key-missing; hub-damaged, and as hubs do */
export async function openedHub({ vaults }: Root, { hub, origin }: Goal, isEncrypted: boolean): Promise<Connection> {
  await hub.connect();
  if (!isEncrypted || vaults === undefined) return hub;
  const { SealedConnection } = await import('../../sync/sealed/sealed-connection.ts');
  const sealed = new SealedConnection(hub, vaults.of(origin).rootKeys, { plain: 'known' });
  // Whoever connects where there are none makes some.
  if (!(await sealed.keys.exist())) throw differs(origin);
  await sealed.connect();
  return sealed;
}

function coursesOf({ map, files }: Followed, { hub, origin, position: { position, filesPosition } }: Opened): Course[] {
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

async function follow(place: Pick<StorageHostOptions, 'root' | 'encryption'>, as: string, past: PastHub, { map, files }: Followed): Promise<void> {
  const region = map?.region ?? files?.region ?? '';
  const host = new StorageHost({ ...place, sync: { hub: past, region, files: files === null ? 'off' : 'eager' } });
  try {
    await host.unlock(as);
    await Promise.race([host.client(as).sync?.caughtUp(), past.failed]);
  } finally {
    await host.close();
  }
}

/** What the region had written by its backup and the hub has only later is not of that position. */
function requireAll({ map, files }: Followed, { origin, position: { position, filesPosition } }: Opened, { missing }: PastHub): void {
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
