import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Locator } from '../../src/disk/locator.ts';
import type { OperationQueue } from '../../src/file-system/operation-queue.ts';
import { Executions } from '../support/executions.ts';

const executions = new Executions('/src/file-system/', '/src/disk/locks/');
let createQueue: () => OperationQueue;

beforeAll(async () => {
  await executions.start();
  const { OperationQueue } = await import('../../src/file-system/operation-queue.ts');
  createQueue = () => new OperationQueue();
});

afterAll(() => executions.stop());

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** What the queue is to be: a list of all operations, each of which waits for those before it that it conflicts with. */
class Model {
  readonly operations: Operation[] = [];

  conflicts(places: readonly Locator[]): Operation[] {
    return this.operations.filter((each) => !each.ended && each.places.some((one) => places.some((other) => overlap(one, other))));
  }

  isClaimed(place: Locator): boolean {
    return this.operations.some((each) => each.claims && !each.ended && each.places.some((claimed) => holds(claimed, place)));
  }
}

interface Operation {
  readonly places: readonly Locator[];
  readonly claims: boolean;
  readonly behind: readonly Operation[];
  started: boolean;
  ended: boolean;
  end: () => void;
}

interface Question {
  readonly about: readonly Operation[];
  answered: boolean;
}

function holds(directory: Locator, place: Locator): boolean {
  return directory.every((name, depth) => name === place[depth]);
}

function overlap(one: Locator, other: Locator): boolean {
  return holds(one, other) || holds(other, one);
}

const place = fc.array(fc.constantFrom('a', 'b'), { maxLength: 4 });
const step = fc.oneof(
  fc.record({ type: fc.constantFrom('run' as const, 'claim' as const), places: fc.array(place, { minLength: 1, maxLength: 2 }) }),
  fc.record({ type: fc.constant('ask' as const), place }),
  fc.record({ type: fc.constant('end' as const), which: fc.nat() }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

class Comparison {
  readonly #queue = createQueue();
  readonly #model = new Model();
  readonly #questions: Question[] = [];

  async take(next: Step): Promise<void> {
    if (next.type === 'ask') this.#ask(next.place);
    else if (next.type === 'end') this.#end(next.which);
    else this.#begin(next.places, next.type === 'claim');
    // What depends on what has ended may end only in the turn after that.
    await turn();
    this.#check();
  }

  async finish(): Promise<void> {
    for (const each of this.#model.operations) {
      each.end();
      each.ended = true;
      await turn();
    }
    this.#check();
    await this.#queue.idle();
    expect(this.#queue.before([])).toBeUndefined();
    expect(this.#queue.isClaimed([])).toBe(false);
  }

  #begin(places: readonly Locator[], claims: boolean): void {
    let end = (): void => {};
    const gate = new Promise<void>((resolve) => (end = resolve));
    const operation: Operation = { places, claims, behind: this.#model.conflicts(places), started: false, ended: false, end };
    this.#model.operations.push(operation);
    const body = (): Promise<void> => {
      operation.started = true;
      return gate;
    };
    void (claims ? this.#queue.claim(places, body) : this.#queue.run(places, body));
    expect(operation.started).toBe(operation.behind.length === 0);
  }

  #ask(about: Locator): void {
    const question: Question = { about: this.#model.conflicts([about]), answered: false };
    const before = this.#queue.before(about);
    expect(before === undefined).toBe(question.about.length === 0);
    void before?.then(() => (question.answered = true));
    if (before !== undefined) this.#questions.push(question);
  }

  /** One that runs. */
  #end(which: number): void {
    const running = this.#model.operations.filter(({ started, ended }) => started && !ended);
    const operation = running[which % Math.max(running.length, 1)];
    operation?.end();
    if (operation !== undefined) operation.ended = true;
  }

  #check(): void {
    const haveEnded = (operations: readonly Operation[]): boolean => operations.every(({ ended }) => ended);
    for (const { started, behind } of this.#model.operations) expect(started).toBe(haveEnded(behind));
    for (const { answered, about } of this.#questions) expect(answered).toBe(haveEnded(about));
    for (const each of [[], ['a'], ['a', 'b'], ['b', 'a', 'a']]) {
      expect(this.#queue.isClaimed(each)).toBe(this.#model.isClaimed(each));
    }
  }
}

test('who waits for whom is as if each looked at all that were called before it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const comparison = new Comparison();
      for (const next of steps) await comparison.take(next);
      await comparison.finish();
    }),
    { numRuns: 300 },
  );
});

describe('twice as much takes at most twice as long, not four times:', () => {
  const forever = (): Promise<void> => new Promise(() => {});
  const deep = (depth: number): Locator => Array.from({ length: depth }, (_, level) => `d${level}`);

  const scenarios: Record<string, (queue: OperationQueue, count: number) => void> = {
    'operations on one place': (queue, count) => {
      for (let each = 0; each < count; each++) void queue.run([['d', 'f']], forever);
    },
    'operations on a directory and in it, by turns': (queue, count) => {
      for (let each = 0; each < count; each++) {
        void queue.run([['d']], forever);
        void queue.run([['d', `${each}`]], forever);
      }
    },
    'readers of a directory in which something happens': (queue, count) => {
      for (let each = 0; each < count; each++) {
        void queue.run([['d', `${each}`]], forever);
        void queue.before(['d']);
      }
    },
    'the depth of a place': (queue, depth) => {
      void queue.claim([deep(depth)], forever);
      queue.isClaimed(deep(depth));
      void queue.run([deep(depth)], forever);
    },
  };

  async function costOf(scenario: (queue: OperationQueue, count: number) => void, count: number): Promise<number> {
    const queue = createQueue();
    await executions.take();
    scenario(queue, count);
    return executions.take();
  }

  test.each(Object.entries(scenarios))('%s', async (_, scenario) => {
    const [single, double] = [await costOf(scenario, 500), await costOf(scenario, 1000)];
    expect(single).toBeGreaterThan(500);
    expect(double / single).toBeLessThan(2.2);
  });
});
