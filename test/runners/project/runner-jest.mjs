import { jest, test } from '@jest/globals';

export { test };

export function fakeTimers() {
  jest.useFakeTimers();
  return () => jest.useRealTimers();
}
