import { isObject } from '../runtime/brands.ts';
import type { Locator } from '../disk/locator.ts';
import { badRequest } from './failure.ts';

/** Names on the way to a file, and code units of one. */
const MOST_NAMES = 512;
const LONGEST_NAME = 4096;

/** Rows of one answer. */
const MOST_ROWS = 1000;

/** What came with a request, of which nothing is believed. */
export class Arguments {
  readonly #given: object;

  /** @throws Refused */
  constructor(given: unknown) {
    if (!isObject(given) || Array.isArray(given)) throw badRequest('A request carries an object.');
    this.#given = given;
  }

  #get(name: string): unknown {
    return Object.hasOwn(this.#given, name) ? Reflect.get(this.#given, name) : undefined;
  }

  /** Any JSON. */
  any(name: string): unknown {
    return this.#get(name);
  }

  text(name: string, longest = Infinity): string {
    const value = this.#get(name);
    if (typeof value === 'string' && value.length <= longest) return value;
    throw badRequest(`'${name}' is a string${longest === Infinity ? '' : ` of at most ${longest} code units`}.`);
  }

  textOr<Other>(name: string, other: Other, longest = Infinity): string | Other {
    return this.#get(name) === undefined ? other : this.text(name, longest);
  }

  flag(name: string): boolean {
    return this.#get(name) === true;
  }

  integer(name: string, most: number, other?: number): number {
    const value = this.#get(name) ?? other;
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw badRequest(`'${name}' is an integer from 0 to ${most}.`);
  }

  /** Which rows of a list are wanted. */
  window(): { readonly offset: number; readonly limit: number } {
    return { offset: this.integer('offset', Number.MAX_SAFE_INTEGER, 0), limit: this.integer('limit', MOST_ROWS, 100) };
  }

  oneOf<Word extends string>(name: string, words: readonly Word[], other: Word): Word {
    const value = this.#get(name) ?? other;
    const found = words.find((word) => word === value);
    if (found === undefined) throw badRequest(`'${name}' is one of ${words.join(', ')}.`);
    return found;
  }

  /** Names of a path in a bucket. Whether each is a name is for the file system to say. */
  path(name: string): Locator {
    const value = this.#get(name);
    const isPath = Array.isArray(value) && value.length <= MOST_NAMES && value.every((each) => typeof each === 'string' && each.length <= LONGEST_NAME);
    if (isPath) return value as string[];
    throw badRequest(`'${name}' is a list of at most ${MOST_NAMES} names.`);
  }
}
