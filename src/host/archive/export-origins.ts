import { ReadableStream } from 'node:stream/web';
import { bucketsOf, placeOf } from '../../disk/root/origins.ts';
import { hasOrigin, pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import type { Root } from '../../disk/root/root.ts';
import { encodeOrigin } from '../../disk/names/origin.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { wallClock } from '../../runtime/timers.ts';
import { exportBucket } from './export-bucket.ts';
import { exportCoordinators } from './export-coordinators.ts';
import { DEFAULT_BUCKET, FORMAT, HEAD, type ArchiveHead } from './layout.ts';
import { TarWriter, type Pieces } from './tar-writer.ts';

/**
 * An archive of all that origins have. Read-only; each map, file, database and index of caches is as it was at one
 * moment.
 *
 * @param only - a named bucket: of each origin there is nothing else.
 * @throws HoldfastError origin-missing before the first piece; journal-damaged, disk-failed and others where it stops
 */
export async function* exportOrigins(root: Root, origins: readonly string[], only?: string): Pieces {
  requireOrigins(root, origins, only);
  const foldsNames = root.open()?.foldsNames ?? false;
  const to = new TarWriter(wallClock());
  const head: ArchiveHead = { format: FORMAT, made: new Date(wallClock()).toISOString(), origins, ...(only !== undefined && { only }) };
  yield* to.whole(HEAD, `${JSON.stringify(head)}\n`);
  for (const origin of origins) {
    const at = encodeOrigin(origin);
    yield* to.whole(`${at}/origin.json`, `${JSON.stringify({ origin })}\n`);
    for (const [index, bucket] of bucketsOf(pathOfOrigin(root, origin)).entries()) {
      const { name, entry } = bucket;
      if (only !== undefined && (entry === null || name !== only)) continue;
      yield* exportBucket(to, `${at}/${entry === null ? DEFAULT_BUCKET : `bucket-${index}`}`, { origin, name, entry, place: placeOf(root, origin, bucket), foldsNames });
    }
    if (only === undefined) yield* exportCoordinators(to, at, root, origin, foldsNames);
  }
  yield* to.end();
}

/** @throws HoldfastError origin-missing; bad-option for a named bucket that is not there, or of several origins */
export function requireOrigins(root: Root, origins: readonly string[], only?: string): void {
  for (const origin of origins) {
    if (root.open() === null || !hasOrigin(root, origin)) throw new HoldfastError('origin-missing', `The root ${root.path} has nothing of ${origin}.`);
  }
  if (only === undefined) return;
  const [origin = '', ...others] = origins;
  if (others.length > 0) throw new HoldfastError('bad-option', `A bucket is one of one origin, not of ${origins.length}.`);
  const isThere = bucketsOf(pathOfOrigin(root, origin)).some(({ name, entry }) => entry !== null && name === only);
  if (!isThere) throw new HoldfastError('bad-option', `${origin} has no bucket '${only}'.`);
}

/** The same as a stream, which reads on as it is read. */
export function exportStream(pieces: Pieces): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await pieces.next();
        if (done === true) return controller.close();
        if (value.length === 0) continue;
        return controller.enqueue(value);
      }
    },
    async cancel() {
      await pieces.return();
    },
  });
}
