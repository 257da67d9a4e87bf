import type { HubCapabilities, HubEntry, HubSnapshot, LogHead, NewEntry } from '../../hub.ts';
import { type FrameReader, type FrameWriter, Malformed } from './frames.ts';
import { isRefusal, type RefusalStatus, STATUS } from './protocol.ts';

/** UTF-16 code units of a log's name. */
export const MAX_NAME_UNITS = 512;

/** Bytes of one entry. */
export const MAX_ENTRY_BYTES = 2 ** 22;

/** Bytes of one blob. */
export const MAX_BLOB_BYTES = 2 ** 25;

/** Entries of one request to append, and of one answer to a reading: each costs memory beside its bytes. */
export const MAX_ENTRIES = 2 ** 16;

/** Bytes of a request to append, and of one that puts a snapshot: what one call makes the server hold in memory. */
export const MAX_APPEND_BYTES = 2 ** 26;
export const MAX_SNAPSHOT_BYTES = 2 ** 28;

/** Bytes beside the contents. */
const SLACK = 2 ** 16;

/** What a client knows of a log that it wants to hear of; a position of null is none yet. */
export interface Watched {
  readonly log: string;
  readonly position: number | null;
}

/** How one operation is written and read, on both sides. */
export interface Operation<Request, Answer> {
  /** Bytes of the longest request. */
  readonly most: number;
  writeRequest(frame: FrameWriter, request: Request): void;
  readRequest(frame: FrameReader): Request;
  writeAnswer(frame: FrameWriter, answer: Answer): void;
  readAnswer(frame: FrameReader): Answer;
}

type OfLog<T = unknown> = { readonly log: string } & T;

const readName = (frame: FrameReader): string => frame.units(MAX_NAME_UNITS);
const writeLog = (frame: FrameWriter, { log }: OfLog): FrameWriter => frame.units(log);
const nothing = (): void => undefined;

function yesOrNo(frame: FrameReader): boolean {
  const value = frame.u8();
  if (value > 1) throw new Malformed(`${value} is neither yes nor no`);
  return value === 1;
}

/** As many items of `least` bytes or more as the frame says, but no more than `most`. */
function list<T>(frame: FrameReader, least: number, most: number, item: () => T): T[] {
  const length = frame.count(least);
  if (length > most) throw new Malformed(`${length} items are more than ${most}`);
  return Array.from({ length }, item);
}

function oneOf<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new Malformed(`there is no choice ${index}`);
  return value;
}

const durabilities: readonly HubCapabilities['durability'][] = ['killed', 'synced', 'replicated'];
const memories: readonly HubCapabilities['dedupe'][] = ['always', 'for-a-time', 'never'];

/** Of a hub about itself. */
const MAX_WARNINGS = 100;

const hello: Operation<null, HubCapabilities> = {
  most: SLACK,
  writeRequest: nothing,
  readRequest: () => null,
  writeAnswer(frame, { durability, dedupe, notifies, maxEntryBytes, maxBlobBytes, warnings }) {
    frame.u8(durabilities.indexOf(durability)).u8(memories.indexOf(dedupe)).u8(Number(notifies)).u32(maxEntryBytes).u32(maxBlobBytes).u32(warnings.length);
    for (const warning of warnings) frame.text(warning);
  },
  readAnswer: (frame) => ({
    durability: oneOf(durabilities, frame.u8()),
    dedupe: oneOf(memories, frame.u8()),
    notifies: yesOrNo(frame),
    maxEntryBytes: frame.u32(),
    maxBlobBytes: frame.u32(),
    warnings: list(frame, 4, MAX_WARNINGS, () => frame.text()),
  }),
};

const head: Operation<OfLog, LogHead> = {
  most: SLACK,
  writeRequest: writeLog,
  readRequest: (frame) => ({ log: readName(frame) }),
  writeAnswer: (frame, answer) => frame.text(answer.epoch).u53(answer.position).u53(answer.first),
  readAnswer: (frame) => ({ epoch: frame.text(), position: frame.u53(), first: frame.u53() }),
};

