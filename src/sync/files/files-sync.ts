import { Blob } from 'node:buffer';
import type { JournalOptions } from '../../disk/journal/journal.ts';
import type { Locator } from '../../disk/locator.ts';
import type { FileLockTable } from '../../disk/locks/lock-table.ts';
import type { BucketPlace } from '../../disk/place.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import type { ReplicaJournal } from '../../disk/replica/replica-journal.ts';
import type { FileTree } from '../../disk/tree/file-tree.ts';
import { getChunk } from './blobs.ts';
import type { Blobs } from './blobs.ts';
import { BlobsOnLine } from './blobs-on-line.ts';
import type { Conflict } from './conflicts.ts';
import { Fetcher } from './fetcher.ts';
import type { FileConflict } from './file-conflict.ts';
import { FilesJournal } from './files-journal.ts';
import type { References } from '../replicator/collector.ts';
import { Line } from '../replicator/line.ts';
import { systemSurroundings } from '../replicator/surroundings.ts';
import { chunksOf } from './manifest.ts';
import { Onlooker } from './onlooker.ts';
import { Prepare } from './prepare.ts';
import { Reconciler } from './reconciler.ts';
import { fileReferences } from './references.ts';
import { stubsOf } from './stubs.ts';

export type { FileConflict } from './file-conflict.ts';
export { FilesModel } from './files-model.ts';

export interface FilesSyncOptions extends Pick<JournalOptions, 'durability' | 'exclusively' | 'compactAt' | 'onCompaction'> {
  readonly place: BucketPlace;
  readonly tree: FileTree;
  readonly locks: FileLockTable;
  /** Of the hub's log `<origin> files`. */
  readonly blobs: Blobs;
  /** This region's name. */
  readonly region: string;
  /** A random integer in [1, 2^53) that nothing else has written with. */
  readonly session: number;
  /** Whether content that other regions wrote is fetched at once, not when it is first read. Default false. */
  readonly eager?: boolean;
  /** Hears of what cannot be done now, in a sentence for a person; it is tried again. */
  readonly onProblem?: (problem: string) => void;
  /** Hears once of each conflict that the order brings after `start` or `watch`; `conflicts` has those before, too. */
  readonly onConflict?: (conflict: FileConflict) => void;
  /** Runs what it is given outside of the caller's asynchronous context; for timers. */
  readonly detach?: <T>(body: () => T) => T;
}

/**
 * The files of one origin in the order of a hub. Every process of a root may have one, to fetch what is elsewhere and to
 * read conflicts; the one that talks to the hub also starts it, beside the replicator that drives `journal`.
 */
export interface FilesSync {
  /** For the replicator. */
  readonly journal: ReplicaJournal;
  /**
   * To be called by the replicator before operations are sent: the hub has their content when it resolves, to the names
   * of its chunks.
   */
  prepare(operations: readonly Operation[]): Promise<readonly string[]>;
  /** For the replicator. */
  readonly references: References;
  /**
   * Begins to look for changes on this disk and to bring those of others to it. The replica may be active by then, or
   * become so. It keeps no process alive.
   */
  start(): void;
  /** For processes that do not start it: `onConflict` hears of what comes from now on. Returns what ends it. */
  watch(): () => void;
  /** Resolves when nothing of what `start` began goes on. */
  stop(): Promise<void>;
  /** Resolves when everything that has changed on this disk by now is in the journal, pending or confirmed. */
  captured(): Promise<void>;
  /** Resolves when also everything that the order has brought by now is on this disk. */
  settled(): Promise<void>;
  /** The same as `captured` and `settled`, in a process that does not start it, by what another one does. */
  readonly byOthers: { captured(): Promise<void>; settled(): Promise<void> };
  /** How many places have, or may have, changes that are not pending yet: the hub is away, or they are being written. */
  readonly uncaptured: number;
  /**
   * Puts the content of a file in the place of its stub; for `FileSystemParts.fetch`.
   *
   * @throws HoldfastError `hub-damaged` when a chunk is missing or damaged, and as hubs do; TreeError. The stub stays.
   */
  fetch(locator: Locator): Promise<void>;
  /** The conflicts that the order has brought, oldest first; the last 256, the same in every region. */
  conflicts(): readonly FileConflict[];
  /** Stops, and closes the journal. */
  close(): Promise<void>;
}

/** Does no I/O. */
export function createFilesSync(options: FilesSyncOptions): FilesSync {
  const { place, durability, exclusively, compactAt, onCompaction, session, onConflict, onProblem = () => undefined } = options;
  const journal = new FilesJournal(place, {
    session,
    ...(durability && { durability }),
    ...(exclusively && { exclusively }),
    ...(compactAt && { compactAt }),
    ...(onCompaction && { onCompaction }),
  });
  const own = new BlobsOnLine(options.blobs, new Line(systemSurroundings));
  const blobs = new BlobsOnLine(options.blobs, new Line(systemSurroundings));
  const surroundings = { ...options, journal, blobs: own, stubs: stubsOf(place), eager: options.eager ?? false, report: onProblem };
  const prepare = new Prepare({ ...surroundings, blobs });
  const fetcher = new Fetcher({ ...surroundings, blobs });
  const reconciler = new Reconciler(surroundings, { prepare, fetcher, detach: options.detach ?? ((body) => body()) });
  const tellOfConflicts = (): void => {
    journal.state(); // what the journal holds already is no news
    if (onConflict !== undefined) journal.known.model.conflicts.listener = (conflict) => onConflict(forReaders(conflict, blobs));
  };
  return {
    journal,
    prepare: (operations) => prepare.operations(operations),
    references: fileReferences,
    start: () => {
      own.line = new Line(systemSurroundings);
      tellOfConflicts();
      reconciler.start();
    },
    watch: () => {
      tellOfConflicts();
      return journal.watch(() => quietly(() => journal.state()));
    },
    stop: async () => {
      own.line.cut();
      await reconciler.stop();
    },
    captured: () => reconciler.captured(),
    settled: () => reconciler.settled(),
    byOthers: new Onlooker(surroundings),
    get uncaptured() {
      return reconciler.uncaptured;
    },
    fetch: (locator) => fetcher.fetch(locator),
    conflicts: () => journal.state().model.conflicts.items.map((conflict) => forReaders(conflict, blobs)),
    close: async () => {
      for (const { line } of [own, blobs]) line.cut();
      await reconciler.stop();
      journal.close();
    },
  };
}

/** Whoever uses the journal next meets the same error, and has somebody to tell. */
function quietly(body: () => unknown): void {
  try {
    body();
  } catch {
    return;
  }
}

function forReaders({ serial, locator, winner, lost }: Conflict, blobs: Blobs): FileConflict {
  const { size, lastModified } = lost.manifest;
  const bytes = async (): Promise<Blob> => {
    const parts: Blob[] = [];
    for (const chunk of chunksOf(lost.manifest)) parts.push(new Blob([Buffer.from(await getChunk(chunk, blobs))]));
    return new Blob(parts);
  };
  return { serial, locator, winner, lost: { region: lost.region, size, lastModified, bytes } };
}
