import type { JetStreamManager, StreamConfig, StreamInfo } from '@nats-io/jetstream';
import type { ObjectStore, Objm } from '@nats-io/obj';
import { HoldfastError } from '../../../runtime/holdfast-error.ts';
import type { HubCapabilities } from '../../hub.ts';
import { isStreamNotFound } from './failure.ts';
import { OVERHEAD_BYTES } from './message.ts';
import type { NatsSettings } from './options.ts';

/*
 * Everything is in one stream, with a subject for each log, and in one bucket of the Object Store. Not a stream for each
 * log: a replicated stream is a Raft group of its own with its files, heartbeats and elections, which servers bear by
 * the thousand, while subjects of a stream they bear by the hundred thousand; and tenants come by the thousand.
 *
 * The sequence numbers of the stream are therefore no positions. Instead each message says in its headers what its log
 * is after it (message.ts), so that the last message on a subject is the log's head; and it is published with the
 * sequence number that its publisher takes for the subject's last. The server refuses it when another came between.
 * So messages on a subject form a chain without gaps, in which each publisher knew all before it.
 *
 * Invariants
 * - A batch is one message, for servers before 2.12 have no atomic batches; so it is there in full or not at all. One
 *   that is too large for a message is an object, put before the message that names it.
 * - Each message goes on from the one before: `position - count` is the position before it, and `trimmed` never goes
 *   back.
 * - The last message of a log is never removed, for it is the head. What is trimmed is marked first, by a message
 *   without entries, and removed then.
 * - The epoch is a part of the subject, so that whoever knows a log of a stream that was deleted since cannot go on in
 *   the new one, whose sequence numbers are the same again. Which epoch counts says the log's message under `epoch`;
 *   it was published after the first message of the epoch. A log that has none, or has no message, gets a new epoch.
 */

/** The subjects of a log: `key` stands for its name. */
export function subjectsOf(prefix: string, key: string) {
  return {
    /** Where the epoch is named. */
    epoch: `${prefix}.epoch.${key}`,
    log: (epoch: string) => `${prefix}.log.${key}.${epoch}`,
    snapshot: (epoch: string) => `${prefix}.snapshot.${key}.${epoch}`,
  };
}

/** Where the server repeats the headers of what was appended to a log, once it is stored. */
export function newsSubject(prefix: string, key: string, epoch: string): string {
  return `${prefix}.news.${key}.${epoch}`;
}

/** Where clients ask others to let them append to a log first; not kept. */
export function courtesySubject(prefix: string, key: string): string {
  return `${prefix}.courtesy.${key}`;
}

function streamSubjects(prefix: string): string[] {
  return [`${prefix}.epoch.*`, `${prefix}.log.*.*`, `${prefix}.snapshot.*.*`];
}

/** 2.9: the first that gives the next message of a subject from a sequence number on. */
const OLDEST = [2, 9] as const;

/** Bytes; so that entries may have 64 KiB at least. */
const LEAST_PAYLOAD = 192 * 1024;

/** Seconds for which ids are remembered at least. */
export const REMEMBERED_SECONDS = 120;

const FILE = 'file';

/** @throws HoldfastError `hub-incompatible` */
export function requireVersion(version: string | undefined, hub: string): void {
  const [major = 0, minor = 0] = (version ?? '').split('.').map(Number);
  if (major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])) return;
  throw new HoldfastError('hub-incompatible', `The hub ${hub} is a nats-server ${version ?? 'of an unknown version'}; it has to be ${OLDEST.join('.')} or later.`);
}

/** What is known of the stream after {@link prepare}. */
export interface Prepared {
  readonly config: StreamConfig;
}

function configFor({ prefix, replicas }: NatsSettings): Partial<StreamConfig> & { name: string } {
  const config = {
    name: prefix,
    description: 'Logs of Holdfast, a subject for each',
    subjects: streamSubjects(prefix),
    storage: FILE,
    retention: 'limits',
    // Should somebody set a limit, appends are to fail, rather than old entries to vanish.
    discard: 'new',
    num_replicas: replicas,
    republish: { src: `${prefix}.log.*.*`, dest: newsSubject(prefix, '{{wildcard(1)}}', '{{wildcard(2)}}'), headers_only: true },
  };
  // The client's enums are loaded with it only.
  return config as unknown as Partial<StreamConfig> & { name: string };
}

