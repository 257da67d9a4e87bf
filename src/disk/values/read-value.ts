import { Buffer } from 'node:buffer';
import { append, define } from '../../runtime/define.ts';
import { PayloadReader } from '../journal/payload-reader.ts';
import { noPlatformObjects, type PlatformObjects } from './platform-objects.ts';
import { errorHas, errorNames, tags, viewNames } from './tags.ts';
import { ValueDamagedError } from './value-error.ts';

const damaged = (why: string): ValueDamagedError => new ValueDamagedError(why);

/**
 * The value that `writeValue` wrote, made anew, with this realm's classes. What it costs in time and memory is bounded by the
 * length of the bytes.
 *
 * @throws ValueDamagedError for anything else, and for what only a newer version can say
 * @see https://html.spec.whatwg.org/#structureddeserialize
 */
export function readValue(bytes: Uint8Array, platform: PlatformObjects = noPlatformObjects): unknown {
  return withReader(bytes, platform, whole);
}

function whole(reader: ValueReader): unknown {
  const value = reader.read();
  reader.end();
  return value;
}

/** What {@link readProperty} does not look into. */
export const beyond: unique symbol = Symbol('beyond');

/**
 * The property of a written object, without reading the others: a primitive or a Date, or undefined where it has none of
 * that name. `beyond` where it is another object, or stands behind one, or the value is no plain object.
 *
 * @throws ValueDamagedError
 */
export function readProperty(bytes: Uint8Array, name: string): unknown {
  return withReader(bytes, noPlatformObjects, (reader) => reader.property(name));
}

/** Kept for the next value: while it reads one, a platform object may have another read. */
let idle: ValueReader | null = null;

function withReader<T>(bytes: Uint8Array, platform: PlatformObjects, body: (reader: ValueReader) => T): T {
  const reader = idle ?? new ValueReader();
  idle = null;
  try {
    reader.begin(bytes, platform);
    return body(reader);
  } catch (error) {
    // Nested more deeply than anything that this thread could have written.
    if (error instanceof RangeError) throw damaged('it is nested too deeply'); // eslint-disable-line no-restricted-syntax -- this realm's own
    throw error;
  } finally {
    reader.release();
    idle = reader;
  }
}

/** Short names that were read, each at the place that its bytes give. */
const knownNames: string[] = [];
const PLACES = 0x1ff;
const LONGEST_KNOWN = 24;

type Indexable = Record<PropertyKey, unknown>;

const nothing: Uint8Array = Buffer.alloc(0);

class ValueReader {
  readonly #payload = new PayloadReader(damaged);
  #bytes: Uint8Array = nothing;
  #size = 0;
  #platform: PlatformObjects = noPlatformObjects;
  /** The first is apart: most values have no other. */
  #first: object | null = null;
  #others: object[] | null = null;

  begin(bytes: Uint8Array, platform: PlatformObjects): void {
    this.#payload.begin(bytes);
    this.#bytes = bytes;
    this.#size = bytes.length;
    this.#platform = platform;
  }

  /** Lets go of the value and of all that was given for it. */
  release(): void {
    this.begin(nothing, noPlatformObjects);
    this.#first = this.#others = null;
  }

  end(): void {
    this.#payload.end();
  }

  read(): unknown {
    return this.#tagged(this.#payload.byte());
  }

  property(name: string): unknown {
    if (this.#payload.byte() !== tags.object) return beyond;
    for (let tag = this.#payload.byte(); tag !== tags.end; tag = this.#payload.byte()) {
      const isWanted = this.#nameBehind(tag) === name;
      const inner = this.#payload.byte();
      if (isWanted) return inner <= tags.utf16 || inner === tags.date ? this.#tagged(inner) : beyond;
      if (!this.#pass(inner)) return beyond;
    }
    return undefined;
  }

  /** Passes over a value; false: it is none that has its length in front. */
  #pass(tag: number): boolean {
    if (tag === tags.latin1 || tag === tags.utf16) this.#payload.take(this.#payload.integer());
    else if (tag === tags.double || tag === tags.date) this.#payload.take(8);
    else if (tag <= tags.negativeBigint) this.#tagged(tag);
    else return false;
    return true;
  }

  #tagged(tag: number): unknown {
    switch (tag) {
      case tags.undefined:
        return undefined;
      case tags.null:
        return null;
      case tags.false:
        return false;
      case tags.true:
        return true;
      case tags.integer:
        return this.#integer();
      case tags.double:
        return this.#double();
      case tags.bigint:
        return this.#bigint();
      case tags.negativeBigint:
        return -this.#bigint();
      case tags.latin1:
        return this.#payload.string(false);
      case tags.utf16:
        return this.#payload.string(true);
      default:
        return this.#object(tag);
    }
  }

