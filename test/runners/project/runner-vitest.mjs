import { test, vi } from 'vitest';

export { test };

export function fakeTimers() {
  vi.useFakeTimers({ toFake: ['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'queueMicrotask', 'performance', 'Date'] });
  return () => vi.useRealTimers();
}
