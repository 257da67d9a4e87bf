import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { LockTable } from '../../src/disk/locks/table.ts';
import type { LockTableOptions } from '../../src/disk/locks/table.ts';
import { BucketDirectory } from '../../src/disk/root/bucket-directory.ts';
import { Root } from '../../src/disk/root/root.ts';
import { FileTree } from '../../src/disk/tree/file-tree.ts';
import { createRootHandle, FileSystem } from '../../src/file-system/index.ts';
import type { FileSystemDirectoryHandle, FileSystemFileHandle } from '../../src/file-system/index.ts';
import type { Blobs } from '../../src/sync/files/blobs.ts';
import { createFilesSync, FilesModel } from '../../src/sync/files/files-sync.ts';
import type { FileConflict, FilesSync } from '../../src/sync/files/files-sync.ts';
import type { FilesJournal } from '../../src/sync/files/files-journal.ts';
import { Replicator } from '../../src/sync/replicator/replicator.ts';
import { memoryHub } from '../support/memory-hub.ts';
import { MemoryEngine } from '../support/memory-hub.ts';

export const LOG = 'https://app.example files';

const cleanups: (() => void | Promise<void>)[] = [];

export function atEnd(cleanup: () => void | Promise<void>): void {
  cleanups.push(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export interface RegionOptions {
  readonly engine: MemoryEngine;
  readonly name?: string;
  readonly eager?: boolean;
  /** An earlier region's root, to go on with. */
  readonly directory?: string;
  /** Only looks and fetches, as the processes do that are not elected. */
  readonly idle?: boolean;
  /** From which size on the journal is compacted, in bytes. */
  readonly compactAt?: number;
  /** Where content is, when not in the hub's memory. */
  readonly blobs?: Blobs;
  /** Which thread it says it runs on, and which of those it takes for dead. */
  readonly locks?: Pick<LockTableOptions, 'identity' | 'probe' | 'leaseMs'>;
}

let sessions = 0;

/** A region with a root of its own, whose files are synced. */
export class Region {
  readonly name: string;
  readonly directory: string;
  readonly engine: MemoryEngine;
  readonly locks: LockTable;
  readonly tree: FileTree;
  readonly sync: FilesSync;
  readonly root: FileSystemDirectoryHandle;
  readonly system: FileSystem;
  readonly problems: string[] = [];
  readonly conflicts: FileConflict[] = [];
  readonly bucket: string;
  #replicator: Replicator | null = null;

  constructor({ compactAt, engine, name = `region-${(sessions += 1)}`, eager = false, directory, idle = false, locks = {}, blobs = memoryHub(engine).log(LOG) }: RegionOptions) {
    this.engine = engine;
    this.name = name;
    this.directory = directory ?? fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-files-'));
    if (directory === undefined) atEnd(() => fs.rmSync(this.directory, { recursive: true, force: true }));
    const place = new BucketDirectory(new Root(path.join(this.directory, 'root'), 'relaxed'), 'https://app.example', 'default');
    this.bucket = place.path;
    this.locks = new LockTable(place, locks);
    this.tree = new FileTree(place, { epoch: () => this.locks.epoch(), session: this.locks.folder });
    this.sync = createFilesSync({
      place,
      tree: this.tree,
      locks: this.locks,
      blobs,
      region: name,
      session: Math.floor(Math.random() * 2 ** 52) + 1,
      eager,
      ...(compactAt !== undefined && { compactAt }),
      onProblem: (problem) => this.problems.push(problem),
      onConflict: (conflict) => this.conflicts.push(conflict),
    });
    this.system = new FileSystem({
      origin: 'https://app.example',
      bucket: 'default',
      place,
      tree: this.tree,
      locks: this.locks,
      load: () => import('../../src/file-system/algorithms/index.ts'),
      salt: () => '5a17',
      fetch: (locator) => this.sync.fetch(locator),
    });
    this.root = createRootHandle(this.system);
    atEnd(() => this.close());
    if (!idle) this.begin();
  }

  get journal(): FilesJournal {
    return this.sync.journal as FilesJournal;
  }

  begin(): void {
    this.connect();
    this.sync.start();
  }

  /** Begins to talk to the hub, anew when it did before: nothing waits until it tries again. */
  connect(): void {
    this.#replicator = new Replicator({
      journal: this.sync.journal,
      log: memoryHub(this.engine).log(LOG),
      capabilities: this.engine.capabilities,
      name: 'a log',
      path: '/files',
      hubName: 'memory',
      region: this.name,
      cap: 2 ** 24,
      model: () => new FilesModel(),
      quarantine: () => undefined,
      prepare: (operations) => this.sync.prepare(operations),
      references: this.sync.references,
    });
    this.#replicator.start();
  }

  async disconnect(): Promise<void> {
    await this.#replicator?.stop();
    this.#replicator = null;
  }

  async close(): Promise<void> {
    await this.system.close();
    await this.disconnect();
    await this.sync.close();
    await this.locks.close();
  }

  async write(name: string, content: string | Uint8Array<ArrayBuffer>): Promise<void> {
    const writable = await (await this.file(name, true)).createWritable();
    await writable.write(content);
    await writable.close();
  }

  async read(name: string): Promise<string> {
    return (await (await this.file(name)).getFile()).text();
  }

  async file(name: string, create = false): Promise<FileSystemFileHandle> {
    const names = name.split('/');
    const last = names.pop() ?? '';
    return (await this.folder(names.join('/'), create)).getFileHandle(last, { create });
  }

  async folder(name: string, create = false): Promise<FileSystemDirectoryHandle> {
    let directory = this.root;
    for (const part of name.split('/').filter((part) => part !== '')) directory = await directory.getDirectoryHandle(part, { create });
    return directory;
  }

  /** Whether the disk has a stub there. */
  isStub(name: string): boolean {
    return this.tree.manifest(name.split('/')) !== null;
  }

  /** Everything in the tree, contents fetched; directories end in '/'. */
  async content(): Promise<Record<string, string>> {
    const found: Record<string, string> = {};
    const walk = async (directory: FileSystemDirectoryHandle, prefix: string): Promise<void> => {
      for await (const [name, handle] of directory.entries()) {
        if (handle.kind === 'directory') {
          found[`${prefix}${name}/`] = '';
          await walk(handle as FileSystemDirectoryHandle, `${prefix}${name}/`);
        } else {
          found[prefix + name] = await (await (handle as FileSystemFileHandle).getFile()).text();
        }
      }
    };
    await walk(this.root, '');
    return Object.fromEntries(Object.entries(found).sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  get position(): number {
    return this.sync.journal.current().position;
  }

  get pending(): number {
    return this.sync.journal.current().pending.length;
  }
}

/** Waits until all that was done anywhere is everywhere. */
export async function converge(...regions: Region[]): Promise<void> {
  const isDone = async (): Promise<boolean> => {
    for (const region of regions) await region.sync.settled();
    const [first] = regions;
    const head = first?.engine.log(LOG).position ?? 0;
    return regions.every(({ position, pending, sync }) => position === head && pending === 0 && sync.uncaptured === 0);
  };
  for (let calm = 0; calm < 2; ) {
    calm = (await isDone()) ? calm + 1 : 0;
    await pause();
  }
}

export function hubLog(engine: MemoryEngine): ReturnType<MemoryEngine['log']> {
  return engine.log(LOG);
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 2));
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`not reached: ${condition.toString()}`);
    await pause();
  }
}

/** Two regions of one hub. */
export function twoRegions(eager = false): [Region, Region] {
  const engine = new MemoryEngine();
  return [new Region({ engine, name: 'a', eager }), new Region({ engine, name: 'b', eager })];
}

/** What a region has lost to others, and to whom. */
export async function lostTo(region: Region): Promise<[path: string, content: string, from: string, winner: string | null][]> {
  const conflicts = region.sync.conflicts();
  return Promise.all(
    conflicts.map(async ({ locator, lost, winner }) => {
      const content = await (await lost.bytes()).text();
      return [locator.join('/'), content, lost.region, winner] as [string, string, string, string | null];
    }),
  );
}
