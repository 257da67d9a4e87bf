import type { ObjectInfo, ObjectStore } from '@nats-io/obj';
import { isError } from '../../../runtime/errors.ts';
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
 * @throws HoldfastError `hub-damaged` when it has more, whatever it says itself, or what is kept about it makes no sense
 */
export async function getObject({ store }: Session, name: string, most: number): Promise<Uint8Array | null> {
  const info = await soundInfo(store, name);
  if (info !== null && info.size > most) throw tooLarge(name, most);
  const object = info && (await store.get(name));
  if (object === null) return null;
  // What is wrong is told by the stream too.
  object.error.catch(() => undefined);
  const parts: Uint8Array[] = [];
  let length = 0;
  const reader = object.data.getReader();
  const next = () => reader.read().catch((error: unknown) => Promise.reject(isCorruption(error) ? damagedObject(name, error) : error));
  for (let part = await next(); !part.done; part = await next()) {
    length += part.value.length;
    if (length <= most) parts.push(part.value);
    else return await reader.cancel().then(() => Promise.reject(tooLarge(name, most)));
  }
  return Buffer.concat(parts, length);
}

/** What it begins with tells how it was made; with the client's own codec. */
const DIGEST = /^SHA-256=[A-Za-z0-9_=-]+$/;

/** It becomes a part of a subject, in which some characters stand for many others. */
const NUID = /^[A-Za-z0-9]+$/;

/**
 * What is kept about an object, null when there is none. The client believes what it reads, and anybody may have
 * published it: it would follow a link to another object, or in a circle, and remove whatever is under `nuid`.
 *
 * @throws HoldfastError `hub-damaged`
 */
async function soundInfo(store: ObjectStore, name: string): Promise<ObjectInfo | null> {
  const info = await store.info(name).catch((error: unknown) => Promise.reject(isNonsense(error) ? damagedObject(name, error) : error));
  if (info === null || info.deleted) return null;
  const isSound = (info.options?.link ?? null) === null && NUID.test(info.nuid) && DIGEST.test(info.digest) && Number.isSafeInteger(info.size) && info.size >= 0;
  if (isSound) return info;
  throw damagedObject(name, null);
}

/** Of the client, which has no code for it. */
function isCorruption(error: unknown): boolean {
  return isError(error) && error.message.startsWith('received a corrupt object');
}

/** The client takes what is kept about an object for what it should be: errors of the language tell that it is not. */
function isNonsense(error: unknown): boolean {
  return isError(error) && ['SyntaxError', 'TypeError', 'RangeError'].includes(error.name);
}

function damagedObject(name: string, cause: unknown): HoldfastError {
  return new HoldfastError('hub-damaged', `What the Object Store keeps about the object ${name} makes no sense.`, { cause });
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
  await soundInfo(store, name)
    .then((info) => info && store.delete(name))
    .catch(() => undefined);
}