async function findStream(manager: JetStreamManager, name: string): Promise<StreamInfo | null> {
  try {
    return await manager.streams.info(name);
  } catch (error) {
    if (isStreamNotFound(error)) return null;
    throw error;
  }
}

async function ensureStream(manager: JetStreamManager, settings: NatsSettings): Promise<StreamInfo> {
  const found = await findStream(manager, settings.prefix);
  if (found !== null) return found;
  try {
    return await manager.streams.add(configFor(settings));
  } catch (error) {
    // Another client may have made it meanwhile, with another number of replicas.
    const made = await findStream(manager, settings.prefix);
    if (made === null) throw error;
    return made;
  }
}

/** @throws HoldfastError `hub-incompatible` */
function requireStream({ config }: StreamInfo, { prefix }: NatsSettings, hub: string): void {
  const problems = [
    String(config.storage) !== FILE && 'keeps messages in memory',
    String(config.retention) !== 'limits' && `has the retention '${config.retention}'`,
    !streamSubjects(prefix).every((subject) => config.subjects.includes(subject)) && `does not take the subjects ${streamSubjects(prefix).join(', ')}`,
    config.sealed && 'is sealed',
  ].filter((problem) => typeof problem === 'string');
  if (problems.length === 0) return;
  throw new HoldfastError('hub-incompatible', `The stream '${prefix}' of the hub ${hub} ${problems.join(' and ')}; it is not as Holdfast makes it.`);
}

/** Makes the stream and the bucket where they are missing. */
export async function prepare(manager: JetStreamManager, buckets: Objm, settings: NatsSettings, hub: string): Promise<Prepared & { store: ObjectStore }> {
  const info = await ensureStream(manager, settings);
  requireStream(info, settings, hub);
  const bucket = { description: 'Snapshots and blobs of Holdfast', storage: FILE, replicas: settings.replicas };
  const store = await buckets.create(settings.prefix, bucket as unknown as Parameters<Objm['create']>[1]);
  return { config: info.config, store };
}

/** Limits at which old messages are dropped; at the others appends fail. */
function limitsOf(config: StreamConfig): string[] {
  const dropping = ['max_age', 'max_msgs_per_subject', ...(String(config.discard) === 'old' ? ['max_bytes', 'max_msgs'] : [])];
  return dropping.filter((limit) => Number(Reflect.get(config, limit)) > 0);
}

function warningsOf({ config }: Prepared, settings: NatsSettings): string[] {
  const warnings: string[] = [];
  const replicas = config.num_replicas;
  if (replicas < 2) warnings.push('The stream has one replica: the loss of its server loses everything.');
  if (replicas < settings.replicas) warnings.push(`The stream has ${replicas} replicas, though the option asks for ${settings.replicas}: somebody has made it before.`);
  const loss = replicas < 2 ? 'a power failure of the server' : 'a power failure of most of its servers at once';
  warnings.push(`A nats-server writes to disk lazily (its setting sync_interval, every two minutes by default, which it does not tell): ${loss} may lose entries that were acknowledged.`);
  warnings.push(`Ids of entries are remembered for about ${REMEMBERED_SECONDS / 60} minutes only: the replicas decide about what is appended again later.`);
  const limits = limitsOf(config);
  if (limits.length > 0) warnings.push(`The stream drops old entries by itself (${limits.join(', ')}), whether or not a snapshot stands for them.`);
  return warnings;
}

/**
 * What the server and the stream make of the adapter's promises.
 *
 * @throws HoldfastError `hub-incompatible`
 */
export function capabilitiesOf(prepared: Prepared, maxPayload: number, maxBlobBytes: number, settings: NatsSettings, hub: string): HubCapabilities {
  if (maxPayload < LEAST_PAYLOAD) {
    throw new HoldfastError('hub-incompatible', `The hub ${hub} takes messages of ${maxPayload} bytes; its max_payload has to be ${LEAST_PAYLOAD} at least.`);
  }
  return {
    durability: prepared.config.num_replicas > 1 ? 'replicated' : 'killed',
    dedupe: 'for-a-time',
    notifies: prepared.config.republish !== undefined,
    maxEntryBytes: maxPayload - OVERHEAD_BYTES,
    maxBlobBytes,
    warnings: warningsOf(prepared, settings),
  };
}
