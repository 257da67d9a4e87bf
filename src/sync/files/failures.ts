import type { Locator } from '../../disk/locator.ts';
import { TreeError } from '../../disk/tree/tree-error.ts';
import { errorMessage } from '../../runtime/errors.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HoldfastErrorCode } from '../../runtime/holdfast-error.ts';
import { keyOf } from './locators.ts';

/** What is wrong with one file, though the hub and the journal are well. */
const OF_ONE_FILE: ReadonlySet<HoldfastErrorCode> = new Set(['hub-damaged', 'hub-too-large']);

/** Whether what failed for one file would fail for the others too: the hub is away, the journal cannot be written. */
export function concernsAll(error: unknown): boolean {
  return error instanceof HoldfastError && !OF_ONE_FILE.has(error.code);
}

export function messageOf(error: unknown, locator: Locator): string {
  const message = errorMessage(error);
  return error instanceof TreeError ? message : `'/${keyOf(locator)}': ${message}`;
}
