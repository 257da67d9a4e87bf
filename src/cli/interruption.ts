import { HoldfastError } from '../runtime/holdfast-error.ts';
import { endInput } from './output.ts';

const signals = ['SIGINT', 'SIGTERM'] as const;

let interruption: AbortController | undefined;

/** Aborted by the first signal to end; the next one ends the process at once. */
export function onInterruption(): AbortSignal {
  interruption ??= listen();
  return interruption.signal;
}

function listen(): AbortController {
  const controller = new AbortController();
  for (const signal of signals) {
    // It stays: proper-lockfile, where it was loaded, ends the process at a signal that nobody else listens to.
    process.on(signal, () => {
      if (controller.signal.aborted) process.exit(1);
      controller.abort(new HoldfastError('closed', 'It was interrupted.'));
      endInput();
    });
  }
  return controller;
}

/** The same pieces, until the signal is aborted: then it throws, also while the next piece is waited for. */
export async function* until<T>(signal: AbortSignal, pieces: AsyncIterable<T>): AsyncGenerator<T, void> {
  signal.throwIfAborted();
  const iterator = pieces[Symbol.asyncIterator]();
  let stop = (): void => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason as Error);
    signal.addEventListener('abort', stop);
  });
  aborted.catch(() => undefined);
  try {
    for (;;) {
      const { done, value } = await Promise.race([iterator.next(), aborted]);
      if (done === true) return;
      yield value;
    }
  } finally {
    signal.removeEventListener('abort', stop);
    // Whoever was waited for may never come.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}
