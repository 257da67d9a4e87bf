import path from 'node:path';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { wallClock } from '../../runtime/timers.ts';
import type { Root } from '../root/root.ts';
import { rootFailure } from '../root/failure.ts';
import { originsOf, type OriginPlace } from '../root/origins.ts';
import { keysOfPlaces, type CaptureCode } from './capture-context.ts';
import { ChunkStore, type StoredAmount } from './chunk-store.ts';
import { isDirectoryAt } from './entries.ts';
import type { BackedUpOrigin, BackupManifest, BackupProblem } from './manifest.ts';
import { captureOrigin, type Captured, type CaptureOptions } from './origin-capture.ts';
import { Moved } from './part.ts';
import { NO_PREVIOUS, readPrevious } from './read-listing.ts';
import { Repository, type BackupName } from './repository.ts';
import { withRepositoryLock } from './repository-lock.ts';
import { OriginStorer, type ReadAmount } from './store-origin.ts';

export interface BackupProgress {
  /** Origins that are done, and how many there are. */
  readonly done: number;
  readonly total: number;
  /** Bytes that were read so far. */
  readonly bytes: number;
}

export interface MakeBackupOptions {
  /** Those to back up; all by default. */
  readonly origins: readonly string[] | null;
  readonly code: CaptureCode;
  readonly detach: <T>(body: () => T) => T;
  readonly onProgress: (progress: BackupProgress) => void;
  /** Ends it: then there is no backup, and what was stored is there for the next one. */
  readonly signal: AbortSignal | undefined;
}

export interface MadeBackup {
  readonly name: BackupName;
  readonly manifest: BackupManifest;
  /** What was read of the root because it had changed, and what came into the repository. */
  readonly read: ReadAmount;
  readonly stored: StoredAmount;
}

/** Times that an origin is begun again whose draft somebody has removed. */
const ATTEMPTS = 3;

/**
 * Adds a backup of a root, which is there, to a repository, which is made where there is none.
 *
 * @throws HoldfastError backup-busy, backup-unusable, disk-full, origin-missing, closed
 * when it was ended; what `signal` gives as its reason
 */
export async function makeBackup(root: Root, directory: string, options: MakeBackupOptions): Promise<MadeBackup> {
  const manifest = root.open();
  if (manifest === null) throw new HoldfastError('root-unusable', `There is no root at ${root.path}.`);
  requireApart(root.path, directory);
  const origins = chosen(root, options.origins);
  const repository = Repository.ensure(directory);
  return await withRepositoryLock(directory, async (lock) => {
    repository.sweep();
    const run = new Run(root, repository, manifest.foldsNames, options);
    const result = await run.all(origins, manifest.salt);
    lock.assertHeld();
    return { name: repository.write(result), manifest: result, read: run.read, stored: run.stored };
  });
}

/** A repository in its root would be lost with it, and a root in its repository is somebody else's. */
function requireApart(root: string, directory: string): void {
  const inside = (outer: string, inner: string): boolean => !path.relative(outer, inner).startsWith('..') && !path.isAbsolute(path.relative(outer, inner));
  if (inside(root, directory) || inside(directory, root)) throw new HoldfastError('bad-option', `The backups in ${directory} and the root ${root} must not be one in the other.`);
}

function chosen(root: Root, names: readonly string[] | null): OriginPlace[] {
  const all = [...originsOf(root)].sort((a, b) => (a.path < b.path ? -1 : 1));
  if (names === null) return all;
  return names.map((name) => {
    const found = all.find(({ origin }) => origin === name);
    if (found === undefined) throw new HoldfastError('origin-missing', `The root ${root.path} has no origin ${name}.`);
    return found;
  });
}

class Run {
  readonly read: ReadAmount = { files: 0, bytes: 0 };
  readonly #root: Root;
  readonly #repository: Repository;
  readonly #foldsNames: boolean;
  readonly #options: MakeBackupOptions;
  readonly #store: ChunkStore;
  readonly #problems: BackupProblem[] = [];

