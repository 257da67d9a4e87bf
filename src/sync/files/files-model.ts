import type { Locator } from '../../disk/locator.ts';
import { damaged } from '../../disk/replica/byte-reader.ts';
import type { ByteReader } from '../../disk/replica/byte-reader.ts';
import type { ByteWriter } from '../../disk/replica/byte-writer.ts';
import type { Model, Refusal } from '../../disk/replica/model.ts';
import type { Operation } from '../../disk/replica/operation.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { CHANGE, decodeChange, encodeChange } from './change.ts';
import type { Change, Step } from './change.ts';
import { Conflicts, readConflicts, readVersion, writeVersion } from './conflicts.ts';
import { readLocator, writeLocator } from './locators.ts';
import { PathTree } from './path-tree.ts';
import { applyChange, DIRECTORY, fileEntry } from './table.ts';
import type { Table, TableEntry } from './table.ts';

/** The region that seeds are of is that of the versions which they were; whoever sends them is none of them. */
const NO_REGION = '';

/**
 * What a hub's order says of the files of an origin: which are there, in which version, and which versions have lost
 * their place. The same in every region at the same position. The rules are those of `applyChange`.
 */
export class FilesModel implements Model, Table {
  readonly conflicts = new Conflicts();
  /** Hears of each place at which the confirmed state has changed. */
  listener: ((locator: Locator) => void) | null = null;
  #entries = new PathTree<TableEntry>();

  get(locator: Locator): TableEntry | undefined {
    return this.#entries.get(locator);
  }

  hasChildren(locator: Locator): boolean {
    return this.#entries.hasChildren(locator);
  }

  childNames(locator: Locator): Iterable<string> {
    return this.#entries.childNames(locator);
  }

  /** Everything, a directory before what is in it. */
  entries(): Iterable<[Locator, TableEntry]> {
    return this.#entries.below([]);
  }

  set(locator: Locator, entry: TableEntry): void {
    this.#entries.set(locator, entry);
    this.listener?.(locator);
  }

  delete(locator: Locator): void {
    this.#entries.delete(locator);
    this.listener?.(locator);
  }

  directoriesTo(locator: Locator, depth: number): number {
    return this.#entries.depthOf(locator, depth, ({ kind }) => kind === 'directory');
  }

  /** The deepest place stands for those above: whoever looks at it looks at all on the way. */
  makeDirectories(locator: Locator, depth: number): void {
    this.#entries.fill(locator, depth, DIRECTORY);
    this.listener?.(locator.slice(0, depth));
  }

  confirm(operation: Operation): Refusal | null {
    const change = readChange(operation);
    if (change === null) return 'damaged';
    applyChange(this, change, operation, this.conflicts);
    return null;
  }

  knows(kind: number): boolean {
    return kind === CHANGE;
  }

  isAwaited(): boolean {
    return false;
  }

  clear(): void {
    this.#entries.clear();
    this.conflicts.clear();
  }

  write(writer: ByteWriter): void {
    const entries = [...this.entries()];
    writer.integer(entries.length);
    for (const [locator, entry] of entries) {
      writeLocator(writer, locator);
      writer.byte(entry.kind === 'file' ? 1 : 0);
      if (entry.kind === 'file') writeVersion(writer, entry);
    }
    this.conflicts.write(writer);
  }

  read(reader: ByteReader): void {
    const entries = readEntries(reader);
    const conflicts = readConflicts(reader);
    reader.end();
    this.#entries = entries;
    this.conflicts.replace(conflicts);
  }

  *seeds(): Generator<{ kind: number; payload: Uint8Array }> {
    for (const [locator, entry] of this.entries()) {
      const step: Step = entry.kind === 'file' ? { type: 'seed', locator, manifest: entry.manifest } : { type: 'directory', locator };
      const region = entry.kind === 'file' ? entry.region : NO_REGION;
      yield { kind: CHANGE, payload: encodeChange({ region, steps: [step] }) };
    }
  }
}

function readEntries(reader: ByteReader): PathTree<TableEntry> {
  const entries = new PathTree<TableEntry>();
  for (let left = reader.integer(); left > 0; left -= 1) {
    const locator = readLocator(reader);
    const entry = reader.byte() === 1 ? fileEntry(readVersion(reader)) : DIRECTORY;
    const isInDirectory = locator.length === 1 || entries.get(locator.slice(0, -1))?.kind === 'directory';
    if (!isInDirectory || entries.get(locator) !== undefined) throw damaged('an entry is twice in a snapshot, or in no directory');
    entries.set(locator, entry);
  }
  return entries;
}

/** Null for an operation that makes no sense. */
export function readChange({ kind, payload }: Pick<Operation, 'kind' | 'payload'>): Change | null {
  if (kind !== CHANGE) return null;
  try {
    return decodeChange(payload);
  } catch (error) {
    if (error instanceof HoldfastError) return null;
    throw error;
  }
}
