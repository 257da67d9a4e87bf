import fs from 'node:fs';
import path from 'node:path';
import { withDescriptor } from '../../runtime/descriptors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { randomBytes, randomUuid } from '../../runtime/random.ts';
import { systemCode } from '../journal/disk-error.ts';
import { syncPath } from './durable.ts';
import { rootReadFailure } from './failure.ts';

/** The version of everything under a root. A root of a higher one is refused. */
export const formatVersion = 1;

/** What `holdfast.json` says. It is written once, when the root comes into being, and never changed. */
export interface Manifest {
  readonly format: number;
  /** Random, hexadecimal. Keeps `getUniqueId()` of one root from being guessed at another. */
  readonly salt: string;
  /** The volume takes names for one that differ in case or in Unicode normalization; names are spelled by it. */
  readonly foldsNames: boolean;
}

const fileName = 'holdfast.json';

/** Errors of link(2) that say that the disk has no hard links. */
const noLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

function isManifest(value: unknown): value is Manifest {
  const manifest = value as Partial<Manifest> | null;
  return (
    typeof manifest === 'object' &&
    typeof manifest?.format === 'number' &&
    typeof manifest.salt === 'string' &&
    typeof manifest.foldsNames === 'boolean'
  );
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function requireKnownFormat(root: string, value: unknown): void {
  const format = (value as { format?: unknown } | null | undefined)?.format;
  if (typeof format === 'number' && format > formatVersion) {
    throw new HoldfastError(
      'root-newer',
      `The root ${root} has format ${format}, made by a newer version of Holdfast; this one knows up to ${formatVersion}.`,
    );
  }
}

/**
 * Reads the root's manifest; null where there is none (yet).
 *
 * @throws HoldfastError root-newer, root-unusable
 */
export function readManifest(root: string): Manifest | null {
  let text: string;
  try {
    text = withDescriptor(() => fs.readFileSync(path.join(root, fileName), 'utf8'));
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw rootReadFailure(root, error);
  }
  const value = parse(text);
  requireKnownFormat(root, value);
  if (!isManifest(value)) {
    throw new HoldfastError('root-unusable', `The ${fileName} in ${root} is damaged, or not that of a root; restore it from a backup, or choose another root.`);
  }
  return value;
}

function randomSalt(): string {
  return Buffer.from(randomBytes(32)).toString('hex');
}

/**
 * Puts a manifest into place unless another process was first. A link, not a rename: it can never replace one that
 * others read already, and it shows that the disk has the hard links that journals need.
 *
 * @throws HoldfastError disk-unsupported, and errors of the operating system
 */
export function publishManifest(root: string, workshop: string, foldsNames: boolean, salt = randomSalt()): void {
  const manifest: Manifest = { format: formatVersion, salt, foldsNames };
  const draft = path.join(workshop, randomUuid());
  try {
    fs.writeFileSync(draft, `${JSON.stringify(manifest, null, 2)}\n`, { flag: 'wx', mode: 0o600 });
    syncPath(draft);
    fs.linkSync(draft, path.join(root, fileName));
  } catch (error) {
    const code = systemCode(error);
    if (code === 'EEXIST') return;
    if (!noLinks.has(code) || (error as NodeJS.ErrnoException).syscall !== 'link') throw error;
    throw new HoldfastError(
      'disk-unsupported',
      `The root ${root} is on a disk without hard links, which journals need. Put it on another file system.`,
      { cause: error },
    );
  } finally {
    fs.rmSync(draft, { force: true });
  }
}
