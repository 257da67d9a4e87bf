/** Calls and replies as they are written and read by hand, beside what all messages are written and read by. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from '../../src/coordinator/call.ts';
import { decodeFrame, encodeFrame, FrameReader } from '../../src/coordinator/sockets/frames.ts';
import { callMessage, readCall, readReply, REPLY } from '../../src/coordinator/sockets/messages.ts';
import { encodeCall, encodeReply, readPlainCall, readPlainReply } from '../../src/coordinator/sockets/plain-frames.ts';
import { writeValue } from '../../src/disk/values/write-value.ts';

const text = fc.oneof(fc.string({ maxLength: 80 }), fc.string({ unit: 'binary', maxLength: 5 }), fc.constantFrom('', 'é', '\ud800', 'x'.repeat(64), 'x'.repeat(65), 'x'.repeat(300)));
const integer = fc.oneof(fc.nat(300), fc.constantFrom(2 ** 30, 2 ** 31 - 1, 2 ** 31, 2 ** 53 - 1), fc.maxSafeNat());
const bytes = fc.oneof(fc.constant(writeValue([])), fc.uint8Array({ maxLength: 5 }), fc.constant(new Uint8Array(2000)));
const link = fc.record({ id: text, shown: text, event: text });
const key = fc.record({ origin: text, className: text, name: text });
const call: fc.Arbitrary<Call> = fc.record({ caller: integer, number: integer, got: integer, isAgain: fc.boolean(), method: text, args: bytes, chain: fc.oneof({ weight: 4, arbitrary: fc.constant([]) }, fc.array(link, { maxLength: 2 })) });

test('a call is written as any message, and read as one', () => {
  const isSame = (id: number, of: Parameters<typeof encodeCall>[1], made: Call): void => {
    const frame = Buffer.from(encodeFrame(callMessage(id, of, made), made.args));
    expect(Buffer.from(encodeCall(id, of, made))).toEqual(frame);
    const plain = readPlainCall(frame);
    const { call: read, ...rest } = plain ?? readCall(decodeFrame(frame));
    expect({ ...rest, id: plain?.id ?? id, call: { ...read, args: Buffer.from(read.args) } }).toEqual({ id, key: of, call: { ...made, args: Buffer.from(made.args) } });
    const isShort = [of.origin, of.className, of.name, made.method].every((each) => /^[\0-\xff]{0,64}$/.test(each));
    expect(plain !== null).toBe(isShort && made.chain.length === 0 && !made.isAgain);
  };
  fc.assert(fc.property(integer, key, call, isSame), { numRuns: 500 });
});

test('a reply is written as any message, and read as one', () => {
  const isSame = (id: number, kind: 'value' | 'error', result: Uint8Array): void => {
    const frame = Buffer.from(encodeFrame([REPLY, id, kind], result));
    expect(Buffer.from(encodeReply(id, { kind, bytes: result }))).toEqual(frame);
    const plain = readPlainReply(frame);
    expect(plain?.id).toBe(id);
    for (const reply of [plain?.reply, readReply(decodeFrame(frame))]) expect({ ...reply, bytes: Buffer.from(reply?.bytes ?? []) }).toEqual({ kind, bytes: Buffer.from(result) });
  };
  fc.assert(fc.property(integer, fc.constantFrom('value', 'error'), bytes, isSame), { numRuns: 300 });
});

test('what is damaged is read as any message would be, or left to that', () => {
  const frame = Buffer.from(encodeCall(7, { origin: 'https://a.example', className: 'A', name: 'n' }, { caller: 2 ** 52, number: 1, got: 0, isAgain: false, method: 'm', args: writeValue([1]), chain: [] }));
  const isSame = (at: number, byte: number): void => {
    const damaged = Buffer.from(frame);
    damaged[8 + (at % (frame.length - 8))] = byte;
    const plain = readPlainCall(damaged);
    if (plain === null) return;
    const message = decodeFrame(damaged);
    const read = readCall(message);
    expect([plain.id, plain.key, { ...plain.call, args: Buffer.from(plain.call.args) }]).toEqual([message[1], read.key, { ...read.call, args: Buffer.from(read.call.args) }]);
  };
  fc.assert(fc.property(fc.nat(), fc.nat(255), isSame), { numRuns: 2000 });
});

test('frames come out of any pieces as they went in', () => {
  const frames = [encodeReply(1, { kind: 'value', bytes: new Uint8Array(0) }), encodeReply(2, { kind: 'error', bytes: new Uint8Array(300) }), encodeFrame([]), encodeReply(3, { kind: 'value', bytes: new Uint8Array(5) })];
  const isSame = (sizes: readonly number[]): void => {
    const reader = new FrameReader();
    const found: Buffer[] = [];
    let rest = Buffer.concat(frames);
    for (const size of [...sizes, Infinity]) {
      reader.push(Buffer.from(rest.subarray(0, size)), (frame) => found.push(frame));
      rest = rest.subarray(size);
    }
    expect(found).toEqual(frames.map((frame) => Buffer.from(frame)));
  };
  fc.assert(fc.property(fc.array(fc.nat(80), { maxLength: 12 }), isSame), { numRuns: 300 });
});
