import { types } from 'node:util';
import { isArrayBuffer } from '../../runtime/byte-brands.ts';
import { ownProperty } from '../../runtime/define.ts';
import { noPlatformObjects, type PlatformObjects } from './platform-objects.ts';
import { errorHas, errorNames, tags, viewNames } from './tags.ts';
import { UncloneableError } from './value-error.ts';
import { ValueBytes } from './value-bytes.ts';

/** From this length on an array is looked through for being one of numbers alone. */
const DOUBLES_FROM = 16;

/**
 * The bytes of a value, which every runtime reads; docs/FORMAT.md, "Values". Getters of the value run, in the order of
 * the standard; what they throw passes through.
 *
 * @throws UncloneableError for functions, symbols, and objects that are neither plain, nor of the language, nor platform
 *   objects that can be serialized
 * @throws RangeError for a value that is nested too deeply
 * @see https://html.spec.whatwg.org/#structuredserializeforstorage
 */
export function writeValue(value: unknown, platform: PlatformObjects = noPlatformObjects): Uint8Array {
  return written(value, platform, false);
}

/** The same for bytes that are needed for a short time: small ones share memory with others. */
export function writeValueBriefly(value: unknown, platform: PlatformObjects): Uint8Array {
  return written(value, platform, true);
}

function written(value: unknown, platform: PlatformObjects, mayShare: boolean): Uint8Array {
  const bytes = new ValueBytes();
  try {
    new ValueWriter(bytes, platform).write(value);
  } catch (error) {
    bytes.release();
    throw error;
  }
  return bytes.finish(mayShare);
}

const boxedValue = {
  boolean: Boolean.prototype.valueOf,
  number: Number.prototype.valueOf,
  bigint: BigInt.prototype.valueOf,
  string: String.prototype.valueOf,
};
const timeValue = Date.prototype.getTime;
const forEachOfMap = Map.prototype.forEach;
const forEachOfSet = Set.prototype.forEach;
const { slice: sliceOfBuffer } = ArrayBuffer.prototype;
const { keys: keysOfTypedArray } = Uint8Array.prototype;

class ValueWriter {
  readonly #bytes: ValueBytes;
  readonly #platform: PlatformObjects;
  /** The first object that was met; most values have no other. */
  #first: object | null = null;
  /** All others, by their numbers. https://html.spec.whatwg.org/#structuredserializeinternal calls it memory. */
  #others: Map<object, number> | null = null;

  constructor(bytes: ValueBytes, platform: PlatformObjects) {
    this.#bytes = bytes;
    this.#platform = platform;
  }

  write(value: unknown): void {
    switch (typeof value) {
      case 'string':
        return this.#bytes.string(value);
      case 'number':
        return this.#bytes.number(value);
      case 'boolean':
        return this.#bytes.byte(value ? tags.true : tags.false);
      case 'undefined':
        return this.#bytes.byte(tags.undefined);
      case 'bigint':
        return this.#bytes.bigint(value);
      case 'object':
        return value === null ? this.#bytes.byte(tags.null) : this.#object(value);
      default:
        throw new UncloneableError(typeof value === 'symbol' ? String(value) : `A ${typeof value}`);
    }
  }

