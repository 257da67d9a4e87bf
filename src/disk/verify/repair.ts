import fs from 'node:fs';
import path from 'node:path';
import { randomUuid } from '../../runtime/random.ts';
import { removeTree } from '../maintenance/packages.ts';
import { decodeOrigin } from '../names/origin.ts';
import { pathOfOrigin } from '../maintenance/replace-origin.ts';
import { isEncrypted } from '../root/encrypted.ts';
import { keysOf } from '../root/origins.ts';
import { Account } from '../quota/account.ts';
import type { Root } from '../root/root.ts';
import { isDraft, isSwapFolder, isTrash } from '../spelling.ts';
import { namesIn } from './entry.ts';
import type { Finding } from './finding.ts';

/** What was done about a finding. */
export interface Repair {
  readonly path: string;
  /** A sentence. */
  readonly message: string;
}

/**
 * Does about findings what loses nothing more: counts again what an account says wrong, deletes what nobody needs, and
 * writes again what is known from elsewhere. All else is left as it is, for a backup may have what is lost.
 *
 * @throws the operating system's error, HoldfastError
 */
export async function repair(root: Root, findings: readonly Finding[], isDead: (bucket: string) => (session: string) => boolean): Promise<Repair[]> {
  const done: Repair[] = [];
  const recounted = new Map<string, string>();
  for (const finding of findings) {
    const result = await repairOne(root, finding, isDead);
    if (result === null) continue;
    done.push(result);
    const bucket = bucketOf(root, finding.path);
    if (bucket !== null && finding.origin !== null) recounted.set(bucket, finding.origin);
  }
  for (const [bucket, origin] of recounted) await recount(root, bucket, origin);
  return done;
}

async function repairOne(root: Root, finding: Finding, isDead: (bucket: string) => (session: string) => boolean): Promise<Repair | null> {
  const { kind, path: at, journal } = finding;
  if (kind === 'orphan') return removeOrphans(root, finding, isDead);
  if (kind === 'quota' || (kind === 'damaged' && journal === 'quota')) return { path: at, message: 'What is there was counted.' };
  if (kind !== 'damaged') return null;
  if (path.basename(at) === 'origin.json') return writeOrigin(path.dirname(at));
  if (journal === 'channels') return removeChannels(path.dirname(at));
  return null;
}

/** The directory of the bucket in which something is; null: it is in none. */
function bucketOf(root: Root, at: string): string | null {
  const [origin = '', kind = '', name = ''] = path.relative(root.origins, at).split(path.sep);
  if (kind === 'default') return path.join(root.origins, origin, kind);
  return kind === 'buckets' && name !== '' ? path.join(root.origins, origin, kind, name) : null;
}

/** An account that cannot be read is made anew by whoever uses it. The bucket is there. */
async function recount(root: Root, bucket: string, origin: string): Promise<void> {
  const keys = keysOf(root, origin);
  // Without its key an encrypted account stays as it is.
  if (keys === undefined && isEncrypted(pathOfOrigin(root, origin))) return;
  const encryption = keys?.beside(path.relative(pathOfOrigin(root, origin), bucket));
  const account = new Account({ path: bucket, ensure: () => undefined, encryption }, { durability: root.durability, shared: root.shared, allowance: { total: undefined, aside: 0 } });
  try {
    await account.verify();
  } finally {
    account.close();
  }
}

async function removeOrphans(root: Root, { path: at }: Finding, isDead: (bucket: string) => (session: string) => boolean): Promise<Repair> {
  const bucket = path.dirname(at);
  if (at === root.workshop) await removeAll(at, isDraft);
  else if (path.basename(at) === 'swap') await removeAll(at, (name) => isSwapFolder(name) && isDead(bucket)(name));
  else if (path.basename(at) === 'trash') await removeAll(at, isTrash);
  else fs.rmSync(at, { force: true });
  return { path: at, message: 'What nobody needs was deleted.' };
}

async function removeAll(directory: string, isDoomed: (name: string) => boolean): Promise<void> {
  for (const name of namesIn(directory).filter(isDoomed)) await removeTree(path.join(directory, name));
}

/** By the name of its directory; whoever reads it sees the old file or the new one. */
function writeOrigin(directory: string): Repair | null {
  const origin = decodeOrigin(path.basename(directory));
  if (origin === null) return null;
  const at = path.join(directory, 'origin.json');
  const draft = `${at}.${randomUuid()}`;
  const created = new Date(fs.statSync(directory).birthtimeMs).toISOString();
  fs.writeFileSync(draft, `${JSON.stringify({ origin, created })}\n`, { flag: 'wx', mode: 0o600 });
  fs.renameSync(draft, at);
  return { path: at, message: 'It was written again, by the name of its directory.' };
}

/** Messages were to be dropped within seconds; without the directory the next one makes a journal anew. */
async function removeChannels(directory: string): Promise<Repair> {
  const channels = path.basename(directory) === 'channels' ? directory : path.dirname(directory);
  const gone = path.join(path.dirname(channels), 'trash', `${randomUuid()}.${randomUuid()}`);
  fs.renameSync(channels, gone);
  await removeTree(gone);
  return { path: channels, message: 'The journal of channels was removed: it holds nothing that was to be kept.' };
}
