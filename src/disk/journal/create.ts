import fs from 'node:fs';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { Candidate } from './candidate.ts';
import { Dedupe } from './dedupe.ts';
import { diskError, systemCode } from './disk-error.ts';
import { generationPath } from './generation-file.ts';
import type { JournalEncryption } from './journal-cipher.ts';
import type { SnapshotRecord } from './machine.ts';

const noHardLinks = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Makes generation 0 in a directory that nobody else sees yet, by the same steps as any later one. Its bytes are synced
 * whatever the durability: an empty file under its name after a power loss would be a damaged journal for good. A
 * strict caller syncs the directories too before it shows them.
 *
 * @throws HoldfastError; caused by ENOENT also where another key has become active meanwhile
 */
export function createGeneration(directory: string, snapshot: Iterable<SnapshotRecord>, encryption: JournalEncryption | undefined): void {
  try {
    const candidate = new Candidate(directory, 0, encryption);
    candidate.write(snapshot, { generation: 0, covers: 0, count: 0, dedupe: new Dedupe() });
    // Who forgets keys has another one made first, and then sees this one's file, or is seen here: it is begun again.
    if (encryption?.look() !== candidate.keyId) candidate.discard();
    linkOrExplain(candidate.path, generationPath(directory, 0));
    candidate.discard();
  } catch (error) {
    throw diskError(error, 'create the journal in', directory);
  }
}

/** Compaction needs hard links; a disk without them is refused before anything is trusted to it. */
function linkOrExplain(from: string, to: string): void {
  try {
    fs.linkSync(from, to);
  } catch (error) {
    if (!noHardLinks.has(systemCode(error))) throw error;
    const message = `The disk of ${to} has no hard links, which journals need. Put the root on a local file system.`;
    throw new HoldfastError('disk-unsupported', message, { cause: error });
  }
}
