import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { HubSnapshot } from '../../hub.ts';
import { isConflict } from './failure.ts';
import { deleteObject, getObject, putObject } from './objects.ts';
import type { Session } from './session.ts';

/*
 * A snapshot is an object under a name of its own, and a message on the log's subject for snapshots that names it. The
 * message is replaced by comparing the sequence number of the one before, so that a snapshot never gives way to a lower
 * one. The object is there before the message. It stays until the snapshot after the next one, for somebody may read it
 * at the moment, and a reader of an object that loses its content just waits.
 */

/** Which snapshot is kept. */
interface Pointer {
  readonly position: number;
  readonly object: string;
  /** The object of the snapshot before. */
  readonly previous?: string | undefined;
  /** Of the message. */
  readonly sequence: number;
}

async function findPointer({ manager, prepared }: Session, subject: string): Promise<Pointer | null> {
  const message = await manager.streams.getMessage(prepared.config.name, { last_by_subj: subject });
  if (message === null) return null;
  return { ...message.json<Omit<Pointer, 'sequence'>>(), sequence: message.seq };
}

/** The position of the snapshot that is kept; 0 when there is none. */
export async function snapshotPosition(session: Session, subject: string): Promise<number> {
  return (await findPointer(session, subject))?.position ?? 0;
}

/** @throws HoldfastError `hub-damaged` when the object is gone that the message names */
export async function getSnapshot(session: Session, subject: string): Promise<HubSnapshot | null> {
  for (let missing = ''; ; ) {
    const pointer = await findPointer(session, subject);
    if (pointer === null) return null;
    const bytes = await getObject(session, pointer.object);
    if (bytes !== null) return { position: pointer.position, bytes };
    // Another may have replaced it in between; twice the same is nobody's doing.
    if (missing === pointer.object) throw new HoldfastError('hub-damaged', `The snapshot at position ${pointer.position} has lost its content.`);
    missing = pointer.object;
  }
}

/** @param folder what the names of the log's objects begin with */
export async function putSnapshot(session: Session, subject: string, folder: string, snapshot: HubSnapshot): Promise<void> {
  const { position, bytes } = snapshot;
  let kept = await findPointer(session, subject);
  if (kept !== null && kept.position >= position) return;
  const object = `${folder}/snapshot/${crypto.randomUUID()}`;
  await putObject(session, object, bytes);
  while (!(await replacePointer(session, subject, kept, { position, object, previous: kept?.object }))) {
    kept = await findPointer(session, subject);
    if (kept === null || kept.position < position) continue;
    await deleteObject(session, object);
    return;
  }
  if (kept?.previous !== undefined) await deleteObject(session, kept.previous);
}

async function replacePointer({ jetstream, manager, prepared }: Session, subject: string, before: Pointer | null, next: Omit<Pointer, 'sequence'>): Promise<boolean> {
  try {
    const { seq } = await jetstream.publish(subject, JSON.stringify(next), { expect: { lastSubjectSequence: before?.sequence ?? 0 } });
    await manager.streams.purge(prepared.config.name, { filter: subject, seq });
    return true;
  } catch (error) {
    if (isConflict(error)) return false;
    throw error;
  }
}
