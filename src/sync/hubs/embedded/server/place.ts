import fs from 'node:fs';
import path from 'node:path';
import { Journal } from '../../../../disk/journal/journal.ts';
import { systemCode } from '../../../../disk/journal/disk-error.ts';
import { encodeName } from '../../../../disk/names/name.ts';
import { syncPath, syncTree } from '../../../../disk/root/durable.ts';
import { HoldfastError } from '../../../../runtime/holdfast-error.ts';
import { encodeState, STATE } from './log-records.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

const makeDirectory = (directory: string): void => fs.mkdirSync(directory, { mode: DIRECTORY_MODE });

/**
 * Where the logs of a hub's root are. A log's directory is built in the workshop and appears in its place complete, by
 * one rename; nothing of a log lies outside of it.
 */
export class LogPlaces {
  readonly #logs: string;
  readonly #workshop: string;

  constructor(root: string) {
    this.#logs = path.join(root, 'logs');
    this.#workshop = path.join(root, 'new');
  }

  /** Makes the directories of a root, and removes what a server that was killed left half built. Only for its one server. */
  prepare(): void {
    fs.rmSync(this.#workshop, { recursive: true, force: true });
    for (const directory of [this.#logs, this.#workshop]) fs.mkdirSync(directory, { recursive: true, mode: DIRECTORY_MODE });
    syncPath(path.dirname(this.#logs));
  }

  /** A path that nobody uses, on the same file system as the logs. */
  draft(): string {
    return path.join(this.#workshop, crypto.randomUUID());
  }

  /** The directory of a log: no two names have one, whatever the volume folds. */
  of(name: string): string {
    return path.join(this.#logs, encodeName(name, true).component);
  }

  /** Makes a log: its epoch is new, and on the disk before anybody hears of it. */
  create(name: string): void {
    const draft = this.draft();
    try {
      makeDirectory(draft);
      fs.writeFileSync(path.join(draft, 'log.json'), `${JSON.stringify({ name })}\n`, { flag: 'wx', mode: FILE_MODE });
      for (const directory of ['snapshots', 'blobs']) makeDirectory(path.join(draft, directory));
      Journal.create(path.join(draft, 'journal'), [{ kind: STATE, payload: encodeState({ epoch: crypto.randomUUID(), first: 1 }) }]);
      syncTree(draft);
      fs.renameSync(draft, this.of(name));
      syncPath(this.#logs);
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true });
      throw error;
    }
  }

  /** Fails where a directory is that of another name: long names are told apart by a hash, and disks by their owners. */
  requireName(name: string): void {
    const file = path.join(this.of(name), 'log.json');
    const found = JSON.parse(fs.readFileSync(file, 'utf8')) as { name?: unknown } | null;
    if (found?.name !== name) throw new HoldfastError('journal-damaged', `The log in ${path.dirname(file)} is that of another name.`);
  }
}

/** Writes a file that is either there as a whole, after a power loss too, or not at all. */
export async function writeWholeFile(draft: string, target: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await fs.promises.open(draft, 'wx', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await file.sync();
    } finally {
      await file.close();
    }
    await fs.promises.rename(draft, target);
  } catch (error) {
    await fs.promises.rm(draft, { force: true });
    throw error;
  }
  syncPath(path.dirname(target));
}

/** The bytes of a file, or null where there is none. */
export async function readWholeFile(file: string): Promise<Uint8Array | null> {
  try {
    return await fs.promises.readFile(file);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
