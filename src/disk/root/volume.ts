import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

// Magic numbers of Linux's statfs(2). FUSE is not among them: it may be local, and what it lacks shows elsewhere.
const networkDisks: Readonly<Record<number, string>> = {
  0x6969: 'NFS',
  0x517b: 'SMB',
  0xff534d42: 'CIFS',
  0xfe534d42: 'SMB2',
  0x01021997: '9P',
  0x5346414f: 'AFS',
  0x6b414653: 'AFS',
  0x73757245: 'Coda',
  0x00c36400: 'Ceph',
  0x0bd00bd0: 'Lustre',
  0x47504653: 'GPFS',
  0x01161970: 'GFS2',
  0x7461636f: 'OCFS2',
  0x786f4256: 'VirtualBox shared folder',
};

export function nearestExisting(directory: string): string {
  let candidate = directory;
  while (!fs.existsSync(candidate) && path.dirname(candidate) !== candidate) candidate = path.dirname(candidate);
  return candidate;
}

/** The kind of network disk that a path is on, as far as this process may know. */
function networkDisk(directory: string): string | undefined {
  if (process.platform !== 'linux') return undefined;
  try {
    return networkDisks[fs.statfsSync(nearestExisting(directory)).type >>> 0];
  } catch {
    // A runtime may deny the question (Deno without --allow-sys): then nobody knows, and that is no reason to refuse.
    return undefined;
  }
}

/**
 * Appends of two machines to one file of a network disk overwrite each other, so such a disk is refused.
 *
 * @throws HoldfastError disk-unsupported
 */
export function requireLocalDisk(directory: string): void {
  const kind = networkDisk(directory);
  if (kind === undefined) return;
  throw new HoldfastError(
    'disk-unsupported',
    `The root ${directory} is on a network disk (${kind}), where appends are not atomic. Put it on a local disk, or set the option shared: 'lockfile'.`,
  );
}
