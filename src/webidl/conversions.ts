import { isObject } from '../runtime/brands.ts';
import { bare } from '../runtime/define.ts';

/**
 * Conversions of JavaScript values to Web IDL types (https://webidl.spec.whatwg.org/#js-type-mapping). `context` says
 * where the value came from and starts the message of the TypeError, as browsers do:
 * `Failed to execute 'write' on 'FileSystemSyncAccessHandle': parameter 1`.
 */
export type Convert<T> = (value: unknown, context: string) => T;

/** https://webidl.spec.whatwg.org/#js-DOMString: exact UTF-16, lone surrogates included. */
export function DOMString(value: unknown, context: string): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'symbol') throw new TypeError(`${context} is a symbol, which cannot be converted to a string.`);
  return String(value);
}

/** https://webidl.spec.whatwg.org/#js-USVString: lone surrogates become U+FFFD. */
export function USVString(value: unknown, context: string): string {
  const string = DOMString(value, context);
  return /\p{Surrogate}/u.test(string) ? string.replace(/\p{Surrogate}/gu, '\uFFFD') : string;
}

/** https://webidl.spec.whatwg.org/#js-boolean */
export function boolean(value: unknown): boolean {
  return Boolean(value);
}

/** https://tc39.es/ecma262/#sec-tonumber, with a message that says where; bigints and symbols are refused. */
export function toNumber(value: unknown, context: string): number {
  if (typeof value === 'number') return value;
  if (typeof value === 'symbol' || typeof value === 'bigint') {
    throw new TypeError(`${context} is a ${typeof value}, which cannot be converted to a number.`);
  }
  return Number(value);
}

/** https://webidl.spec.whatwg.org/#js-double */
export function double(value: unknown, context: string): number {
  const number = toNumber(value, context);
  if (!Number.isFinite(number)) throw new TypeError(`${context} is not a finite number.`);
  return number;
}

/** https://webidl.spec.whatwg.org/#js-unsigned-long: modulo 2^32. */
export function unsignedLong(value: unknown, context: string): number {
  return toNumber(value, context) >>> 0;
}

/** https://webidl.spec.whatwg.org/#js-enumeration */
export function enumeration<const T extends string>(name: string, values: readonly T[]): Convert<T> {
  return (value, context) => {
    const string = DOMString(value, context);
    const found = values.find((candidate) => candidate === string);
    if (found === undefined) {
      throw new TypeError(`${context}: '${string}' is not a valid value of ${name} (${values.join(', ')}).`);
    }
    return found;
  };
}

/** https://webidl.spec.whatwg.org/#js-nullable-type */
export function nullable<T>(convert: Convert<T>): Convert<T | null> {
  return (value, context) => (value === null || value === undefined ? null : convert(value, context));
}

/** https://webidl.spec.whatwg.org/#js-callback-function */
export function callbackFunction<F extends (...args: never[]) => unknown>(value: unknown, context: string): F {
  if (typeof value !== 'function') throw new TypeError(`${context} is not a function.`);
  return value as F;
}

/** One member of a dictionary. Members that are absent stay absent unless `default` gives a value. */
export interface Member<T> {
  readonly convert: Convert<T>;
  readonly required?: boolean;
  readonly default?: T;
}

type Members<T extends object> = { readonly [K in keyof T]-?: Member<Exclude<T[K], undefined>> };

/** Not what a program has put on `Object.prototype`, which nobody meant for this argument. */
function memberOf(source: Readonly<Record<string, unknown>> | null | undefined, name: string): unknown {
  const given = source?.[name];
  return name in Object.prototype && given === Reflect.get(Object.prototype, name) ? undefined : given;
}

/**
 * https://webidl.spec.whatwg.org/#js-dictionary, deviation: see {@link memberOf}. `members` must be listed in the order of the standard (inherited
 * dictionaries first, then by name), because getters and conversions of the argument are visible to its author.
 */
export function dictionary<T extends object>(members: Members<T>): Convert<T> {
  const entries = Object.entries<Member<unknown>>(members).map(([name, member]) => [name, bare(member)] as const);
  return (value, context) => {
    if (value !== undefined && value !== null && !isObject(value)) {
      throw new TypeError(`${context} is not an object.`);
    }
    const source = value as Record<string, unknown> | null | undefined;
    const result: Record<string, unknown> = bare({});
    for (const [name, member] of entries) {
      const given = memberOf(source, name);
      if (given !== undefined) {
        result[name] = member.convert(given, `${context}: member '${name}'`);
      } else if (member.required === true) {
        throw new TypeError(`${context}: required member '${name}' is undefined.`);
      } else if ('default' in member) {
        result[name] = member.default;
      }
    }
    return result as T;
  };
}
