import fs from 'node:fs';

/** Every system call that a journal makes. */
export const systemCalls = [
  'openSync',
  'closeSync',
  'readSync',
  'writeSync',
  'fsyncSync',
  'fdatasyncSync',
  'fstatSync',
  'linkSync',
  'unlinkSync',
  'readdirSync',
  'mkdirSync',
] as const;
export type SystemCall = (typeof systemCalls)[number];

type Anything = (...parameters: unknown[]) => unknown;

/** Decides about one call: may carry it out by `proceed` (with other parameters, if it likes), or throw instead. */
export type Interceptor = (call: SystemCall, parameters: unknown[], proceed: Anything) => unknown;

/** Puts `interceptor` in front of every system call of this realm; returns the function that takes it away. */
export function intercept(interceptor: Interceptor): () => void {
  const table = fs as unknown as Record<SystemCall, Anything>;
  const originals = systemCalls.map((call) => [call, table[call]] as const);
  for (const [call, original] of originals) {
    table[call] = (...parameters) => interceptor(call, parameters, (...changed) => original(...changed));
  }
  return () => {
    for (const [call, original] of originals) table[call] = original;
  };
}

/** Runs `action` with `interceptor` in front of every system call. */
export function intercepting<Result>(interceptor: Interceptor, action: () => Result): Result {
  const stop = intercept(interceptor);
  try {
    return action();
  } finally {
    stop();
  }
}

/** Whether a call appends a SEAL. */
export function isSeal(call: SystemCall, parameters: unknown[]): boolean {
  return call === 'writeSync' && (parameters[1] as Uint8Array)[20] === 200;
}

export function systemError(code: string, call: string): Error {
  return Object.assign(new Error(`${code}: injected, ${call}`), { code, syscall: call });
}

/** Carries out a write up to `size` bytes only, as a disk that has become full does. */
export function shortWrite(parameters: unknown[], size: number, proceed: Anything): unknown {
  const [descriptor, buffer, offset, length] = parameters;
  return proceed(descriptor, buffer, offset, Math.min(size, Number(length)));
}
