import { bare } from '../runtime/define.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';

/** What is wrong with an option. */
export function bad(message: string, cause?: unknown): HoldfastError {
  return new HoldfastError('bad-option', message, cause === undefined ? undefined : { cause });
}

/**
 * The options that were given, and none that `Object.prototype` happens to have. Refuses a typing error rather than
 * ignore it.
 *
 * @throws HoldfastError bad-option
 */
export function givenOptions<T extends object>(options: T, known: readonly string[], of: string): T {
  if (typeof options !== 'object' || options === null) throw bad(`${of} takes an object of options, not ${String(options)}.`);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw bad(`${of} has no option '${unknown}'; it knows ${known.join(', ')}.`);
  return bare(options);
}

/** @throws HoldfastError bad-option unless `value` is one of `values` */
export function requireOneOf<T extends string>(name: string, value: unknown, values: readonly T[]): T {
  const found = values.find((candidate) => candidate === value);
  if (found === undefined) throw bad(`Option '${name}' is one of ${values.join(', ')}, not ${String(value)}.`);
  return found;
}