  constructor(root: Root, repository: Repository, foldsNames: boolean, options: MakeBackupOptions) {
    this.#root = root;
    this.#repository = repository;
    this.#foldsNames = foldsNames;
    this.#options = options;
    this.#store = new ChunkStore(repository.path, ChunkStore.names(repository.path));
  }

  get stored(): StoredAmount {
    return this.#store.stored;
  }

  async all(origins: readonly OriginPlace[], salt: string): Promise<BackupManifest> {
    const time = wallClock();
    const before = this.#before(salt);
    const done: BackedUpOrigin[] = [];
    for (const [index, origin] of origins.entries()) {
      this.#tell(index, origins.length);
      const previous = before.get(origin.origin);
      const backedUp = await this.#one(origin, previous, () => this.#tell(index, origins.length));
      if (backedUp !== null) done.push(backedUp);
    }
    await this.#store.flush();
    this.#tell(origins.length, origins.length);
    return { time: this.#later(time), salt, foldsNames: this.#foldsNames, origins: done, problems: this.#problems };
  }

  /** Names are by time, and no two are the same. */
  #later(time: number): number {
    const last = this.#repository.backups().at(-1)?.time ?? 0;
    return Math.max(time, last + 1);
  }

  #tell(done: number, total: number): void {
    this.#options.signal?.throwIfAborted();
    this.#options.onProgress({ done, total, bytes: this.read.bytes });
  }

  /** The origins of the last backup of this root that can be read. */
  #before(salt: string): Map<string, BackedUpOrigin> {
    for (const name of this.#repository.backups().reverse()) {
      try {
        const manifest = this.#repository.read(name);
        if (manifest.salt === salt) return new Map(manifest.origins.map((each) => [each.origin, each]));
      } catch (error) {
        if (!(error instanceof HoldfastError) || error.code !== 'backup-damaged') throw error;
      }
    }
    return new Map();
  }

  /** Null: it is gone, or could not be read. */
  async #one({ origin, path: directory }: OriginPlace, previous: BackedUpOrigin | undefined, onBytes: () => void): Promise<BackedUpOrigin | null> {
    const { code, detach } = this.#options;
    const known = previous === undefined ? NO_PREVIOUS : await readPrevious(this.#store, previous);
    const options = { workshop: this.#root.workshop, foldsNames: this.#foldsNames, shared: this.#root.shared, code, previous: known, detach };
    for (let attempt = 1; ; attempt += 1) {
      const captured = await this.#capture(origin, directory, options);
      if (captured === null) return null;
      try {
        const stored = await new OriginStorer(this.#store, this.read).store(captured, onBytes);
        this.#note(origin, captured);
        return { origin, moment: captured.taken.moment, ...stored };
      } catch (error) {
        if (!(error instanceof Moved) || attempt === ATTEMPTS) throw error;
      } finally {
        captured.draft.remove();
      }
    }
  }

  async #capture(origin: string, directory: string, options: Omit<CaptureOptions, 'keysOf'>): Promise<Captured | null> {
    try {
      return await captureOrigin(directory, { ...options, keysOf: await keysOfPlaces(this.#root, directory, origin) });
    } catch (error) {
      if (!isDirectoryAt(directory)) return null;
      const told = error instanceof HoldfastError || error instanceof Moved ? error : rootFailure('read', this.#root.path, error);
      // Without room for second names nothing can be backed up.
      if (told instanceof HoldfastError && (told.code === 'disk-full' || told.code === 'root-read-only')) throw told;
      this.#problems.push({ origin, path: '', kind: 'left-out', message: errorMessage(told) });
      return null;
    }
  }

  #note(origin: string, { taken }: Captured): void {
    for (const [at, message] of taken.leftOut) this.#problems.push({ origin, path: at, kind: 'left-out', message });
    for (const at of taken.apart) {
      this.#problems.push({ origin, path: at, kind: 'apart', message: 'It was written to all the time, and is as it was at a moment of its own.' });
    }
  }
}
