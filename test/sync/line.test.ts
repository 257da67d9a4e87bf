import { expect, test } from 'vitest';
import { nextTurn } from '../../src/runtime/timers.ts';
import { Line } from '../../src/sync/replicator/line.ts';
import { systemSurroundings } from '../../src/sync/replicator/surroundings.ts';

/** Holds up the thread, as a collection of garbage or a busy machine does. */
function holdUp(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

test('an answer that came while the thread was held up counts, however late it is seen', async () => {
  const line = new Line(systemSurroundings);
  await nextTurn();
  const answer = line.ask('for its head', 20, async () => (await nextTurn(), 'here'));
  holdUp(60);
  await expect(answer).resolves.toBe('here');
});

test('none that came is hub-unreachable, and so is whatever is asked of a line that was cut', async () => {
  const line = new Line(systemSurroundings);
  const never = (): Promise<never> => new Promise(() => undefined);
  await expect(line.ask('for its head', 20, never)).rejects.toMatchObject({ code: 'hub-unreachable' });
  const asked = line.ask('for its head', 60_000, never);
  line.cut();
  await expect(asked).rejects.toMatchObject({ code: 'closed' });
  await expect(line.ask('for its head', 20, never)).rejects.toMatchObject({ code: 'closed' });
});
