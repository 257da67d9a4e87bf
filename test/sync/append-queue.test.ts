import { describe, expect, it } from 'vitest';
import { HoldfastError } from '../../src/runtime/holdfast-error.ts';
import { AppendQueue, AppendQueues, type LogBatch, type WriteLimits } from '../../src/sync/hubs/append-queue.ts';

interface Log {
  readonly key: string;
}

const limits: WriteLimits = { entries: 4, bytes: 100, logs: 2, writes: 1 };
const entry = (id: string, length = 1) => ({ id, bytes: new Uint8Array(length) });

/** A hub that answers when it is told to, and says what it is asked to write as `log:id,id`. */
class Writes {
  readonly asked: string[][] = [];
  readonly #answers: (() => void)[] = [];

  readonly write = (batches: readonly LogBatch<Log>[]): Promise<readonly number[]> => {
    this.asked.push(batches.map(({ log, entries }) => `${log.key}:${entries.map(({ id }) => id).join()}`));
    return new Promise((resolve, reject) => {
      const failing = batches.flatMap(({ entries }) => entries).find(({ id }) => id.startsWith('bad') || id.startsWith('away'));
      const code = failing?.id.startsWith('bad') === true ? 'hub-too-large' : 'hub-unreachable';
      this.#answers.push(() => (failing === undefined ? resolve(batches.map((_, index) => 10 + index)) : reject(new HoldfastError(code, failing.id))));
    });
  };

  async answer(): Promise<void> {
    this.#answers.shift()?.();
    await new Promise((resolve) => setImmediate(resolve));
  }

  async answerAll(): Promise<void> {
    while (this.#answers.length > 0) await this.answer();
  }
}

function setUp(changes: Partial<WriteLimits> = {}) {
  const writes = new Writes();
  const queue = new AppendQueue<Log>(writes.write, { ...limits, ...changes });
  const append = (key: string, ...entries: ReturnType<typeof entry>[]) => queue.append({ key }, entries);
  return { writes, append };
}

describe('the queue of appends', () => {
  it('writes at once when nothing is under way, and what waits together, in order', async () => {
    const { writes, append } = setUp();
    const first = append('a', entry('1'));
    const later = [append('a', entry('2')), append('b', entry('3')), append('a', entry('4'))];
    expect(writes.asked).toEqual([['a:1']]);
    await writes.answerAll();
    expect(writes.asked.slice(1)).toEqual([['a:2,4', 'b:3']]);
    expect([await first, ...(await Promise.all(later))]).toEqual([10, 10, 11, 10]);
  });

  it('divides no call, and keeps to the limits otherwise', async () => {
    const { writes, append } = setUp();
    const done = [append('a', entry('0')), append('a', entry('1'), entry('2'), entry('3')), append('a', entry('4'), entry('5')), append('b', entry('6', 101)), append('c', entry('7')), append('d', entry('8'))];
    await writes.answerAll();
    await Promise.all(done);
    expect(writes.asked).toEqual([['a:0'], ['a:1,2,3', 'c:7'], ['a:4,5', 'd:8'], ['b:6']]);
  });

  it('has one write to a log at a time, though others go on', async () => {
    const { writes, append } = setUp({ writes: 2, logs: 1 });
    const done = [append('a', entry('1')), append('a', entry('2')), append('b', entry('3')), append('c', entry('4'))];
    expect(writes.asked).toEqual([['a:1'], ['b:3']]);
    await writes.answerAll();
    await Promise.all(done);
    expect(writes.asked.map(([batch]) => batch).sort()).toEqual(['a:1', 'a:2', 'b:3', 'c:4']);
  });

  it("lets no log suffer from another's failure", async () => {
    const { writes, append } = setUp();
    const first = append('x', entry('0'));
    const done = [append('a', entry('1')), append('b', entry('bad'))].map((call) => call.catch((error: HoldfastError) => error.code));
    await writes.answerAll();
    await first;
    expect(await Promise.all(done)).toEqual([10, 'hub-too-large']);
    expect(writes.asked.slice(1)).toEqual([['a:1', 'b:bad'], ['a:1'], ['b:bad']]);
  });

  it('fails at once when the hub is away, and goes on when it is back', async () => {
    const { writes, append } = setUp();
    const first = append('x', entry('0'));
    const done = [append('a', entry('1')), append('b', entry('away'))].map((call) => call.catch((error: HoldfastError) => error.code));
    await writes.answerAll();
    await first;
    expect(await Promise.all(done)).toEqual(['hub-unreachable', 'hub-unreachable']);
    const next = append('a', entry('1'));
    await writes.answerAll();
    expect(await next).toBe(10);
  });

  it('of single logs has no log wait for another', async () => {
    const asked: string[] = [];
    const queues = new AppendQueues({ entries: 10, bytes: 10 });
    const write = (key: string) => (entries: readonly { id: string }[]) => {
      asked.push(`${key}:${entries.map(({ id }) => id).join()}`);
      return new Promise<number>((resolve) => setImmediate(resolve, 7));
    };
    const done = ['a', 'b', 'a', 'a'].map((key, index) => queues.append(key, [entry(`${index}`)], [], write(key)));
    expect(asked).toEqual(['a:0', 'b:1']);
    expect(await Promise.all(done)).toEqual([7, 7, 7, 7]);
    expect(asked.slice(2)).toEqual(['a:2,3']);
  });
});
