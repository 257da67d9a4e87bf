import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import { randomUuid } from '../../../runtime/random.ts';
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

/** Bytes of one snapshot, which is put together in memory. */
export const MAX_SNAPSHOT_BYTES = 256 * 2 ** 20;

/** Where a log's snapshots are. */
export interface SnapshotPlace {
  /** Of the message. */
  readonly subject: string;
  /** What the names of the log's objects begin with. */
  readonly folder: string;
  /** The position of the log's head; a snapshot beyond it, as anybody may publish one, counts for nothing. */
  readonly head: number;
}

/** Which snapshot is kept. */
interface Pointer {
  readonly position: number;
  readonly object: string;
  /** The object of the snapshot before. */
  readonly previous?: string | undefined;
  /** Of the message. */
  readonly sequence: number;
}

async function findPointer({ manager, prepared }: Session, { subject, folder }: SnapshotPlace): Promise<Pointer | null> {
  const message = await manager.streams.getMessage(prepared.config.name, { last_by_subj: subject });
  return message === null ? null : { ...readPointer(message.string(), `${folder}/snapshot/`), sequence: message.seq };
}

/**
 * A message that names something else than this log's snapshots would have others read, or remove, what is not theirs.
 *
 * @throws HoldfastError `hub-damaged`
 */
function readPointer(text: string, folder: string): Omit<Pointer, 'sequence'> {
  try {
    const { position, object, previous } = JSON.parse(text) as Partial<Pointer>;
    const isOwn = [object, previous ?? folder].every((name) => typeof name === 'string' && name.startsWith(folder));
    if (isOwn && object !== undefined && position !== undefined && Number.isSafeInteger(position) && position >= 0) return { position, object, previous };
  } catch {
    // The same as any other that makes no sense.
  }
  throw new HoldfastError('hub-damaged', 'The message that names the snapshot of the log makes no sense.');
}

/** The pointer to the snapshot that counts. */
async function keptPointer(session: Session, place: SnapshotPlace): Promise<Pointer | null> {
  const pointer = await findPointer(session, place);
  return pointer === null || pointer.position > place.head ? null : pointer;
}

/** The position of the snapshot that is kept; 0 when there is none. */
export async function snapshotPosition(session: Session, place: SnapshotPlace): Promise<number> {
  return (await keptPointer(session, place))?.position ?? 0;
}

/** @throws HoldfastError `hub-damaged` when the object is gone that the message names */
export async function getSnapshot(session: Session, place: SnapshotPlace): Promise<HubSnapshot | null> {
  for (let missing = ''; ; ) {
    const pointer = await keptPointer(session, place);
    if (pointer === null) return null;
    const bytes = await getObject(session, pointer.object, MAX_SNAPSHOT_BYTES);
    if (bytes !== null) return { position: pointer.position, bytes };
    // Another may have replaced it in between; twice the same is nobody's doing.
    if (missing === pointer.object) throw new HoldfastError('hub-damaged', `The snapshot at position ${pointer.position} has lost its content.`);
    missing = pointer.object;
  }
}

/** The snapshot is not beyond the head. */
export async function putSnapshot(session: Session, place: SnapshotPlace, snapshot: HubSnapshot): Promise<void> {
  const { position, bytes } = snapshot;
  let kept = await findPointer(session, place);
  const isKept = (): boolean => kept !== null && kept.position >= position && kept.position <= place.head;
  if (isKept()) return;
  const object = `${place.folder}/snapshot/${randomUuid()}`;
  await putObject(session, object, bytes);
  while (!(await replacePointer(session, place.subject, kept, { position, object, previous: kept?.object }))) {
    kept = await findPointer(session, place);
    if (!isKept()) continue;
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
