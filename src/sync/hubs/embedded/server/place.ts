import fs from 'node:fs';
import path from 'node:path';
import { ensureDirectory } from '../../../../disk/directories.ts';
import { Journal } from '../../../../disk/journal/journal.ts';
import { systemCode } from '../../../../disk/journal/disk-error.ts';
import { encodeName } from '../../../../disk/names/name.ts';
import { syncPath } from '../../../../disk/root/durable.ts';
import { isDraft } from '../../../../disk/spelling.ts';
import { fsyncLater } from '../../../../runtime/more-descriptor-calls.ts';
import { randomUuid } from '../../../../runtime/random.ts';
import { Gate } from './gate.ts';
import { CommitMachine } from './commits/commit-machine.ts';
import { commitsDirectory } from './commits/commit-log.ts';
import { encodeState, STATE } from './log-records.ts';

const DIRECTORY_MODE = 0o700;
const FILE_MODE = 0o600;

/**
 * Where the logs of a hub's root are. A log's directory is built in the workshop and appears in its place complete, by
 * one rename; nothing of a log lies outside of it.
 */
export class LogPlaces {
  readonly #logs: string;
  readonly #workshop: string;
  readonly #gate: Gate;
  /** The directory of what the logs have in common. */
  readonly commits: string;

  /** @param files - how many files besides journals may be open at once */
  constructor(root: string, files: number) {
    this.#gate = new Gate(files);
    this.#logs = path.join(root, 'logs');
    this.#workshop = path.join(root, 'new');
    this.commits = commitsDirectory(root);
  }

  /** Makes the directories of a root, and removes what a server that was killed left half built. Only for its one server. */
  prepare(): void {
    for (const directory of [this.#logs, this.#workshop]) ensureDirectory(directory);
    for (const name of fs.readdirSync(this.#workshop).filter(isDraft)) {
      fs.rmSync(path.join(this.#workshop, name), { recursive: true, force: true });
    }
    syncPath(path.dirname(this.#logs));
  }

  /** How many logs there are. */
  count(): number {
    return fs.readdirSync(this.#logs).length;
  }

  has(name: string): boolean {
    return fs.existsSync(this.of(name));
  }

  /** A path that nobody uses, on the same file system as the logs. */
  draft(): string {
    return path.join(this.#workshop, randomUuid());
  }

  /** The directory of a log: no two names have one, whatever the volume folds. */
  of(name: string): string {
    return path.join(this.#logs, encodeName(name, true).component);
  }

  /** Makes a log: its epoch is new, and on the disk before anybody hears of it. */
  create(name: string): void {
    this.#build(this.of(name), (draft) => {
      const journal = path.join(draft, 'journal');
      const state = encodeState({ name, epoch: randomUuid(), first: 1 });
      Journal.create(journal, [{ kind: STATE, payload: state }]);
      // What is in the journal's file is synced already; its name, and that of its directory, are not.
      syncPath(journal);
    });
  }

  /** Makes the journal of commits. */
  createCommits(): void {
    this.#build(this.commits, (draft) => Journal.create(draft, new CommitMachine().snapshot()));
  }

  #build(target: string, fill: (draft: string) => void): void {
    const draft = this.draft();
    try {
      fs.mkdirSync(draft, { mode: DIRECTORY_MODE });
      fill(draft);
      syncPath(draft);
      fs.renameSync(draft, target);
      syncPath(path.dirname(target));
    } catch (error) {
      fs.rmSync(draft, { recursive: true, force: true });
      throw error;
    }
  }

  /** Writes a file that is either there as a whole, after a power loss too, or not at all. */
  write(target: string, bytes: Uint8Array): Promise<void> {
    return this.#gate.pass(() => writeWholeFile(this.draft(), target, bytes));
  }

  /**
   * The bytes of a file, or null where there is none.
   *
   * @param admit - is told how many there are before they are read, and throws to prevent it
   */
  read(file: string, admit: (bytes: number) => void): Promise<Uint8Array | null> {
    return this.#gate.pass(() => readWholeFile(file, admit));
  }
}

/** Makes a directory unless it is there, with those above it; what it makes is on the disk when it returns. */
export function ensureSyncedDirectory(directory: string): void {
  if (fs.existsSync(directory)) return;
  ensureSyncedDirectory(path.dirname(directory));
  ensureDirectory(directory);
  syncPath(path.dirname(directory));
}

async function writeWholeFile(draft: string, target: string, bytes: Uint8Array): Promise<void> {
  try {
    const file = await fs.promises.open(draft, 'wx', FILE_MODE);
    try {
      await file.writeFile(bytes);
      await fsyncLater(file.fd, draft);
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

async function readWholeFile(name: string, admit: (bytes: number) => void): Promise<Uint8Array | null> {
  const file = await openIfThere(name);
  if (file === null) return null;
  try {
    admit((await file.stat()).size);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function openIfThere(name: string): Promise<fs.promises.FileHandle | null> {
  try {
    return await fs.promises.open(name);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  }
}
