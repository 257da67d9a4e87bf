import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';
import { afterEach, describe, expect, test } from 'vitest';
import { isEnvelope, unpack } from '../../src/host/structured-clone/envelope.ts';
import { installStructuredClone } from '../../src/host/structured-clone/install.ts';
import { FakeHandle, fakeCodec } from './fake-handle.ts';

let undo = () => {};
afterEach(() => undo());

const marker = 'holdfast:structured-clone';

/** What a realm without the option receives when another, with it, posts `message`. */
function onTheWire(message: unknown): unknown {
  const { port1, port2 } = new MessageChannel();
  undo = installStructuredClone(globalThis, fakeCodec());
  port1.postMessage(message);
  undo();
  const received = receiveMessageOnPort(port2) as { message: unknown };
  port1.close();
  return received.message;
}

describe('a realm where the option is off', () => {
  test('gets an envelope, in which no part of the message can be taken for the message', () => {
    const received = onTheWire({ file: new FakeHandle('a') });
    expect(received).toBeInstanceOf(Map);
    expect([...(received as Map<string, unknown>).keys()]).toEqual([marker]);
    expect(Object.keys(received as object)).toEqual([]);
  });
});

describe('an envelope that somebody made', () => {
  test('of JSON is only a message', () => {
    expect(isEnvelope(JSON.parse(`{"${marker}":{"message":{},"handles":[{}],"places":[]}}`))).toBe(false);
  });

  test('gives no handle of another origin', () => {
    const data = { origin: 'https://b.example', path: 'x' };
    const forged = new Map([[marker, { message: data, handles: [data], places: [] }]]);
    expect(() => unpack(forged, fakeCodec())).toThrow(expect.objectContaining({ name: 'DataCloneError' }) as Error);
  });

  const handle = { origin: 'https://a.example', path: 'x' };
  test.each([
    ['nothing', undefined],
    ['a number', 1],
    ['no places', { message: 1, handles: [] }],
    ['handles that are none', { message: 1, handles: [1], places: [] }],
    ['data that is none', { message: 1, handles: [{}], places: [] }],
    ['places that are none', { message: 1, handles: [], places: [1, null, {}] }],
    ['a key that is none', { message: 1, handles: [], places: [[{}, 7]] }],
    ['a place in a frozen object', { message: 1, handles: [handle], places: [[Object.freeze({ a: handle }), 'a']] }],
    ['a place in bytes', { message: 1, handles: [handle], places: [[new Uint8Array(2), '0']] }],
    ['a place in a list whose length would change', { message: 1, handles: [handle], places: [[[], 'length']] }],
  ])('with %s is a DataCloneError or harmless', (_, contents) => {
    try {
      unpack(new Map([[marker, contents]]), fakeCodec());
    } catch (error) {
      expect((error as DOMException).name).toBe('DataCloneError');
    }
  });

  test('changes no prototype', () => {
    const container = {};
    unpack(new Map([[marker, { message: container, handles: [handle], places: [[container, '__proto__']] }]]), fakeCodec());
    expect(Object.getPrototypeOf(container)).toBe(Object.prototype);
  });
});
