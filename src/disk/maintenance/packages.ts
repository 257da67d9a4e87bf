import fs from 'node:fs';
import { createRequire } from 'node:module';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

/*
 * fs-extra and proper-lockfile, for maintenance of whole trees and roots. Importing either of them replaces functions of
 * `fs` and `process` for the whole program, so they are loaded when a tree is to be deleted or a root is to be locked, and
 * by nothing else.
 */

/** What is used of fs-extra. */
interface FsExtra {
  /** Deletes a file, or a directory with all that is below it; nothing where there is none. */
  remove(path: string): Promise<void>;
}

/** What is used of proper-lockfile. */
interface ProperLockfile {
  lock(file: string, options: LockOptions): Promise<() => Promise<void>>;
}

interface LockOptions {
  readonly lockfilePath: string;
  readonly realpath: false;
  /** Milliseconds after which a lock that nobody touches counts as left behind, and between two touches. */
  readonly stale: number;
  readonly update: number;
  readonly onCompromised: (error: Error) => void;
}

/** Only made where it is needed: not every runtime can from every URL. */
function load<Module>(name: string): Module {
  try {
    return createRequire(import.meta.url)(name) as Module;
  } catch (cause) {
    throw new HoldfastError('bad-option', `The package ${name}, which Holdfast depends on, cannot be loaded: ${errorMessage(cause)}`, { cause });
  }
}

export const fsExtra = (): FsExtra => load('fs-extra');
export const properLockfile = (): ProperLockfile => load('proper-lockfile');

/** Deletes a tree. What somebody else deletes meanwhile is no error. */
export async function removeTree(path: string): Promise<void> {
  // A look costs less than loading the package, where nothing is left to do.
  if (fs.lstatSync(path, { throwIfNoEntry: false }) !== undefined) await fsExtra().remove(path);
}
