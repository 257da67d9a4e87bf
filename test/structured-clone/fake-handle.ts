import type { HandleCodec } from '../../src/host/structured-clone/codec.ts';

/** Stands for a file system handle: state that cloning cannot see, and an origin. */
export class FakeHandle {
  readonly #path: string;
  readonly #origin: string;

  constructor(path: string, origin = 'https://a.example') {
    this.#path = path;
    this.#origin = origin;
  }

  get path(): string {
    return this.#path;
  }

  static data(value: FakeHandle): { origin: string; path: string } {
    return { origin: value.#origin, path: value.#path };
  }

  static is(value: object): value is FakeHandle {
    return #path in value;
  }
}

/** The codec of a realm whose origin is `origin`. */
export function fakeCodec(origin = 'https://a.example'): HandleCodec {
  return {
    isHandle: (value) => FakeHandle.is(value),
    serialize: (handle) => FakeHandle.data(handle as FakeHandle),
    deserialize: (data) => {
      const { path, origin: from } = data as { path?: unknown; origin?: unknown };
      if (typeof path !== 'string') throw new TypeError('no path');
      if (from !== origin) throw new DOMException(`A handle of ${String(from)} in ${origin}`, 'DataCloneError');
      return new FakeHandle(path, origin);
    },
  };
}
