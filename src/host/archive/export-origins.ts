import { ReadableStream } from 'node:stream/web';
import { bucketsOf, keysOf, placeOf } from '../../disk/root/origins.ts';
import { hasOrigin, pathOfOrigin } from '../../disk/maintenance/replace-origin.ts';
import { isEncrypted, unlockedVault } from '../../disk/root/encrypted.ts';
import type { Root } from '../../disk/root/root.ts';
import { encodeOrigin } from '../../disk/names/origin.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { wallClock } from '../../runtime/timers.ts';
import { exportBucket } from './export-bucket.ts';
import { exportCoordinators } from './export-coordinators.ts';
import { exportSealed } from './export-sealed.ts';
import { DEFAULT_BUCKET, FORMAT, HEAD, SEALED_FORMAT, type ArchiveHead } from './layout.ts';
import { TarWriter, type Pieces } from './tar-writer.ts';

/**
 * An archive of all that origins have. Read-only; each map, file, database and index of caches is as it was at one
 * moment.
 *
 * Encrypted origins stay encrypted, see {@link exportSealed}, unless they are asked for as they are.
 *
 * @throws HoldfastError origin-missing, key-missing, key-wrong before the first piece; journal-damaged, disk-failed and others where it stops
 */
export async function* exportOrigins(root: Root, origins: readonly string[], { only, isPlain = false }: ExportedParts = {}): Pieces {
  requireOrigins(root, origins, only);
  requireWhole(root, origins, only, isPlain);
  const sealed = new Set(isPlain ? [] : origins.filter((origin) => isEncrypted(pathOfOrigin(root, origin))));
  await requireKeys(root, origins);
  const foldsNames = root.open()?.foldsNames ?? false;
  const to = new TarWriter(wallClock());
  const head: ArchiveHead = { format: sealed.size > 0 ? SEALED_FORMAT : FORMAT, made: new Date(wallClock()).toISOString(), origins, ...(only !== undefined && { only }) };
  yield* to.whole(HEAD, `${JSON.stringify(head)}\n`);
  for (const origin of origins) {
    const at = encodeOrigin(origin);
    yield* to.whole(`${at}/origin.json`, `${JSON.stringify({ origin })}\n`);
    if (sealed.has(origin)) {
      yield* exportSealed(to, at, root, origin);
      continue;
    }
    for (const [index, bucket] of bucketsOf(pathOfOrigin(root, origin), keysOf(root, origin)).entries()) {
      const { name, entry } = bucket;
      if (only !== undefined && (entry === null || name !== only)) continue;
      yield* exportBucket(to, `${at}/${entry === null ? DEFAULT_BUCKET : `bucket-${index}`}`, { origin, name, entry, place: placeOf(root, origin, bucket), foldsNames });
    }
    if (only === undefined) yield* exportCoordinators(to, at, root, origin, foldsNames);
  }
  yield* to.end();
}

export interface ExportedParts {
  /** A named bucket: of each origin there is nothing else. */
  readonly only?: string | undefined;
  /** Whether what is encrypted is exported as it was before. */
  readonly isPlain?: boolean;
}

/** Before the first piece. @throws HoldfastError key-missing, key-wrong, key-pending, keys-damaged */
async function requireKeys(root: Root, origins: readonly string[]): Promise<void> {
  for (const origin of origins) await unlockedVault(root, pathOfOrigin(root, origin), origin, 'it cannot be read, nor seen as of one moment');
}

/** @throws HoldfastError origin-missing; bad-option for a named bucket that is not there, or of several origins */
export function requireOrigins(root: Root, origins: readonly string[], only?: string): void {
  for (const origin of origins) {
    if (root.open() === null || !hasOrigin(root, origin)) throw new HoldfastError('origin-missing', `The root ${root.path} has nothing of ${origin}.`);
  }
  if (only === undefined) return;
  const [origin = '', ...others] = origins;
  if (others.length > 0) throw new HoldfastError('bad-option', `A bucket is one of one origin, not of ${origins.length}.`);
  const isThere = bucketsOf(pathOfOrigin(root, origin), keysOf(root, origin)).some(({ name, entry }) => entry !== null && name === only);
  if (!isThere) throw new HoldfastError('bad-option', `${origin} has no bucket '${only}'.`);
}

/** What is encrypted is exported whole, or not encrypted. @throws HoldfastError bad-option */
function requireWhole(root: Root, [origin = '']: readonly string[], only: string | undefined, isPlain: boolean): void {
  if (only === undefined || isPlain || !isEncrypted(pathOfOrigin(root, origin))) return;
  throw new HoldfastError('bad-option', `${origin} is encrypted: a bucket of it alone can only be exported plain.`);
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
