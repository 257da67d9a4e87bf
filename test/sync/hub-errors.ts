import { HoldfastError, type HoldfastErrorCode } from '../../src/runtime/holdfast-error.ts';
import { expect } from 'vitest';

/** The HoldfastError that a call rejects with. */
export async function rejection(call: Promise<unknown>): Promise<HoldfastError> {
  const error: unknown = await call.then(
    () => expect.unreachable('the call should have rejected'),
    (reason: unknown) => reason,
  );
  if (!(error instanceof HoldfastError)) throw error;
  return error;
}

export async function expectRejection(call: Promise<unknown>, code: HoldfastErrorCode, message = /./): Promise<HoldfastError> {
  const error = await rejection(call);
  expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
  expect(error.message).toMatch(message);
  return error;
}

/** All that an error shows, by any way of showing it: message, stack and properties, and those of its causes. */
export function everythingOf(error: unknown): string {
  const texts: string[] = [];
  const seen = new Set<unknown>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return void texts.push(String(value));
    if (seen.has(value)) return;
    seen.add(value);
    for (const key of Reflect.ownKeys(value)) visit(Reflect.get(value, key));
  };
  visit(error);
  return texts.join('\n');
}
