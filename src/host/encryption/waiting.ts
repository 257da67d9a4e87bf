import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { clearTimeout, setTimeout } from '../../runtime/timers.ts';

/** How long a key is waited for, in milliseconds. */
export const WAIT_MS = 10_000;

export function pending(origin: string, cause?: unknown): HoldfastError {
  return new HoldfastError('key-pending', `The key of ${origin} is not there yet; await host.unlock('${origin}') first.`, { cause });
}

/** What a provider throws may say what nobody else should know: it is the cause, and not repeated. */
export function failed(origin: string, cause: unknown): HoldfastError {
  if (cause instanceof HoldfastError) return cause;
  return new HoldfastError('key-missing', `The option 'encryption' could not give the key of ${origin}.`, { cause });
}

/** Waits ten seconds at most. @throws HoldfastError what `late` makes of it, by default `key-pending` */
export async function bounded<T>(origin: string, waited: Promise<T>, late = (cause: Error) => pending(origin, cause)): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const over = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late(new Error(`it did not come within ${WAIT_MS} ms`))), WAIT_MS);
  });
  try {
    return await Promise.race([waited, over]);
  } finally {
    clearTimeout(timer);
  }
}