const ID = /^[A-Za-z0-9.-]{1,64}$/;

function readId(frame: FrameReader): string {
  const id = frame.raw(frame.u8()).toString('latin1');
  if (!ID.test(id)) throw new Malformed('an entry has no id that can be one');
  return id;
}

function writeEntries(frame: FrameWriter, { log, entries }: OfLog<{ readonly entries: readonly NewEntry[] }>): FrameWriter {
  frame.units(log).u32(entries.length);
  for (const { id, bytes } of entries) frame.u8(id.length).ascii(id).bytes(bytes);
  return frame;
}

function readEntries(frame: FrameReader, most = MAX_ENTRIES): { readonly log: string; readonly entries: readonly NewEntry[] } {
  return { log: readName(frame), entries: list(frame, 6, most, () => ({ id: readId(frame), bytes: frame.bytes() })) };
}

/** What is to be appended to one log. */
export interface LogAppend {
  readonly log: string;
  readonly entries: readonly NewEntry[];
  readonly blobs: readonly string[];
}

const append: Operation<OfLog<{ readonly entries: readonly NewEntry[] }>, number> = {
  most: MAX_APPEND_BYTES + SLACK,
  writeRequest: writeEntries,
  readRequest: (frame) => readEntries(frame),
  writeAnswer: (frame, position) => frame.u53(position),
  readAnswer: (frame) => frame.u53(),
};

const DIGEST_BYTES = 32;
const readDigest = (frame: FrameReader): string => frame.raw(DIGEST_BYTES).toString('hex');
const digestBytes = (name: string): Uint8Array => Buffer.from(name, 'hex');

function writeDigests(frame: FrameWriter, names: readonly string[]): void {
  frame.u32(names.length);
  for (const name of names) frame.raw(digestBytes(name));
}

function readDigests(frame: FrameReader, most: number): string[] {
  return list(frame, DIGEST_BYTES, most, () => readDigest(frame));
}

/** Blobs that one request to append names. */
export const MAX_NAMED_BLOBS = 2 ** 18;

/** `append` of entries that name blobs. */
const appendNaming: Operation<OfLog<{ readonly entries: readonly NewEntry[]; readonly blobs: readonly string[] }>, number> = {
  ...append,
  most: MAX_APPEND_BYTES + MAX_NAMED_BLOBS * DIGEST_BYTES + SLACK,
  writeRequest: (frame, request) => writeDigests(writeEntries(frame, request), request.blobs),
  readRequest: (frame) => ({ ...readEntries(frame), blobs: readDigests(frame, MAX_NAMED_BLOBS) }),
};

/** Logs that one request appends to. */
export const MAX_LOGS = 2 ** 12;

/** Why one of several was refused, as an answer to it alone would say. */
export interface RefusedAppend {
  readonly status: RefusalStatus;
  readonly message: string;
}

function readRefusedAppend(frame: FrameReader, status: number): RefusedAppend {
  if (!isRefusal(status)) throw new Malformed(`it has status ${status}`);
  return { status, message: frame.text() };
}

function readAppended(frame: FrameReader): number | RefusedAppend {
  const status = frame.u8();
  return status === STATUS.ok ? frame.u53() : readRefusedAppend(frame, status);
}

/** `append` to several logs at once. Each is taken or refused by itself; the positions come in the order of the logs. */
const appendMany: Operation<{ readonly appends: readonly LogAppend[] }, readonly (number | RefusedAppend)[]> = {
  most: appendNaming.most,
  writeRequest(frame, { appends }) {
    frame.u32(appends.length);
    for (const { blobs, ...entries } of appends) writeDigests(writeEntries(frame, entries), blobs);
  },
  readRequest(frame) {
    let room = MAX_ENTRIES;
    const readAppend = (): LogAppend => {
      const { log, entries } = readEntries(frame, room);
      room -= entries.length;
      return { log, entries, blobs: readDigests(frame, MAX_NAMED_BLOBS) };
    };
    return { appends: list(frame, 12, MAX_LOGS, readAppend) };
  },
  writeAnswer(frame, answers) {
    frame.u32(answers.length);
    for (const answer of answers) {
      if (typeof answer === 'number') frame.u8(STATUS.ok).u53(answer);
      else frame.u8(answer.status).text(answer.message);
    }
  },
  readAnswer: (frame) => list(frame, 5, MAX_LOGS, () => readAppended(frame)),
};

