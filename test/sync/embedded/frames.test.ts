import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FrameReader, FrameWriter, Malformed } from '../../../src/sync/hubs/embedded/frames.ts';
import { type AnswerOf, operation, type OperationName, operations, type RequestOf } from '../../../src/sync/hubs/embedded/operations.ts';
import { beginMessage, openMessage, OtherProtocol, readRefusal, refusal, STATUS } from '../../../src/sync/hubs/embedded/protocol.ts';

const name = fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 512 }).map((units) => String.fromCharCode(...units));
const position = fc.maxSafeNat();
const bytes = fc.uint8Array({ maxLength: 300 });
const digest = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((digits) => Buffer.from(digits).toString('hex'));
const id = fc.stringMatching(/^[A-Za-z0-9.-]{1,64}$/);
const u32 = fc.integer({ min: 0, max: 2 ** 32 - 1 });

const capabilities = fc.record({
  durability: fc.constantFrom('killed', 'synced', 'replicated'),
  dedupe: fc.constantFrom('always', 'for-a-time', 'never'),
  notifies: fc.boolean(),
  maxEntryBytes: u32,
  maxBlobBytes: u32,
  warnings: fc.array(fc.string(), { maxLength: 3 }),
});

const entries = fc.tuple(fc.integer({ min: 0, max: 2 ** 50 }), fc.array(bytes, { maxLength: 10 }));

const newEntries = fc.array(fc.record({ id, bytes }), { maxLength: 10 });

type Samples = { readonly [Name in OperationName]: { readonly request: fc.Arbitrary<RequestOf<Name>>; readonly answer: fc.Arbitrary<AnswerOf<Name>> } };

const nothing = fc.constant(undefined);

const digests = fc.array(digest, { maxLength: 10 });

const samples: Samples = {
  hello: { request: fc.constant(null), answer: capabilities },
  head: { request: fc.record({ log: name }), answer: fc.record({ epoch: fc.string(), position, first: position }) },
  append: { request: fc.record({ log: name, entries: newEntries }), answer: position },
  'append-naming': { request: fc.record({ log: name, entries: newEntries, blobs: digests }), answer: position },
  'append-many': {
    request: fc.record({ appends: fc.array(fc.record({ log: name, entries: newEntries, blobs: digests }), { maxLength: 3 }) }),
    answer: fc.array(fc.oneof(position, fc.record({ status: fc.constantFrom(STATUS.tooLarge, STATUS.failed, STATUS.full), message: fc.string() }))),
  },
  read: {
    request: fc.record({ log: name, after: position, limit: u32 }),
    answer: entries.map(([after, contents]) => contents.map((each, index) => ({ position: after + 1 + index, bytes: each }))),
  },
  wait: {
    request: fc.record({ watched: fc.array(fc.record({ log: name, position: fc.option(fc.integer({ min: 0, max: 2 ** 52 })) }), { maxLength: 10 }) }),
    answer: fc.array(fc.tuple(u32, position), { maxLength: 10 }),
  },
  snapshot: { request: fc.record({ log: name }), answer: fc.option(fc.record({ position, bytes })) },
  'put-snapshot': { request: fc.record({ log: name, snapshot: fc.record({ position, bytes }) }), answer: nothing },
  trim: { request: fc.record({ log: name, upTo: position }), answer: nothing },
  'put-blob': { request: fc.record({ log: name, name: digest, bytes }), answer: nothing },
  'get-blob': { request: fc.record({ log: name, name: digest }), answer: fc.option(bytes) },
  'has-blobs': { request: fc.record({ log: name, names: digests }), answer: digests },
  'unused-blobs': { request: fc.record({ log: name, unusedFor: position, after: fc.oneof(fc.constant(''), digest) }), answer: digests },
  'remove-blobs': { request: fc.record({ log: name, epoch: fc.string(), first: position, position, unusedFor: position, names: digests }), answer: u32 },
};

const names = Object.keys(operations) as OperationName[];