  #object(value: object): void {
    const number = value === this.#first ? 0 : this.#others?.get(value);
    if (number !== undefined) {
      this.#bytes.byte(tags.reference);
      return this.#bytes.integer(number);
    }
    if (ArrayBuffer.isView(value)) return this.#view(value);
    this.#meet(value);
    if (types.isProxy(value)) throw new UncloneableError('A Proxy');
    if (Array.isArray(value)) return this.#array(value);
    const prototype: unknown = Object.getPrototypeOf(value);
    return prototype === Object.prototype ? this.#properties(value) : this.#unlikePlain(value);
  }

  #meet(value: object): void {
    if (this.#first === null) this.#first = value;
    else {
      this.#others ??= new Map();
      this.#others.set(value, this.#others.size + 1);
    }
  }

  #properties(value: object): void {
    const keys = Object.keys(value);
    // Whose names are indexes, if it has any: what else is plain is not asked.
    if ((keys.length === 0 || keys[0] === '0') && types.isArgumentsObject(value)) throw new UncloneableError('An arguments object');
    this.#bytes.byte(tags.object);
    this.#named(value, keys);
  }

  /** Own enumerable properties with names; a getter that ran may have taken away later ones. */
  #named(value: object, keys: readonly string[]): void {
    for (const key of keys) {
      if (!Object.hasOwn(value, key)) continue;
      const inner: unknown = Reflect.get(value, key);
      this.#bytes.string(key);
      this.write(inner);
    }
    this.#bytes.byte(tags.end);
  }

  #array(value: readonly unknown[]): void {
    const keys = Object.keys(value);
    if (value.length >= DOUBLES_FROM && keys.length === value.length && isOfDoubles(value)) {
      this.#bytes.byte(tags.doubles);
      this.#bytes.integer(value.length);
      return this.#bytes.doubles(value);
    }
    this.#bytes.byte(tags.array);
    this.#bytes.integer(value.length);
    // Elements first, without their keys, as far as they come without a gap; then what is left, as properties.
    let dense = 0;
    while (dense < keys.length && keys[dense] === String(dense)) dense++;
    this.#bytes.integer(dense);
    for (let index = 0; index < dense; index++) {
      if (Object.hasOwn(value, index)) this.write(value[index]);
      else this.#bytes.byte(tags.hole);
    }
    this.#named(value, keys.slice(dense));
  }

  #view(value: ArrayBufferView): void {
    const kind = kindOfView(value);
    const { buffer } = value;
    if (types.isSharedArrayBuffer(buffer)) throw new UncloneableError('A SharedArrayBuffer');
    if (isOutOfBounds(value)) throw new UncloneableError('A view that is out of the bounds of its buffer');
    this.#bytes.byte(tags.view);
    this.#bytes.byte(kind);
    this.#object(buffer);
    this.#meet(value);
    this.#bytes.integer(value.byteOffset);
    this.#bytes.integer(value.byteLength);
  }

  #unlikePlain(value: object): void {
    if (types.isDate(value)) return this.#date(value);
    if (types.isMap(value)) return this.#map(value);
    if (types.isSet(value)) return this.#set(value);
    if (types.isNativeError(value)) return this.#error(value);
    if (types.isRegExp(value)) return this.#regExp(value);
    if (isArrayBuffer(value)) return this.#buffer(value);
    if (types.isBoxedPrimitive(value)) return this.#boxed(value);
    const platform = this.#platform.serialize(value);
    if (platform !== null) {
      this.#bytes.byte(tags.platform);
      this.#bytes.integer(platform.kind);
      return this.write(platform.data);
    }
    if (types.isSharedArrayBuffer(value) || !isOrdinary(value)) throw new UncloneableError(`A ${nameOf(value)}`);
    this.#properties(value);
  }

  #date(value: Date): void {
    this.#bytes.byte(tags.date);
    this.#bytes.double(Reflect.apply(timeValue, value, []));
  }

  #regExp(value: RegExp): void {
    this.#bytes.byte(tags.regExp);
    this.#bytes.string(value.source);
    this.#bytes.string(value.flags);
  }

  #boxed(value: object): void {
    if (types.isBooleanObject(value)) {
      this.#bytes.byte(Reflect.apply(boxedValue.boolean, value, []) ? tags.boxedTrue : tags.boxedFalse);
    } else if (types.isNumberObject(value)) {
      this.#bytes.byte(tags.boxedNumber);
      this.#bytes.double(Reflect.apply(boxedValue.number, value, []));
    } else if (types.isBigIntObject(value)) {
      this.#bytes.byte(tags.boxedBigint);
      this.#bytes.bigint(Reflect.apply(boxedValue.bigint, value, []));
    } else if (types.isStringObject(value)) {
      this.#bytes.byte(tags.boxedString);
      this.#bytes.string(Reflect.apply(boxedValue.string, value, []));
    } else {
      throw new UncloneableError('A Symbol object');
    }
  }

  /** What it holds when it is met, whatever getters in it do to it. */
  #map(value: Map<unknown, unknown>): void {
    const entries: [unknown, unknown][] = [];
    Reflect.apply(forEachOfMap, value, [(inner: unknown, key: unknown) => void entries.push([key, inner])]);
    this.#bytes.byte(tags.map);
    this.#bytes.integer(entries.length);
    for (const [key, inner] of entries) {
      this.write(key);
      this.write(inner);
    }
  }

  #set(value: Set<unknown>): void {
    const members: unknown[] = [];
    Reflect.apply(forEachOfSet, value, [(member: unknown) => void members.push(member)]);
    this.#bytes.byte(tags.set);
    this.#bytes.integer(members.length);
    for (const member of members) this.write(member);
  }

  #error(value: Error): void {
    const name = String(Reflect.get(value, 'name') ?? 'Error');
    const message = ownProperty(value, 'message');
    const text = message !== undefined && Object.hasOwn(message, 'value') ? String(message.value) : undefined;
    const stack: unknown = ownProperty(value, 'stack') === undefined ? undefined : Reflect.get(value, 'stack');
    const cause = ownProperty(value, 'cause');
    const hasCause = cause !== undefined && Object.hasOwn(cause, 'value');
    this.#bytes.byte(tags.error);
    this.#bytes.byte(Math.max(0, errorNames.findIndex((known) => known === name)));
    this.#bytes.byte((text === undefined ? 0 : errorHas.message) | (typeof stack === 'string' ? errorHas.stack : 0) | (hasCause ? errorHas.cause : 0));
    if (text !== undefined) this.#bytes.string(text);
    if (typeof stack === 'string') this.#bytes.string(stack);
    if (hasCause) this.write(cause.value);
  }

  #buffer(value: ArrayBuffer & { readonly detached?: boolean; readonly resizable?: boolean; readonly maxByteLength?: number }): void {
    if (isDetached(value)) throw new UncloneableError('A detached ArrayBuffer');
    const resizable = value.resizable === true;
    this.#bytes.byte(resizable ? tags.resizableBuffer : tags.buffer);
    if (resizable) this.#bytes.integer(value.maxByteLength ?? value.byteLength);
    this.#bytes.integer(value.byteLength);
    this.#bytes.raw(new Uint8Array(value));
  }
}

