import fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../../../../disk/directories.ts';
import { syncPath } from '../../../../disk/root/durable.ts';
import { rootFailure } from '../../../../disk/root/failure.ts';
import { requireLocalDisk } from '../../../../disk/root/volume.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { randomUuid } from '../../../../runtime/random.ts';

/**
 * The version of everything under the root of a hub. A root of a higher one is refused. In version 1 there were no
 * commits: logs had all in their own journals.
 */
const FORMAT = 2;

const MANIFEST = 'holdfast-hub.json';

/** What makes a directory the root of a host's storage, and not one of a hub. */
const STORAGE_MANIFEST = 'holdfast.json';

/**
 * Makes the root of a hub unless it is one.
 *
 * @throws HoldfastError `root-unusable`, `root-newer`, `root-read-only`, `disk-unsupported`, `disk-full`, `disk-failed`
 */
export function openHubRoot(root: string): void {
  requireLocalDisk(root);
  try {
    ensureDirectory(root);
    const manifest = path.join(root, MANIFEST);
    if (fs.existsSync(manifest)) requireKnownFormat(root, fs.readFileSync(manifest, 'utf8'));
    else create(root, manifest);
  } catch (error) {
    throw rootFailure('open', root, error);
  }
}

function create(root: string, manifest: string): void {
  if (fs.existsSync(path.join(root, STORAGE_MANIFEST))) {
    throw new HoldfastError('root-unusable', `The root ${root} holds the storage of a host; a hub needs a directory of its own.`);
  }
  const foreign = ['logs', 'new', 'server', 'commits'].find((name) => fs.existsSync(path.join(root, name)));
  if (foreign !== undefined && !fs.existsSync(manifest)) {
    throw new HoldfastError('root-unusable', `The directory ${root} cannot become the root of a hub: its entry ${foreign} is not a hub's. Choose a directory of its own.`);
  }
  writeManifest(root, manifest);
}

/** Keeps Holdfasts out that would not see what this one commits. Only for the root's one server. */
export function raiseFormat(root: string): void {
  const manifest = path.join(root, MANIFEST);
  if (formatIn(fs.readFileSync(manifest, 'utf8')) !== FORMAT) writeManifest(root, manifest);
}

function writeManifest(root: string, manifest: string): void {
  const draft = `${manifest}.${randomUuid()}`;
  fs.writeFileSync(draft, `${JSON.stringify({ format: FORMAT })}\n`, { flag: 'wx', mode: 0o600 });
  syncPath(draft);
  fs.renameSync(draft, manifest);
  syncPath(root);
}

function requireKnownFormat(root: string, text: string): void {
  const format = formatIn(text);
  if (format === null) throw new HoldfastError('root-unusable', `The root ${root} has a damaged ${MANIFEST}; restore it from a backup.`);
  if (format <= FORMAT) return;
  throw new HoldfastError('root-newer', `The root ${root} has format ${format}, made by a newer version of Holdfast; this one knows up to ${FORMAT}.`);
}

function formatIn(text: string): number | null {
  try {
    const { format } = JSON.parse(text) as { format?: unknown };
    return typeof format === 'number' ? format : null;
  } catch {
    return null;
  }
}
