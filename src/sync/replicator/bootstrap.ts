import { damaged } from '../../disk/replica/byte-reader.ts';
import type { Model } from '../../disk/replica/model.ts';
import type { BaseRecord } from '../../disk/replica/replica-records.ts';
import { Replica } from '../../disk/replica/replica.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import type { HubLog, LogHead } from '../hub.ts';
import { compareHead, NO_WITNESS, readOn } from './follower.ts';
import type { Place } from './follower.ts';
import type { Line } from './line.ts';
import { isSameDigest } from './digest.ts';
import type { Slices } from './slices.ts';
import { baseOf, examineBase, unseal } from './snapshot-seal.ts';
import { unpack } from './unpacking.ts';
import type { Unpacked, UnpackingOptions } from './unpacking.ts';

/** A snapshot is the largest thing that is asked for. */
export const SNAPSHOT_ANSWER_MS = 300_000;

/** No replica of a journal is numbered with it. */
const NOBODY = '00000000-0000-7000-8000-000000000000';

export interface BootstrapOptions {
  readonly log: HubLog;
  readonly line: Line;
  readonly unpacking: UnpackingOptions;
  readonly slices: Slices;
  /** A new, empty model of the kind that the journal has. */
  model(): Model;
}

/** A base, and where it is. */
export interface Base {
  readonly position: number;
  readonly digest: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * (11) The hub's snapshot, looked at so that no journal is given one that it cannot read; null when there is none.
 *
 * @throws HoldfastError hub-damaged, and as hubs do
 */
export async function fetchSnapshot(head: LogHead, { log, line, model }: BootstrapOptions): Promise<Base | null> {
  const snapshot = await line.ask('for its snapshot', SNAPSHOT_ANSWER_MS, () => log.snapshot());
  if (snapshot === null) return null;
  if (snapshot.position > head.position) throw damaged(`the snapshot is of position ${snapshot.position}, and the log ends at ${head.position}`);
  const bytes = unseal(snapshot.bytes);
  const { epoch, position, digest } = examineBase(bytes, model());
  if (position !== snapshot.position) throw damaged(`the snapshot at position ${snapshot.position} says that it is at ${position}`);
  if (epoch !== head.epoch) throw damaged('the snapshot is of another log');
  return { position, digest, bytes };
}

/** Whether the hub's snapshot is of a place: what stands for the entry there where that was trimmed. */
export async function isOfSnapshot({ epoch, position, digest }: Place, { log, line, model }: BootstrapOptions): Promise<boolean> {
  const snapshot = await line.ask('for its snapshot', SNAPSHOT_ANSWER_MS, () => log.snapshot());
  if (snapshot?.position !== position) return false;
  const base = examineBase(unseal(snapshot.bytes), model());
  return base.epoch === epoch && base.position === position && isSameDigest(base.digest, digest);
}

/**
 * (12) The base at the head of the log, worked out beside the journal: from the snapshot, or from nothing, and all the
 * entries since. Only there can a replica that followed another history know which of its own operations are missing:
 * had it begun at the snapshot, it would send those again that come a little later in the log.
 *
 * @throws HoldfastError hub-damaged, hub-unreachable when the log changes meanwhile, and as hubs do
 */
export async function buildBase(head: LogHead, options: BootstrapOptions): Promise<Base> {
  const replica = new Replica(options.model());
  replica.replicate({ incarnation: NOBODY, region: '', cap: 0 }, 0);
  const snapshot = await fetchUsable(head, options);
  if (snapshot !== null) replica.rebase(onTop(snapshot), 0);
  while (replica.position < head.position) {
    for (const entry of await readAfter(replica, head, options)) {
      replica.entry({ epoch: head.epoch, ...entry });
      await options.slices.next(entry);
    }
  }
  return { position: replica.position, digest: replica.digest, bytes: baseOf(replica, head.epoch) };
}

/** Where all entries are there, nobody needs a snapshot that was damaged, or is of another history. */
async function fetchUsable(head: LogHead, options: BootstrapOptions): Promise<Base | null> {
  try {
    const snapshot = await fetchSnapshot(head, options);
    if (snapshot !== null) await compareWithLog(snapshot, head, options);
    return snapshot;
  } catch (error) {
    if (head.first <= 1 && error instanceof HoldfastError && error.code === 'hub-damaged') return null;
    throw error;
  }
}

/** A snapshot that was under way when the hub was restored is of what the log was before. */
async function compareWithLog({ position, digest }: Base, { epoch }: LogHead, { log, line }: BootstrapOptions): Promise<void> {
  const reading = await readOn(log, line, { epoch, position, digest }, position, NO_WITNESS);
  if (reading.verdict === 'differs') throw damaged(`the snapshot at position ${position} is not of this log`);
}

function onTop({ bytes }: Base): BaseRecord {
  return { from: { epoch: '', position: 0 }, seed: false, base: bytes };
}

async function readAfter(replica: Replica, head: LogHead, options: BootstrapOptions): Promise<Unpacked[]> {
  const { log, line, unpacking } = options;
  if (compareHead(replica, head) === 'trimmed') throw damaged('entries after its snapshot were trimmed');
  const { position, digest } = replica;
  // A snapshot may be the only trace of the entry that it is at.
  const reading = await readOn(log, line, { epoch: head.epoch, position, digest }, head.position, (place) => isOfSnapshot(place, options));
  if (reading.verdict !== 'same' || reading.entries.length === 0) throw changed();
  const entries: Unpacked[] = [];
  for (const entry of reading.entries) entries.push(await unpack(entry, unpacking));
  return entries;
}

function changed(): HoldfastError {
  return new HoldfastError('hub-unreachable', 'The hub\'s log became another one while it was read.');
}
