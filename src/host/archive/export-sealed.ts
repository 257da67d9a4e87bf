import fs from 'node:fs';
import { keysOfPlaces } from '../../disk/backup/capture-context.ts';
import { captureOrigin, type Captured } from '../../disk/backup/origin-capture.ts';
import { NO_PREVIOUS } from '../../disk/backup/read-listing.ts';
import type { TakenFile } from '../../disk/backup/taken.ts';
import { pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { rootFailure } from '../../disk/root/failure.ts';
import type { Root } from '../../disk/root/root.ts';
import { outsideContexts } from '../../runtime/callback-context.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { captureCode } from '../backup/capture-code.ts';
import { contentOfFile } from './content-of-file.ts';
import { SEALED, SEALED_HEAD, type SealedHead } from './layout.ts';
import type { Pieces, TarWriter } from './tar-writer.ts';

/**
 * An encrypted origin as it is on the disk, below `at`: nobody reads it without its key, and nobody needs one to bring it
 * back. All of it is as of one moment.
 *
 * @throws HoldfastError key-missing, key-wrong; disk-failed where a file is written to without a pause
 */
export async function* exportSealed(to: TarWriter, at: string, root: Root, origin: string): Pieces {
  const foldsNames = root.open()?.foldsNames ?? false;
  const { taken, draft } = await capture(root, origin, foldsNames);
  try {
    const [left] = taken.leftOut;
    if (left !== undefined) throw new HoldfastError('disk-failed', `'${left[0]}' of ${origin} cannot be exported: ${left[1]} Export it while nobody writes to it.`);
    const head: SealedHead = { foldsNames, places: taken.places };
    yield* to.whole(`${at}/${SEALED_HEAD}`, `${JSON.stringify(head)}\n`);
    for (const directory of [...new Set(taken.directories)].sort()) yield* to.directory(`${at}/${SEALED}/${directory}`);
    for (const file of [...taken.files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
      draft.touch();
      yield* exportTaken(to, `${at}/${SEALED}/${file.path}`, file);
    }
  } finally {
    draft.remove();
  }
}

async function capture(root: Root, origin: string, foldsNames: boolean): Promise<Captured> {
  const directory = pathOfOrigin(root, origin);
  const keysOf = await keysOfPlaces(root, directory, origin);
  try {
    return await captureOrigin(directory, { workshop: root.workshop, foldsNames, shared: root.shared, code: captureCode, previous: NO_PREVIOUS, detach: outsideContexts, keysOf });
  } catch (error) {
    throw rootFailure('read', root.path, error);
  }
}

async function* exportTaken(to: TarWriter, path: string, file: TakenFile): Pieces {
  if (file.kept !== null) throw new Error(`'${path}' is in no backup`);
  const modified = Number(BigInt(file.facts.mtime) / 1_000_000n);
  if (typeof file.content !== 'string') return yield* to.whole(path, file.content, { modified });
  const { size } = fs.statSync(file.content);
  const cause = yield* to.stream(path, size, contentOfFile(file.content), { modified });
  if (cause !== null) throw new HoldfastError('disk-failed', `What was taken of '${path}' cannot be read.`, { cause });
}