const read: Operation<OfLog<{ readonly after: number; readonly limit: number }>, readonly HubEntry[]> = {
  most: SLACK,
  writeRequest: (frame, { log, after, limit }) => frame.units(log).u53(after).u32(limit),
  readRequest: (frame) => ({ log: readName(frame), after: frame.u53(), limit: frame.u32() }),
  writeAnswer(frame, entries) {
    frame.u53(entries[0]?.position ?? 0).u32(entries.length);
    for (const { bytes } of entries) frame.bytes(bytes);
  },
  readAnswer(frame) {
    let position = frame.u53();
    return list(frame, 4, MAX_ENTRIES, () => ({ position: position++, bytes: frame.bytes() }));
  },
};

/** Bytes and logs of a request to wait; one for every log that is synced. */
const MAX_WAIT_BYTES = 2 ** 24;
export const MAX_WATCHED = 2 ** 16;

/** Answers with the positions of those logs that are elsewhere than the client knows, as soon as there is one. */
const wait: Operation<{ readonly watched: readonly Watched[] }, readonly (readonly [index: number, position: number])[]> = {
  most: MAX_WAIT_BYTES,
  writeRequest(frame, { watched }) {
    frame.u32(watched.length);
    for (const { log, position } of watched) frame.units(log).u53(position === null ? 0 : position + 1);
  },
  readRequest(frame) {
    const readWatched = (): Watched => {
      const log = readName(frame);
      const known = frame.u53();
      return { log, position: known === 0 ? null : known - 1 };
    };
    return { watched: list(frame, 12, MAX_WATCHED, readWatched) };
  },
  writeAnswer(frame, news) {
    frame.u32(news.length);
    for (const [index, position] of news) frame.u32(index).u53(position);
  },
  readAnswer: (frame) => list(frame, 12, MAX_WATCHED, () => [frame.u32(), frame.u53()] as const),
};

const snapshot: Operation<OfLog, HubSnapshot | null> = {
  most: SLACK,
  writeRequest: writeLog,
  readRequest: (frame) => ({ log: readName(frame) }),
  writeAnswer: (frame, kept) => (kept === null ? frame.u8(0) : frame.u8(1).u53(kept.position).bytes(kept.bytes)),
  readAnswer: (frame) => (yesOrNo(frame) ? { position: frame.u53(), bytes: frame.bytes() } : null),
};

const putSnapshot: Operation<OfLog<{ readonly snapshot: HubSnapshot }>, void> = {
  most: MAX_SNAPSHOT_BYTES + SLACK,
  writeRequest: (frame, { log, snapshot: { position, bytes } }) => frame.units(log).u53(position).bytes(bytes),
  readRequest: (frame) => ({ log: readName(frame), snapshot: { position: frame.u53(), bytes: frame.view() } }),
  writeAnswer: nothing,
  readAnswer: nothing,
};

const trim: Operation<OfLog<{ readonly upTo: number }>, void> = {
  most: SLACK,
  writeRequest: (frame, { log, upTo }) => frame.units(log).u53(upTo),
  readRequest: (frame) => ({ log: readName(frame), upTo: frame.u53() }),
  writeAnswer: nothing,
  readAnswer: nothing,
};

const putBlob: Operation<OfLog<{ readonly name: string; readonly bytes: Uint8Array }>, void> = {
  most: MAX_BLOB_BYTES + SLACK,
  writeRequest: (frame, { log, name, bytes }) => frame.units(log).raw(digestBytes(name)).bytes(bytes),
  readRequest: (frame) => ({ log: readName(frame), name: readDigest(frame), bytes: frame.view() }),
  writeAnswer: nothing,
  readAnswer: nothing,
};

