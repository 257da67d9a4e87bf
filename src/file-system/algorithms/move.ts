import { isWithin, sameLocator } from '../../disk/locator.ts';
import type { Locator } from '../../disk/locator.ts';
import type { OperationResult } from '../../disk/locks/lock-table.ts';
import { nameOf } from '../entry.ts';
import type { Entry } from '../entry.ts';
import { entryError, webError } from '../errors.ts';

interface Move {
  /** The moved handle's entry; it gets the new place when the entry has got there. */
  readonly entry: Entry;
  readonly source: Locator;
  readonly target: Locator;
  readonly context: string;
}

/** @throws DOMException NotFoundError unless there is something of the handle's kind to move */
function requireSource({ entry, source, context }: Move): void {
  if (entry.system.tree.kindOf(source) !== entry.kind) {
    throw entryError('NotFoundError', context, source, 'does not exist');
  }
}

/** Only a file may be replaced, and only by a file. */
function requireReplaceable({ entry, target, context }: Move): void {
  const found = entry.system.tree.kindOf(target);
  if (found === null || (found === 'file' && entry.kind === 'file')) return;
  throw entryError('InvalidModificationError', context, target, `is a ${found} that would be in the way`);
}

/** @throws DOMException NotFoundError when the directory to move into is not there */
function requireParent({ entry, target, context }: Move): void {
  const parent = target.slice(0, -1);
  if (parent.length > 0 && entry.system.tree.kindOf(parent) !== 'directory') {
    throw entryError('NotFoundError', context, parent, 'does not exist');
  }
}

async function moveNow(move: Move): Promise<OperationResult<void>> {
  const { entry, source, target } = move;
  requireSource(move);
  const stays = sameLocator(source, target);
  if (!stays) {
    requireParent(move);
    requireReplaceable(move);
    await entry.system.tree.move(source, target);
    entry.locator = target;
  }
  return { changed: !stays, value: undefined };
}

/** What can be said before anything is looked at. */
function requirePossible({ entry, source, target, context }: Move): void {
  if (source.length === 0) throw entryError('InvalidModificationError', context, source, 'is the root, which stays');
  if (entry.kind === 'directory' && isWithin(target, source) && target.length > source.length) {
    throw entryError('InvalidModificationError', context, source, 'cannot move into itself');
  }
}

/** https://github.com/whatwg/fs/pull/10 */
export async function move(
  entry: Entry,
  directory: Entry | undefined,
  name: string | undefined,
  context: string,
): Promise<void> {
  const { system, kind, locator: source } = entry;
  system.requireOpen(context);
  if (directory !== undefined && !directory.system.isSameBucket(system)) {
    throw entryError('InvalidModificationError', context, source, 'cannot move to another bucket');
  }
  const parent = directory?.locator ?? source.slice(0, -1);
  const target = [...parent, name ?? nameOf(entry)];
  const plan: Move = { entry, source, target, context };
  requirePossible(plan);
  try {
    await system.displace(
      [source, target],
      () => ({ operation: 'move', kind, source, target }),
      () => moveNow(plan),
    );
  } catch (error) {
    throw webError(error, context);
  }
}
