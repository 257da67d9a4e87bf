import fs from 'node:fs';
import path from 'node:path';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { isDraft } from '../spelling.ts';

/** Names in a root that no version gives to anything before the root is complete, or that belong to the root of a hub. */
const neverBefore = ['trash', 'holdfast.reserve', 'holdfast-hub.json'];

/**
 * An entry of a directory without a manifest that cannot be what a killed creator has left, relative to it; null where
 * there is none. A root there would take it for its own, and some day delete it.
 */
export function foreignEntry(root: string): string | null {
  for (const name of neverBefore) if (kindOf(path.join(root, name)) !== 'nothing') return name;
  return foreignIn(root, 'new', isDraft) ?? foreignIn(root, 'origins', () => false);
}

function foreignIn(root: string, name: string, isOurs: (entry: string) => boolean): string | null {
  const directory = path.join(root, name);
  const kind = kindOf(directory);
  if (kind !== 'directory') return kind === 'nothing' ? null : name;
  const entry = fs.readdirSync(directory).find((each) => !isOurs(each));
  return entry === undefined ? null : path.join(name, entry);
}

function kindOf(entry: string): 'nothing' | 'directory' | 'other' {
  const stats = fs.lstatSync(entry, { throwIfNoEntry: false });
  if (stats === undefined) return 'nothing';
  return stats.isDirectory() ? 'directory' : 'other';
}

/** Whether the entries of `origins/` are origins of a root, rather than what somebody else calls so. */
export function hasOrigins(origins: string, names: readonly string[]): boolean {
  return names.some((name) => fs.existsSync(path.join(origins, name, 'origin.json')));
}

export function foreignError(root: string, entry: string): HoldfastError {
  const message = `The directory ${root} cannot become a root: its entry ${entry} is not Holdfast's, and has a name that a root needs. Choose a directory of its own.`;
  return new HoldfastError('root-unusable', message);
}
