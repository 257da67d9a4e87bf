import { HoldfastError } from '../runtime/holdfast-error.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

/** Aborted by the first signal to end; the next one ends the process at once. */
export function onInterruption(): AbortSignal {
  const controller = new AbortController();
  for (const signal of signals) {
    process.once(signal, () => controller.abort(new HoldfastError('closed', 'It was interrupted.')));
  }
  return controller.signal;
}

/** The same pieces, until the signal is aborted: then it throws. */
export async function* until<T>(signal: AbortSignal, pieces: AsyncIterable<T>): AsyncGenerator<T, void> {
  for await (const piece of pieces) {
    signal.throwIfAborted();
    yield piece;
  }
  signal.throwIfAborted();
}
