// Conversions to integers that only methods of files need, and so are loaded with them.
import { toNumber } from './conversions.ts';

const maxSafe = Number.MAX_SAFE_INTEGER;

/** https://webidl.spec.whatwg.org/#js-unsigned-long-long: modulo 2^64, as the nearest double. */
export function unsignedLongLong(value: unknown, context: string): number {
  const number = Math.trunc(toNumber(value, context));
  if (number >= 0 && number <= maxSafe) return number + 0;
  return Number.isFinite(number) ? Number(BigInt.asUintN(64, BigInt(number))) : 0;
}

/** The same with [EnforceRange]: outside 0 … 2^53 - 1 is a TypeError. https://webidl.spec.whatwg.org/#EnforceRange */
export function enforcedUnsignedLongLong(value: unknown, context: string): number {
  const number = toNumber(value, context);
  const integer = Math.trunc(number);
  if (!(integer >= 0 && integer <= maxSafe)) {
    throw new TypeError(`${context} is not an integer from 0 to ${maxSafe}.`);
  }
  return integer + 0;
}

/** https://webidl.spec.whatwg.org/#js-unsigned-long with [EnforceRange]: outside 0 … 2^32 - 1 is a TypeError. */
export function enforcedUnsignedLong(value: unknown, context: string): number {
  const number = enforcedUnsignedLongLong(value, context);
  if (number >= 2 ** 32) throw new TypeError(`${context} is not an integer from 0 to ${2 ** 32 - 1}.`);
  return number;
}
