import fs from 'node:fs';
import type { Locator } from '../locator.ts';
import type { Located } from './locate.ts';
import { openPlain, READ } from './open-plain.ts';
import { mayBeStub } from './stub.ts';
import { TreeError } from './tree-error.ts';

/** A place where something is. */
export type Found = Located & { readonly stats: fs.Stats };

export function requireFile({ path, stats }: Found, locator: Locator): string {
  if (!stats.isFile()) throw new TreeError('type-mismatch', locator);
  return path;
}

/** The path of a file whose bytes are its content. */
export function requireContent(found: Found, locator: Locator): string {
  const path = requireFile(found, locator);
  // What opens it finds the stub, whatever has taken the name since.
  if (mayBeStub(found.stats)) fs.closeSync(openPlain(path, READ));
  return path;
}

export function requireDirectory({ path, stats }: Found, locator: Locator): string {
  if (!stats.isDirectory()) throw new TreeError('type-mismatch', locator);
  return path;
}