  #object(tag: number): object {
    switch (tag) {
      case tags.reference:
        return this.#reference();
      case tags.object:
        return this.#named(this.#meet({}));
      case tags.array:
        return this.#array();
      case tags.doubles:
        return this.#doubles();
      case tags.map:
        return this.#map();
      case tags.set:
        return this.#set();
      case tags.error:
        return this.#error();
      case tags.view:
        return this.#view();
      case tags.platform:
        return this.#platformObject();
      default:
        return this.#meet(this.#leaf(tag));
    }
  }

  /** Objects that hold no others. */
  #leaf(tag: number): object {
    switch (tag) {
      case tags.date:
        return new Date(this.#double());
      case tags.regExp:
        return this.#regExp();
      case tags.boxedFalse:
        return Object(false) as object;
      case tags.boxedTrue:
        return Object(true) as object;
      case tags.boxedNumber:
        return Object(this.#double()) as object;
      case tags.boxedBigint:
        return Object(this.#as('bigint')) as object;
      case tags.boxedString:
        return Object(this.#as('string')) as object;
      case tags.buffer:
        return this.#buffer();
      case tags.resizableBuffer:
        return this.#resizableBuffer();
      default:
        throw damaged(`${tag} is no tag that this version knows`);
    }
  }

  #meet<T extends object>(object: T): T {
    if (this.#first === null) this.#first = object;
    else (this.#others ??= []).push(object);
    return object;
  }

  #reference(): object {
    const place = this.#payload.integer();
    const object = place === 0 ? this.#first : this.#others?.[place - 1];
    if (!object) throw damaged('it refers to an object that is not there');
    return object;
  }

  #integer(): number {
    const zigzag = this.#payload.integer();
    if (zigzag >= 2 ** 32) throw damaged('an integer is too large');
    return zigzag % 2 === 0 ? zigzag / 2 : -(zigzag + 1) / 2;
  }

  #double(): number {
    return this.#payload.take(8).readDoubleLE(0);
  }

  #bigint(): bigint {
    const digits = Buffer.from(this.#payload.take(this.#payload.integer())).reverse().toString('hex');
    return digits === '' ? 0n : BigInt(`0x${digits}`);
  }

  /** A primitive of a type, with its tag. */
  #as<T extends 'string' | 'bigint'>(type: T): T extends 'string' ? string : bigint {
    const value = this.read();
    if (typeof value !== type) throw damaged(`there is no ${type} where one should be`);
    return value as T extends 'string' ? string : bigint;
  }

  /** A count of things of which each takes at least one byte. */
  #count(): number {
    const count = this.#payload.integer();
    if (count > this.#size) throw damaged('it says that it has more than it can hold');
    return count;
  }

  /** Names come again and again: the string that was made of the same bytes before is given, where it is known. */
  #name(): string {
    const start = this.#payload.position;
    const length = this.#bytes[start] ?? 0;
    const end = start + 1 + length;
    if (length > LONGEST_KNOWN || end > this.#size) return this.#payload.string(false);
    let place = length;
    for (let at = start + 1; at < end; at++) place = (31 * place + (this.#bytes[at] ?? 0)) & PLACES;
    const name = knownNames[place];
    if (name === undefined || !this.#isAt(start + 1, name, length)) return (knownNames[place] = this.#payload.string(false));
    this.#payload.skip(length + 1);
    return name;
  }

  #isAt(start: number, text: string, length: number): boolean {
    if (text.length !== length) return false;
    for (let at = 0; at < length; at++) if (this.#bytes[start + at] !== text.charCodeAt(at)) return false;
    return true;
  }

  #named<T extends object>(object: T): T {
    for (let tag = this.#payload.byte(); tag !== tags.end; tag = this.#payload.byte()) {
      put(object, this.#nameBehind(tag), this.read());
    }
    return object;
  }

  #nameBehind(tag: number): string {
    if (tag === tags.latin1) return this.#name();
    if (tag !== tags.utf16) throw damaged('a property has no name');
    return this.#payload.string(true);
  }

  #array(): unknown[] {
    const length = this.#payload.integer();
    if (length >= 2 ** 32) throw damaged('an array is too long');
    const array = this.#meet<unknown[]>([]);
    const dense = this.#count();
    if (dense > length) throw damaged('an array has more elements than its length');
    for (let index = 0; index < dense; index++) {
      const tag = this.#payload.byte();
      if (tag === tags.hole) array.length = index + 1;
      else append(array, this.#tagged(tag));
    }
    array.length = length;
    this.#named(array);
    if (array.length !== length) throw damaged('an array has an element beyond its length');
    return array;
  }

  #doubles(): number[] {
    const length = this.#count();
    const array = this.#meet(new Array<number>(length));
    const bytes = this.#payload.take(8 * length);
    for (let index = 0; index < length; index++) array[index] = bytes.readDoubleLE(8 * index);
    return array;
  }

  #regExp(): RegExp {
    const source = this.#as('string');
    const flags = this.#as('string');
    try {
      return new RegExp(source, flags);
    } catch {
      throw damaged(`this runtime does not know the regular expression /${source}/${flags}`);
    }
  }

  #map(): Map<unknown, unknown> {
    const map = this.#meet(new Map<unknown, unknown>());
    for (let left = this.#count(); left > 0; left--) {
      const key = this.read();
      map.set(key, this.read());
    }
    return map;
  }

  #set(): Set<unknown> {
    const set = this.#meet(new Set<unknown>());
    for (let left = this.#count(); left > 0; left--) set.add(this.read());
    return set;
  }

  #error(): Error {
    const name = errorNames[this.#payload.byte()];
    if (name === undefined) throw damaged('an error has a name that this version does not know');
    const error = this.#meet(new globalThis[name]());
    const has = this.#payload.byte();
    if (has > 7) throw damaged('an error has what this version does not know');
    if (has & errorHas.message) hide(error, 'message', this.#as('string'));
    else Reflect.deleteProperty(error, 'message');
    if (has & errorHas.stack) hide(error, 'stack', this.#as('string'));
    if (has & errorHas.cause) hide(error, 'cause', this.read());
    return error;
  }

  #buffer(): ArrayBuffer {
    const bytes = this.#payload.take(this.#payload.integer());
    return new Uint8Array(bytes).buffer;
  }

  #resizableBuffer(): ArrayBuffer {
    const maxByteLength = this.#payload.integer();
    const bytes = this.#payload.take(this.#payload.integer());
    if (bytes.length > maxByteLength) throw damaged('a buffer is longer than it may be');
    const buffer = createResizable(bytes.length, maxByteLength);
    new Uint8Array(buffer).set(bytes);
    return buffer;
  }

  #view(): ArrayBufferView {
    const name = viewNames[this.#payload.byte()];
    if (name === undefined) throw damaged('a view is of a kind that this version does not know');
    const View = (globalThis as unknown as Record<string, ViewConstructor | undefined>)[name];
    if (View === undefined) throw damaged(`this runtime has no ${name}`);
    const buffer = this.read();
    if (Object.prototype.toString.call(buffer) !== '[object ArrayBuffer]') throw damaged('a view has no buffer');
    const byteOffset = this.#payload.integer();
    const byteLength = this.#payload.integer();
    const length = byteLength / (View.BYTES_PER_ELEMENT ?? 1);
    if (!Number.isInteger(length)) throw damaged('a view ends within an element');
    try {
      return this.#meet(new View(buffer as ArrayBuffer, byteOffset, length));
    } catch {
      throw damaged('a view does not fit its buffer');
    }
  }

  /** Its place among the objects is the one at which it began, though it is made last: its data cannot refer to it. */
  #platformObject(): object {
    this.#meet({});
    const place = this.#others?.length ?? 0;
    const kind = this.#payload.integer();
    const object = this.#platform.deserialize({ kind, data: this.read() });
    if (place === 0) this.#first = object;
    else if (this.#others !== null) this.#others[place - 1] = object;
    return object;
  }
}

interface ViewConstructor {
  new (buffer: ArrayBuffer, byteOffset: number, length: number): ArrayBufferView;
  readonly BYTES_PER_ELEMENT?: number;
}

/** Not by assignment where the name is inherited: that could run a setter, as `__proto__` is one. */
function put(object: object, key: string, value: unknown): void {
  if (key in object) define(object, key, { value, writable: true, enumerable: true, configurable: true });
  else (object as Indexable)[key] = value;
}

function hide(error: Error, key: string, value: unknown): void {
  define(error, key, { value, writable: true, enumerable: false, configurable: true });
}

/** Reserves address space only. Where that is refused, or not known, the buffer keeps its length. */
function createResizable(byteLength: number, maxByteLength: number): ArrayBuffer {
  try {
    return new (ArrayBuffer as new (length: number, options: object) => ArrayBuffer)(byteLength, { maxByteLength });
  } catch {
    return new ArrayBuffer(byteLength);
  }
}
