import { FakeHandle } from './fake-handle.ts';

/** What a test needs to know of a value: handles as `handle <path>`, errors as their name, the rest as JSON would. */
export function describe(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (FakeHandle.is(value)) return `handle ${value.path}`;
  if (value instanceof Error || value instanceof DOMException) return value.name;
  if (value instanceof Map) return `Map of ${[...value.keys()].join()}`;
  if (Array.isArray(value)) return value.map(describe);
  if (Object.getPrototypeOf(value) !== Object.prototype) return Object.prototype.toString.call(value);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, describe(inner)]));
}