const getBlob: Operation<OfLog<{ readonly name: string }>, Uint8Array | null> = {
  most: SLACK,
  writeRequest: (frame, { log, name }) => frame.units(log).raw(digestBytes(name)),
  readRequest: (frame) => ({ log: readName(frame), name: readDigest(frame) }),
  writeAnswer: (frame, bytes) => (bytes === null ? frame.u8(0) : frame.u8(1).bytes(bytes)),
  readAnswer: (frame) => (yesOrNo(frame) ? frame.bytes() : null),
};

/** Blobs that one request asks about. */
export const MAX_ASKED_BLOBS = 2 ** 15;

const hasBlobs: Operation<OfLog<{ readonly names: readonly string[] }>, readonly string[]> = {
  most: MAX_ASKED_BLOBS * DIGEST_BYTES + SLACK,
  writeRequest: (frame, { log, names }) => writeDigests(frame.units(log), names),
  readRequest: (frame) => ({ log: readName(frame), names: readDigests(frame, MAX_ASKED_BLOBS) }),
  writeAnswer: writeDigests,
  readAnswer: (frame) => readDigests(frame, MAX_ASKED_BLOBS),
};

/** What lies unused: blobs after a name, in the order of names. `unusedFor`: milliseconds. */
const unusedBlobs: Operation<OfLog<{ readonly unusedFor: number; readonly after: string }>, readonly string[]> = {
  most: SLACK,
  writeRequest: (frame, { log, unusedFor, after }) => frame.units(log).u53(unusedFor).bytes(digestBytes(after)),
  readRequest(frame) {
    const request = { log: readName(frame), unusedFor: frame.u53(), after: Buffer.from(frame.view()).toString('hex') };
    if (request.after !== '' && request.after.length !== 2 * DIGEST_BYTES) throw new Malformed('what is no digest is to come before');
    return request;
  },
  writeAnswer: writeDigests,
  readAnswer: (frame) => readDigests(frame, MAX_ASKED_BLOBS),
};

/** Removes those that lie unused still, and that no entry after the position has named. Answers how many. */
const removeBlobs: Operation<OfLog<Removal>, number> = {
  most: MAX_ASKED_BLOBS * DIGEST_BYTES + SLACK,
  writeRequest: (frame, { log, epoch, first, position, unusedFor, names }) => writeDigests(frame.units(log).text(epoch).u53(first).u53(position).u53(unusedFor), names),
  readRequest: (frame) => ({ log: readName(frame), epoch: frame.text(), first: frame.u53(), position: frame.u53(), unusedFor: frame.u53(), names: readDigests(frame, MAX_ASKED_BLOBS) }),
  writeAnswer: (frame, count) => frame.u32(count),
  readAnswer: (frame) => frame.u32(),
};

/** Which blobs are to go; as `BlobCollection`. */
export interface Removal {
  readonly epoch: string;
  readonly first: number;
  readonly position: number;
  readonly unusedFor: number;
  readonly names: readonly string[];
}

/** Every operation, by the name that its path ends with. */
export const operations = {
  hello,
  head,
  append,
  'append-naming': appendNaming,
  'append-many': appendMany,
  read,
  wait,
  snapshot,
  'put-snapshot': putSnapshot,
  trim,
  'put-blob': putBlob,
  'get-blob': getBlob,
  'has-blobs': hasBlobs,
  'unused-blobs': unusedBlobs,
  'remove-blobs': removeBlobs,
} as const;

export type Operations = typeof operations;
export type OperationName = keyof Operations;
export type RequestOf<Name extends OperationName> = ReturnType<Operations[Name]['readRequest']>;
export type AnswerOf<Name extends OperationName> = ReturnType<Operations[Name]['readAnswer']>;

export function isOperation(name: string): name is OperationName {
  return Object.hasOwn(operations, name);
}

/** The operation of a name, its types tied to the name. */
export function operation<Name extends OperationName>(name: Name): Operation<RequestOf<Name>, AnswerOf<Name>> {
  return operations[name] as unknown as Operation<RequestOf<Name>, AnswerOf<Name>>;
}
