/**
 * Does something with each item, a few at a time. After a failure no other item is begun, and it is passed on when what
 * was begun has ended: nothing goes on behind the caller's back.
 */
export async function inParallel<T>(items: Iterable<T>, atOnce: number, body: (item: T) => Promise<void>): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failure: { readonly error: unknown } | null = null;
  const work = async (): Promise<void> => {
    for (let next = iterator.next(); failure === null && next.done !== true; next = iterator.next()) {
      try {
        await body(next.value);
      } catch (error) {
        failure ??= { error };
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  throwIt(failure);
}

function throwIt(failure: { readonly error: unknown } | null): void {
  if (failure !== null) throw failure.error;
}
