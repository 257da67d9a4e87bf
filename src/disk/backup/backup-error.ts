import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { diskError } from '../journal/disk-error.ts';

/** What a backup holds in a chunk cannot be had: it is not there, or is not what it was. */
export class DamagedChunk extends Error {
  readonly chunk: string;

  constructor(chunk: string, why: string) {
    super(`chunk ${chunk} ${why}`);
    this.name = 'DamagedChunk';
    this.chunk = chunk;
  }
}

export function unusable(repository: string, why: string, cause?: unknown): HoldfastError {
  return new HoldfastError('backup-unusable', `${repository} ${why}.`, { cause });
}

/** An error of the system, met while a repository was used, as the host's own. */
export function repositoryFailure(repository: string, doing: 'read' | 'write to', error: unknown): unknown {
  const told = diskError(error, doing, repository);
  if (!(told instanceof HoldfastError) || told === error) return told;
  if (told.code !== 'root-read-only' && told.code !== 'root-unusable') return told;
  // Those speak of a root.
  return unusable(repository, doing === 'read' ? 'cannot be read by this process' : 'cannot be written by this process', error);
}
