import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { installStructuredClone } from '../../src/host/structured-clone/install.ts';
import { FakeHandle, fakeCodec } from './fake-handle.ts';

const native = globalThis.structuredClone;
let undo: () => void;
beforeEach(() => {
  undo = installStructuredClone(globalThis, fakeCodec());
});
afterEach(() => undo());

function clone<T>(value: T, options?: { transfer: unknown }): T {
  return (structuredClone as (value: T, options?: object) => T)(value, options);
}

describe('a handle passes', () => {
  test('as the message itself, as another object for the same place', () => {
    const handle = new FakeHandle('a');
    const copy = clone(handle);
    expect(FakeHandle.is(copy)).toBe(true);
    expect(copy).not.toBe(handle);
    expect(copy.path).toBe('a');
  });

  test('in objects, arrays, keys and values of maps, sets, instances of classes', () => {
    class Job {
      file = new FakeHandle('in a class');
    }
    const copy = clone({
      list: [1, [new FakeHandle('in an array')]],
      byHandle: new Map<unknown, unknown>([[new FakeHandle('as a key'), 1], ['value', new FakeHandle('as a value')]]),
      set: new Set<unknown>(['first', new FakeHandle('in a set'), 'last']),
      job: new Job(),
    });
    expect((copy.list[1] as FakeHandle[])[0]?.path).toBe('in an array');
    const [[key], [, value]] = [...copy.byHandle] as [[FakeHandle, 1], [string, FakeHandle]];
    expect([key.path, value.path]).toEqual(['as a key', 'as a value']);
    const [first, inSet, last] = [...copy.set] as [string, FakeHandle, string];
    expect([first, inSet.path, last]).toEqual(['first', 'in a set', 'last']);
    expect(copy.job.file.path).toBe('in a class');
    expect(Object.getPrototypeOf(copy.job)).toBe(Object.prototype);
  });

  test('once when it occurs twice, and with the identity of everything around it', () => {
    const handle = new FakeHandle('a');
    const shared = { handle };
    const copy = clone({ one: shared, two: shared, direct: handle, map: new Map([[shared, handle]]) });
    expect(copy.one).toBe(copy.two);
    expect(copy.direct).toBe(copy.one.handle);
    expect(copy.map.get(copy.one)).toBe(copy.direct);
  });

  test('in cycles', () => {
    interface Ring { handle: FakeHandle; self?: Ring; all: Set<unknown> }
    const ring: Ring = { handle: new FakeHandle('a'), all: new Set() };
    ring.self = ring;
    ring.all.add(ring).add(ring.all);
    const copy = clone(ring);
    expect(copy.self).toBe(copy);
    expect([...copy.all]).toEqual([copy, copy.all]);
    expect(copy.handle.path).toBe('a');
  });

  test('at a depth that recursion would not reach', () => {
    // The runtime's own serializer is recursive: this is about ours, which must not give up before it.
    let message: object = { handle: new FakeHandle('deep') };
    for (let depth = 0; depth < 1_000; depth += 1) message = { message };
    let copy = clone(message) as { message?: object; handle?: FakeHandle };
    while (copy.message !== undefined) copy = copy.message;
    expect(copy.handle?.path).toBe('deep');
  });

  test('beside a property called __proto__, in arrays with holes and in objects without a prototype', () => {
    const message = {
      odd: JSON.parse('{"__proto__": {"polluted": true}}') as object,
      sparse: [] as unknown[],
      bare: Object.assign(Object.create(null) as object, { handle: new FakeHandle('bare') }),
    };
    Object.assign(message.odd, { handle: new FakeHandle('odd') });
    message.sparse[4_000_000_000] = new FakeHandle('far');
    const copy = clone(message);
    expect(Object.keys(copy.odd)).toEqual(['__proto__', 'handle']);
    expect(Object.getPrototypeOf(copy.odd)).toBe(Object.prototype);
    expect([copy.sparse.length, Object.keys(copy.sparse)]).toEqual([4_000_000_001, ['4000000000']]);
    expect((copy.sparse[4_000_000_000] as FakeHandle).path).toBe('far');
    expect(copy.bare.handle.path).toBe('bare');
  });

  test('beside everything else that can be cloned or transferred', async () => {
    const buffer = new ArrayBuffer(8);
    const shared = new SharedArrayBuffer(4);
    const message = {
      handle: new FakeHandle('a'),
      buffer,
      shared,
      bytes: new Uint8Array([1, 2, 3]),
      date: new Date(5),
      expression: /x/g,
      error: new RangeError('no', { cause: 1 }),
      blob: new Blob(['text']),
      big: 10n,
      nothing: undefined,
    };
    const copy = clone(message, { transfer: [buffer] });
    expect(buffer.byteLength).toBe(0);
    expect(copy).toEqual({
      handle: expect.any(FakeHandle) as FakeHandle,
      buffer: new ArrayBuffer(8),
      shared: new SharedArrayBuffer(4),
      blob: expect.any(Blob) as Blob,
      bytes: new Uint8Array([1, 2, 3]),
      date: new Date(5),
      expression: /x/g,
      error: new RangeError('no'),
      big: 10n,
      nothing: undefined,
    });
    expect(copy.error).toBeInstanceOf(RangeError);
    expect([copy.handle.path, await copy.blob.text()]).toEqual(['a', 'text']);
  });

  test('with a transfer list that is an iterator', () => {
    const buffer = new ArrayBuffer(8);
    const transfer = [buffer].values();
    expect(clone({ handle: new FakeHandle('a'), buffer }, { transfer }).buffer.byteLength).toBe(8);
    expect(buffer.byteLength).toBe(0);
  });

  test('from a getter, which runs once, in the order of the properties', () => {
    const calls: string[] = [];
    const message = {
      get first() {
        calls.push('first');
        return new FakeHandle('a');
      },
      get second() {
        calls.push('second');
        return { handle: this.first };
      },
    };
    expect(clone(message).second.handle.path).toBe('a');
    // `second` calls `first` itself.
    expect(calls).toEqual(['first', 'second', 'first']);
  });

  test('not where its origin is another: DataCloneError', () => {
    expect(() => clone({ handle: new FakeHandle('a', 'https://b.example') })).toThrow(
      expect.objectContaining({ name: 'DataCloneError', message: expect.stringContaining('b.example') as string }) as Error,
    );
  });
});

