import fs from 'node:fs';
import { fingerprintOf } from '../../disk/tree/look.ts';
import type { Fingerprint } from '../../disk/tree/look.ts';
import { OverQuotaError } from '../../disk/quota/ledger.ts';
import { canHaveStubs, stubSize, writeStub } from '../../disk/tree/stub.ts';
import type { Swap } from '../../disk/tree/swap.ts';
import { setTimes } from '../../runtime/more-descriptor-calls.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { downloadContent } from './blobs.ts';
import type { Manifest } from './manifest.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * Gives a new file, which nobody sees yet, a content and its time.
 *
 * @throws HoldfastError hub-damaged when a chunk is missing or another; as hubs do
 */
export async function fillWithContent(swap: Swap, manifest: Manifest, { blobs }: Pick<Surroundings, 'blobs'>): Promise<Fingerprint> {
  swap.extent.cover(swap.content.stored(manifest.size));
  await downloadContent(manifest, blobs, swap);
  swap.finish();
  return setTime(swap, manifest);
}

/** The same with what should be there now: the content, or a stub where it is fetched when it is read. */
export async function fillAsWanted(swap: Swap, manifest: Manifest, surroundings: Surroundings): Promise<Fingerprint> {
  if (manifest.size > 0 && !surroundings.eager && canHaveStubs) return fillWithStub(swap, manifest, surroundings);
  try {
    return await fillWithContent(swap, manifest, surroundings);
  } catch (error) {
    if (!isNotToBeHad(error) || !canHaveStubs) throw error;
    surroundings.report(error.message);
    const mark = swap.extent.mark();
    fs.ftruncateSync(swap.descriptor);
    swap.extent.shrunk(0, mark);
    return fillWithStub(swap, manifest, surroundings);
  }
}

/** What the hub has lost, and what has no room here, is there by name, and says so to whoever reads it. */
function isNotToBeHad(error: unknown): error is Error {
  return error instanceof OverQuotaError || (error instanceof HoldfastError && error.code === 'hub-damaged');
}

function fillWithStub(swap: Swap, manifest: Manifest, { stubs }: Surroundings): Fingerprint {
  const stub = stubs.encode(manifest);
  swap.extent.cover(stubSize(stub));
  writeStub(swap, stub);
  swap.isFinished = true;
  return setTime(swap, manifest);
}

/** A quarter of a millisecond keeps the time from being one less after it was a fraction of seconds. */
function setTime({ descriptor, path }: Swap, { lastModified }: Manifest): Fingerprint {
  const seconds = (lastModified + 0.25) / 1000;
  setTimes(descriptor, path, seconds);
  return fingerprintOf(fs.fstatSync(descriptor));
}
