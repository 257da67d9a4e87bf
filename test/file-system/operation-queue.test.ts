import { describe, expect, test } from 'vitest';
import { OperationQueue } from '../../src/file-system/operation-queue.ts';

/** A promise that the test settles itself. */
function deferred(): { promise: Promise<void>; resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((settle) => (resolve = settle));
  return { promise, resolve };
}

describe('the operation queue of a realm', () => {
  test('starts an operation in the turn of its call when nothing is in its way', () => {
    const queue = new OperationQueue();
    let isStarted = false;
    void queue.run([['a']], async () => void (isStarted = true));
    expect(isStarted).toBe(true);
  });

  test('runs operations on one place in the order of their calls', async () => {
    const queue = new OperationQueue();
    const order: string[] = [];
    const first = deferred();
    const ended = [
      queue.run([['a']], () => first.promise.then(() => void order.push('first'))),
      queue.run([['a']], async () => void order.push('second')),
      queue.run([['a']], async () => void order.push('third')),
    ];
    first.resolve();
    await Promise.all(ended);
    expect(order).toEqual(['first', 'second', 'third']);
  });

  test.each([
    ['the directory that holds the place', [['d']]],
    ['what is in the place', [['d', 'a', 'b']]],
    ['one of two places', [['x'], ['d', 'a']]],
  ])('makes an operation wait for one on %s', async (_, places) => {
    const queue = new OperationQueue();
    const first = deferred();
    void queue.run(places, () => first.promise);
    let isStarted = false;
    const second = queue.run([['d', 'a']], async () => void (isStarted = true));
    expect(isStarted).toBe(false);
    first.resolve();
    await second;
    expect(isStarted).toBe(true);
  });

  test('keeps what is under way apart from what has ended, on the same places', async () => {
    const queue = new OperationQueue();
    const [first, second] = [deferred(), deferred()];
    const firstEnded = queue.run([['d', 'a'], ['d', 'b']], () => first.promise);
    const secondEnded = queue.run([['d', 'c']], () => second.promise);
    expect(queue.before(['d'])).toBeDefined();
    first.resolve();
    await firstEnded;
    expect(queue.before(['d', 'a'])).toBeUndefined();
    expect(queue.before([])).toBeDefined();
    second.resolve();
    await secondEnded;
    expect(queue.before([])).toBeUndefined();
  });

  test('lets neighbours overlap', () => {
    const queue = new OperationQueue();
    void queue.run([['d', 'a']], () => deferred().promise);
    let isStarted = false;
    void queue.run([['d', 'b']], async () => void (isStarted = true));
    expect(isStarted).toBe(true);
  });

  test('goes on after an operation that failed', async () => {
    const queue = new OperationQueue();
    const first = queue.run([['a']], async () => {
      throw new Error('no');
    });
    const second = queue.run([['a']], async () => 'yes');
    await expect(first).rejects.toThrow('no');
    expect(await second).toBe('yes');
  });

  test('an operation that is done keeps nobody waiting, though its promise has not settled', () => {
    const queue = new OperationQueue();
    void queue.run([['a']], (done) => {
      done();
      return deferred().promise;
    });
    expect(queue.before(['a'])).toBeUndefined();
  });

  test('a reader waits for what was called before it, not for what comes after', async () => {
    const queue = new OperationQueue();
    const first = deferred();
    void queue.run([['a']], () => first.promise);
    const before = queue.before(['a']);
    void queue.run([['a']], () => deferred().promise);
    first.resolve();
    await before;
  });

  test('a place is claimed, with all below it, until the promise of its move or removal has settled', async () => {
    const queue = new OperationQueue();
    const removal = deferred();
    const ended = queue.claim([['d']], () => removal.promise);
    expect([['d'], ['d', 'a'], ['d', 'a', 'b'], ['e'], []].map((place) => queue.isClaimed(place))).toEqual([
      true,
      true,
      true,
      false,
      false,
    ]);
    removal.resolve();
    await ended;
    expect(queue.isClaimed(['d'])).toBe(false);
  });

  test('a claim on the root covers everything', () => {
    const queue = new OperationQueue();
    void queue.claim([[]], () => deferred().promise);
    expect(queue.isClaimed(['any', 'place'])).toBe(true);
  });

  test('two claims on one place end one by one', async () => {
    const queue = new OperationQueue();
    const [first, second] = [deferred(), deferred()];
    const firstEnded = queue.claim([['a']], () => first.promise);
    const secondEnded = queue.claim([['a']], () => second.promise);
    first.resolve();
    await firstEnded;
    expect(queue.isClaimed(['a'])).toBe(true);
    second.resolve();
    await secondEnded;
    expect(queue.isClaimed(['a'])).toBe(false);
  });

  test('is idle when everything has ended', async () => {
    const queue = new OperationQueue();
    const first = deferred();
    let isIdle = false;
    void queue.run([['a']], () => first.promise);
    const idle = queue.idle().then(() => (isIdle = true));
    await Promise.resolve();
    expect(isIdle).toBe(false);
    first.resolve();
    await idle;
  });
});