function isOfDoubles(value: readonly unknown[]): value is readonly number[] {
  for (let index = 0; index < value.length; index++) {
    if (typeof value[index] !== 'number') return false;
  }
  return true;
}

function isDetached(value: ArrayBuffer): boolean {
  if (value.byteLength > 0) return false;
  try {
    // The one operation that every version of every runtime has, and that a detached buffer refuses.
    Reflect.apply(sliceOfBuffer, value, [0, 0]);
    return false;
  } catch {
    return true;
  }
}

function kindOfView(value: ArrayBufferView): number {
  const name = types.isDataView(value) ? 'DataView' : String(Reflect.apply(typedArrayName, value, []));
  const kind = viewNames.findIndex((known) => known === name);
  if (kind === -1) throw new UncloneableError(`A ${name}`);
  return kind;
}

const typedArrayName = ownProperty(Object.getPrototypeOf(Uint8Array.prototype) as object, Symbol.toStringTag)?.get ?? (() => '');

/** A view whose buffer is detached, or has become too short for it: its methods throw, though it has a length of 0. */
function isOutOfBounds(value: ArrayBufferView): boolean {
  try {
    if (types.isDataView(value)) return value.byteLength < 0;
    Reflect.apply(keysOfTypedArray, value, []);
    return false;
  } catch {
    return true;
  }
}

/**
 * The tag of a platform's class that the runtime has as a global. Read by descriptor: some globals are getters that warn.
 * What is of such a one's name is taken for one of its objects, lest a key is stored as an object without properties.
 */
function isPlatformObject(value: object, tag: string): boolean {
  const property = ownProperty(globalThis, tag);
  if (property?.get !== undefined) return true;
  const known: unknown = property?.value;
  return typeof known === 'function' && Object.prototype.isPrototypeOf.call(known.prototype as object, value);
}

function nameOf(value: object): string {
  return Object.prototype.toString.call(value).slice('[object '.length, -1);
}

/** Not every runtime has it: Deno has no objects of such a kind. */
const isExternal = (types as Partial<typeof types>).isExternal ?? (() => false);

/** Whether an object is one of a program's own: it has nothing inside but its properties. */
function isOrdinary(value: object): boolean {
  if (types.isPromise(value) || types.isWeakMap(value) || types.isWeakSet(value) || types.isGeneratorObject(value)) return false;
  if (types.isMapIterator(value) || types.isSetIterator(value) || types.isModuleNamespaceObject(value) || isExternal(value)) return false;
  const tag = nameOf(value);
  return tag === 'Object' || !isPlatformObject(value, tag);
}