function through<T>(write: (frame: FrameWriter, value: T) => void, read: (frame: FrameReader) => T, value: T): T {
  const writer = new FrameWriter();
  write(writer, value);
  const reader = new FrameReader(writer.finish());
  const result = read(reader);
  reader.end();
  return result;
}

test.each(names)("what '%s' asks and answers is read as it was written", (each) => {
  const { writeRequest, readRequest, writeAnswer, readAnswer } = operation(each);
  const { request, answer } = samples[each] as { request: fc.Arbitrary<never>; answer: fc.Arbitrary<never> };
  fc.assert(fc.property(request, (value) => void expect(through(writeRequest, readRequest, value)).toEqual(value)));
  fc.assert(fc.property(answer, (value) => void expect(through(writeAnswer, readAnswer, value)).toEqual(value)));
});

/** What a reader makes of bytes; nothing but Malformed may come out beside. */
function verdict(read: (frame: FrameReader) => unknown, hostile: Uint8Array): 'read' | 'malformed' {
  try {
    const frame = new FrameReader(hostile);
    read(frame);
    frame.end();
    return 'read';
  } catch (error) {
    if (error instanceof Malformed) return 'malformed';
    throw error;
  }
}

test.each(names)("both readers of '%s' survive any bytes", (each) => {
  const { readRequest, readAnswer } = operation(each);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (hostile) => void [verdict(readRequest, hostile), verdict(readAnswer, hostile)]));
});

test.each(names)("both readers of '%s' refuse what was cut off, and what has bytes left over", (each) => {
  const { writeRequest, readRequest, writeAnswer, readAnswer } = operation(each);
  const { request, answer } = samples[each] as { request: fc.Arbitrary<never>; answer: fc.Arbitrary<never> };
  const refuses = (write: (frame: FrameWriter, value: never) => void, read: (frame: FrameReader) => unknown, value: never, at: number): void => {
    const writer = new FrameWriter();
    write(writer, value);
    const whole = writer.finish();
    expect(verdict(read, Buffer.concat([whole, Uint8Array.of(0)]))).toBe('malformed');
    if (whole.length > 0) expect(verdict(read, whole.subarray(0, at % whole.length))).toBe('malformed');
  };
  fc.assert(fc.property(request, fc.nat(), (value, at) => refuses(writeRequest, readRequest, value, at)));
  fc.assert(fc.property(answer, fc.nat(), (value, at) => refuses(writeAnswer, readAnswer, value, at)));
});

test('a count that promises more than there is allocates nothing', () => {
  const frame = new FrameWriter().units('log').u32(2 ** 32 - 1).finish();
  expect(verdict(operation('append').readRequest, frame)).toBe('malformed');
  expect(verdict(operation('has-blobs').readRequest, frame)).toBe('malformed');
  expect(verdict(operation('wait').readAnswer, new FrameWriter().u32(2 ** 32 - 1).finish())).toBe('malformed');
});

test('a name of more than 512 units is refused', () => {
  expect(verdict(operation('head').readRequest, new FrameWriter().units('x'.repeat(513)).finish())).toBe('malformed');
  expect(verdict(operation('head').readRequest, new FrameWriter().units('x'.repeat(512)).finish())).toBe('read');
});

test('a message of another protocol or version is told from one that makes no sense', () => {
  const message = beginMessage().u8(0).finish();
  expect(openMessage(message).left).toBe(1);
  const other = Uint8Array.from(message);
  other[3] = 2;
  expect(() => openMessage(other)).toThrow(/version 2/);
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20 }), (hostile) => {
    fc.pre(hostile.length < 4 || Buffer.from(hostile.subarray(0, 3)).toString() !== 'HFH');
    expect(() => openMessage(hostile)).toThrow(OtherProtocol);
  }));
});

test('every refusal is read with its message, and an unknown one is malformed', () => {
  for (const status of Object.values(STATUS)) {
    if (status === STATUS.ok) continue;
    expect(readRefusal(openMessage(refusal(status, 'why'))), String(status)).toMatchObject({ message: 'why' });
  }
  expect(verdict(readRefusal, Uint8Array.of(200, 0, 0, 0, 0))).toBe('malformed');
});