describe('a message without handles', () => {
  test('is passed to the runtime as the very same object', () => {
    const seen: unknown[][] = [];
    undo();
    const target = { structuredClone: (...args: unknown[]) => seen.push(args) };
    undo = installStructuredClone(target, fakeCodec());
    const message = { list: [1, { deep: new Map([[{}, new Set([{}])]]) }] };
    const options = { transfer: [] };
    (target.structuredClone as (...args: unknown[]) => void)(message, options);
    expect(seen).toHaveLength(1);
    expect(seen[0]?.[0]).toBe(message);
    expect(seen[0]?.[1]).toBe(options);
  });

  test('has its getters called once', () => {
    let calls = 0;
    const message = {
      get value() {
        calls += 1;
        return { calls };
      },
    };
    expect(clone({ message })).toEqual({ message: { value: { calls: 1 } } });
    expect(calls).toBe(1);
  });

  test('is not looked through while the realm has no handle', () => {
    undo();
    const looked: object[] = [];
    const codec = { ...fakeCodec(), isHandle: (value: object) => looked.push(value) < 0, anyHandles: () => false };
    undo = installStructuredClone(globalThis, codec);
    clone([{}]);
    expect(looked).toEqual([]);
  });

  test('fails as it always did', () => {
    const messages: unknown[] = [() => {}, Symbol('s'), { f() {} }, new Proxy({}, {}), new WeakMap(), [Promise.resolve()]];
    for (const message of messages) expect(() => clone(message)).toThrow(DOMException);
    expect(() => (structuredClone as () => void)()).toThrow(TypeError);
    expect(() => clone({}, { transfer: [{}] })).toThrow();
  });

  test('may be a proxy, whose traps do not run', () => {
    const traps = new Proxy({}, { get: (_, trap) => { throw new Error(`ran ${String(trap)}`); } });
    expect(() => clone(new Proxy({}, traps))).toThrow(expect.objectContaining({ name: 'DataCloneError' }) as Error);
  });

  test('may look like an envelope', () => {
    const message = new Map([['holdfast:structured-clone', { message: 1, handles: [], places: [] }]]);
    expect(clone(message)).toEqual(message);
  });
});

test('the function looks like the one that it replaces', () => {
  expect([structuredClone.name, structuredClone.length]).toEqual([native.name, native.length]);
  const { writable, enumerable, configurable } = Object.getOwnPropertyDescriptor(globalThis, 'structuredClone') ?? {};
  expect([writable, enumerable, configurable]).toEqual([true, true, true]);
});

describe('undo', () => {
  test('puts everything back', async () => {
    const { default: threads } = await import('node:worker_threads');
    undo();
    const places: [object, PropertyKey][] = [
      [globalThis, 'structuredClone'],
      [threads, 'receiveMessageOnPort'],
      [threads, 'workerData'],
      ...Reflect.ownKeys(MessagePort.prototype).map((key): [object, PropertyKey] => [MessagePort.prototype, key]),
    ];
    const state = () => [Reflect.ownKeys(MessagePort.prototype), places.map(([object, key]) => Object.getOwnPropertyDescriptor(object, key))];
    const before = state();
    undo = installStructuredClone(globalThis, fakeCodec());
    expect(state()).not.toEqual(before);
    undo();
    expect(state()).toEqual(before);
  });

  test.each([['first', 0], ['last', 1]] as const)('of the %s of two leaves the other at work', (_, index) => {
    undo();
    const undos = [installStructuredClone(globalThis, fakeCodec()), installStructuredClone(globalThis, fakeCodec('https://b.example'))];
    expect(clone(new FakeHandle('a')).path).toBe('a');
    expect(clone(new FakeHandle('b', 'https://b.example')).path).toBe('b');
    undos[index]?.();
    undos[index]?.();
    const [left, gone] = index === 0 ? ['https://b.example', 'https://a.example'] : ['https://a.example', 'https://b.example'];
    expect(clone(new FakeHandle('left', left)).path).toBe('left');
    expect(() => clone(new FakeHandle('gone', gone))).toThrow(expect.objectContaining({ name: 'DataCloneError' }) as Error);
    undos[1 - index]?.();
    expect(structuredClone).toBe(native);
  });

  test('leaves what somebody else has changed since', () => {
    const other = () => {};
    globalThis.structuredClone = other as typeof structuredClone;
    undo();
    expect(globalThis.structuredClone).toBe(other);
    globalThis.structuredClone = native;
  });
});
