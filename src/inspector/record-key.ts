import { types } from 'node:util';
import { badRequest } from './failure.ts';

/** How deep keys of keys are followed. */
const DEEPEST = 64;

/** A key of a record as JSON, by which the page names it. https://w3c.github.io/IndexedDB/#key-construct */
export function handleOf(key: unknown): unknown {
  if (typeof key === 'string') return { text: key };
  if (typeof key === 'number') return { number: Object.is(key, -0) ? '-0' : String(key) };
  if (types.isDate(key)) return { date: key.getTime() };
  if (Array.isArray(key)) return { keys: key.map(handleOf) };
  return { bytes: Buffer.from(key as ArrayBuffer).toString('base64') };
}

/** @throws Refused */
export function fromHandle(handle: unknown, depth = 0): unknown {
  if (typeof handle !== 'object' || handle === null || depth > DEEPEST) throw badRequest('This names no record.');
  const { text, number, date, keys, bytes } = handle as Record<string, unknown>;
  if (typeof text === 'string') return text;
  if (typeof number === 'string' && !Number.isNaN(Number(number))) return Number(number);
  if (typeof date === 'number') return new Date(date);
  if (Array.isArray(keys)) return keys.map((each) => fromHandle(each, depth + 1));
  if (typeof bytes === 'string') return new Uint8Array(Buffer.from(bytes, 'base64')).buffer;
  throw badRequest('This names no record.');
}
