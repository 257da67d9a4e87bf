import type { Locator } from '../../disk/locator.ts';
import { isSameOperation } from '../../disk/replica/operation.ts';
import type { OperationId } from '../../disk/replica/operation.ts';
import type { Change, Step } from './change.ts';
import { contentKey } from './manifest.ts';
import type { ContentKey, Manifest } from './manifest.ts';

/** One content that a file has or had. */
export interface Version {
  /** The operation that wrote it. */
  readonly id: OperationId;
  /** Where it was written. */
  readonly region: string;
  readonly manifest: Manifest;
}

export interface FileEntry extends Version {
  readonly kind: 'file';
  readonly key: ContentKey;
}

/** What the order says is at a place. */
export type TableEntry = { readonly kind: 'directory' } | FileEntry;

export const DIRECTORY: TableEntry = { kind: 'directory' };

/** What changes are applied to. Every entry but those of the root is in a directory. */
export interface Table {
  get(locator: Locator): TableEntry | undefined;
  hasChildren(locator: Locator): boolean;
  set(locator: Locator, entry: TableEntry): void;
  delete(locator: Locator): void;
  /** How many of the first `depth` places on the way are directories, in a row. */
  directoriesTo(locator: Locator, depth: number): number;
  /** Makes the first `depth` places on the way directories, of which none is a file. */
  makeDirectories(locator: Locator, depth: number): void;
}

/** Hears of versions that lost their place to others whose writers had not seen them. */
export interface Losses {
  lost(locator: Locator, version: Version, to: Version | null): void;
  /** The writer of a later version had seen this one. */
  seen(locator: Locator, version: OperationId): void;
}

/**
 * Applies a change, which is the operation `id`. The rules, by which all regions come to the same:
 *
 * - a file's later version in the order has its place; the one before is lost unless its writer had seen it, or wrote
 *   the same;
 * - what is removed goes only if whoever removed it had seen this very version: a version that was written meanwhile
 *   stays, and a directory stays while anything is in it;
 * - a file brings back the directories that it is in;
 * - where one is a file and another a directory, the directory has the place, and the file is lost.
 *
 * Nothing disappears that nobody removed: what is lost is told of.
 */
export function applyChange(table: Table, { region, steps }: Change, id: OperationId, losses: Losses): void {
  for (const step of steps) applyStep(table, step, { id, region }, losses);
}

function applyStep(table: Table, step: Step, author: Omit<Version, 'manifest'>, losses: Losses): void {
  const { locator } = step;
  switch (step.type) {
    case 'file':
      return putFile(table, step, { ...author, manifest: step.manifest }, losses);
    case 'seed':
      return seedFile(table, locator, { ...author, manifest: step.manifest }, losses);
    case 'directory':
      return makeDirectories(table, locator, locator.length, losses);
    case 'gone-file': {
      const current = table.get(locator);
      if (current?.kind === 'file' && isSameOperation(current.id, step.expected)) table.delete(locator);
      return;
    }
    case 'gone-directory':
      if (table.get(locator)?.kind === 'directory' && !table.hasChildren(locator)) table.delete(locator);
  }
}

function putFile(table: Table, { locator, expected }: Extract<Step, { type: 'file' }>, version: Version, losses: Losses): void {
  makeDirectories(table, locator, locator.length - 1, losses);
  const current = table.get(locator);
  if (current?.kind === 'directory') return losses.lost(locator, version, null);
  const entry = fileEntry(version);
  losses.seen(locator, expected);
  if (current !== undefined && !isSameOperation(current.id, expected) && current.key !== entry.key) {
    losses.lost(locator, versionOf(current), version);
  }
  table.set(locator, entry);
}

function seedFile(table: Table, locator: Locator, version: Version, losses: Losses): void {
  makeDirectories(table, locator, locator.length - 1, losses);
  const current = table.get(locator);
  const entry = fileEntry(version);
  if (current === undefined) table.set(locator, entry);
  else if (current.kind === 'directory') losses.lost(locator, version, null);
  else if (current.key !== entry.key) losses.lost(locator, version, versionOf(current));
}

/** Makes the first `depth` places on the way to `locator` directories: a region may ask for thousands in one step. */
function makeDirectories(table: Table, locator: Locator, depth: number, losses: Losses): void {
  const there = table.directoriesTo(locator, depth);
  if (there === depth) return;
  // Below a file, or nothing, there is nothing.
  const first = locator.slice(0, there + 1);
  const current = table.get(first);
  if (current?.kind === 'file') {
    losses.lost(first, versionOf(current), null);
    table.set(first, DIRECTORY);
  }
  table.makeDirectories(locator, depth);
}

export function fileEntry({ id, region, manifest }: Version): FileEntry {
  return { kind: 'file', id: { session: id.session, sequence: id.sequence }, region, manifest, key: contentKey(manifest) };
}

function versionOf({ id, region, manifest }: FileEntry): Version {
  return { id, region, manifest };
}
