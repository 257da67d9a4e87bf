import type { Session } from './session.ts';

/** Bytes of one message of an object: each costs a round trip. */
const CHUNK_BYTES = 512 * 1024;

/** Questions that are asked at once. */
const AT_ONCE = 64;

/** Puts bytes under a name that nothing else is put under. */
export async function putObject({ store, maxPayload }: Session, name: string, bytes: Uint8Array): Promise<void> {
  await store.putBlob({ name, options: { max_chunk_size: Math.min(CHUNK_BYTES, maxPayload) } }, bytes);
}

export function getObject({ store }: Session, name: string): Promise<Uint8Array | null> {
  return store.getBlob(name);
}

export async function hasObject({ store }: Session, name: string): Promise<boolean> {
  const info = await store.info(name);
  return info !== null && !info.deleted;
}

/** Those of the names that there are objects of. */
export async function presentObjects(session: Session, names: readonly string[]): Promise<Set<string>> {
  const present = new Set<string>();
  for (let start = 0; start < names.length; start += AT_ONCE) {
    const asked = names.slice(start, start + AT_ONCE);
    const answers = await Promise.all(asked.map((name) => hasObject(session, name)));
    asked.forEach((name, index) => answers[index] === true && present.add(name));
  }
  return present;
}

/** Removes an object that nothing names any more. One that stays only takes up room. */
export async function deleteObject({ store }: Session, name: string): Promise<void> {
  await store.delete(name).catch(() => undefined);
}
