import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { Session } from './session.ts';

/** Bytes of one message of an object: each costs a round trip. */
const CHUNK_BYTES = 512 * 1024;

/** Questions that are asked at once. */
const AT_ONCE = 64;

/** Puts bytes under a name that nothing else is put under. */
export async function putObject({ store, maxPayload }: Session, name: string, bytes: Uint8Array): Promise<void> {
  await store.putBlob({ name, options: { max_chunk_size: Math.min(CHUNK_BYTES, maxPayload) } }, bytes);
}

/**
 * The bytes of an object, or null.
 *
 * @param most - bytes that it may have
 * @throws HoldfastError `hub-damaged` when it has more, whatever it says itself
 */
export async function getObject({ store }: Session, name: string, most: number): Promise<Uint8Array | null> {
  const object = await store.get(name);
  if (object === null) return null;
  // What is wrong is told by the stream too.
  object.error.catch(() => undefined);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = object.data.getReader();
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length <= most) parts.push(part.value);
    else return await reader.cancel().then(() => Promise.reject(tooLarge(name, most)));
  }
  return Buffer.concat(parts, length);
}

function tooLarge(name: string, most: number): HoldfastError {
  return new HoldfastError('hub-damaged', `The object ${name} has more than ${most} bytes.`);
}

/** Calls for each of the names, many at once, and gives what each gave. */
export async function forEachName<T>(names: readonly string[], call: (name: string) => Promise<T>): Promise<T[]> {
  const answers: T[] = [];
  for (let start = 0; start < names.length; start += AT_ONCE) {
    answers.push(...(await Promise.all(names.slice(start, start + AT_ONCE).map(call))));
  }
  return answers;
}

/** Removes an object that nothing names any more. One that stays only takes up room. */
export async function deleteObject({ store }: Session, name: string): Promise<void> {
  await store.delete(name).catch(() => undefined);
}
