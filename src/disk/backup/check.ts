import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { DamagedChunk } from './backup-error.ts';
import { ChunkStore } from './chunk-store.ts';
import { decodeLines } from './listing.ts';
import type { BackedUpOrigin, BackupManifest } from './manifest.ts';
import { Repository, type BackupName } from './repository.ts';

/** What cannot be restored, and why. */
export interface BackupDamage {
  readonly backup: BackupName;
  /** Null: the whole backup cannot be read. */
  readonly origin: string | null;
  /** In the origin's directory; null: a part of its listing is lost, and nobody can tell which files were in it. */
  readonly path: string | null;
  readonly message: string;
}

export interface Checked {
  readonly backups: number;
  readonly chunks: number;
  readonly bytes: number;
  readonly damage: readonly BackupDamage[];
}

/** Reads every chunk that a backup names, once, and says what cannot be restored. Writes nothing. @throws HoldfastError */
export async function checkBackups(directory: string, onChunk: (chunks: number) => void): Promise<Checked> {
  return await new Check(Repository.open(directory), onChunk).run();
}

class Check {
  readonly #repository: Repository;
  readonly #store: ChunkStore;
  readonly #onChunk: (chunks: number) => void;
  /** What is wrong with each chunk that was read; null: nothing. */
  readonly #seen = new Map<string, string | null>();
  readonly #damage: BackupDamage[] = [];
  #bytes = 0;

  constructor(repository: Repository, onChunk: (chunks: number) => void) {
    this.#repository = repository;
    this.#store = new ChunkStore(repository.path);
    this.#onChunk = onChunk;
  }

  async run(): Promise<Checked> {
    const backups = this.#repository.backups();
    for (const backup of backups) {
      const manifest = this.#read(backup);
      for (const origin of manifest?.origins ?? []) await this.#checkOrigin(backup, origin);
    }
    return { backups: backups.length, chunks: this.#seen.size, bytes: this.#bytes, damage: this.#damage };
  }

  #read(backup: BackupName): BackupManifest | null {
    try {
      return this.#repository.read(backup);
    } catch (error) {
      if (!(error instanceof HoldfastError)) throw error;
      this.#damage.push({ backup, origin: null, path: null, message: error.message });
      return null;
    }
  }

  async #checkOrigin(backup: BackupName, { origin, listing }: BackedUpOrigin): Promise<void> {
    for (const name of listing) {
      try {
        for (const line of decodeLines(await this.#get(name))) {
          if (line.kind === 'file') await this.#checkFile(backup, origin, line.file);
        }
      } catch (error) {
        const isDamage = error instanceof DamagedChunk || (error instanceof HoldfastError && error.code === 'backup-damaged');
        if (!isDamage) throw error;
        this.#damage.push({ backup, origin, path: null, message: errorMessage(error) });
      }
    }
  }

  async #checkFile(backup: BackupName, origin: string, { path, chunks }: { readonly path: string; readonly chunks: readonly string[] }): Promise<void> {
    for (const name of chunks) {
      if (!this.#seen.has(name)) await this.#get(name).catch(onlyDamage);
      const message = this.#seen.get(name) ?? null;
      if (message !== null) this.#damage.push({ backup, origin, path, message });
    }
  }

  async #get(name: string): Promise<Buffer> {
    const isNew = !this.#seen.has(name);
    try {
      const content = await this.#store.get(name);
      if (isNew) this.#bytes += content.length;
      this.#seen.set(name, null);
      return content;
    } catch (error) {
      if (error instanceof DamagedChunk) this.#seen.set(name, error.message);
      throw error;
    } finally {
      if (isNew) this.#onChunk(this.#seen.size);
    }
  }
}

function onlyDamage(error: unknown): void {
  if (!(error instanceof DamagedChunk)) throw error;
}
