import { bare } from '../../runtime/define.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';

export function badOption(message: string): HoldfastError {
  return new HoldfastError('bad-option', message);
}

/**
 * The options that were given, and none that `Object.prototype` happens to have. Refuses what is no object of options,
 * and a typing error in one. Values are not shown, for they may be secrets.
 *
 * @throws HoldfastError `bad-option`
 */
export function givenOptions<T extends object>(options: T, known: readonly string[], of: string): T {
  if (typeof options !== 'object' || options === null) throw badOption(`${of} takes an object of options.`);
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown !== undefined) throw badOption(`${of} has no option '${unknown}'; it knows ${known.join(', ')}.`);
  return bare(options);
}

/** @throws HoldfastError `bad-option` unless `value` is an integer from `least` to `most` */
export function requireInteger(name: string, value: unknown, least: number, most: number): number {
  if (Number.isSafeInteger(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw badOption(`Option '${name}' must be an integer from ${least} to ${most}.`);
}
