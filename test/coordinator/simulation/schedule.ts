/** The time and the event loop of a simulated world: one task after another, each followed by its microtasks. */

interface Task {
  at: number;
  readonly order: number;
  /** Whose it is: a process that is dead or paused runs none. Null: the world's own. */
  readonly owner: Owner | null;
  readonly run: () => void;
  isDone: boolean;
}

export interface Owner {
  isDead: boolean;
  isPaused: boolean;
}

const runMicrotasks = Reflect.get(process, '_tickCallback') as () => void;

/** It begins anew with each world. */
class Schedule {
  now = 0;
  owner: Owner | null = null;
  random: () => number = () => 0;
  #tasks: Task[] = [];
  #held: Task[] = [];
  #order = 0;

  begin(random: () => number): void {
    this.now = 1_700_000_000_000;
    this.owner = null;
    this.random = random;
    this.#tasks = [];
    this.#held = [];
    this.#order = 0;
  }

  add(after: number, run: () => void, owner: Owner | null = this.owner): Task {
    const task: Task = { at: this.now + after, order: (this.#order += 1), owner, run, isDone: false };
    push(this.#tasks, task);
    return task;
  }

  /** False: there is nothing to run. */
  step(): boolean {
    const task = pop(this.#tasks);
    if (task === undefined) return false;
    this.now = Math.max(this.now, task.at);
    if (task.isDone || task.owner?.isDead === true) return true;
    if (task.owner?.isPaused === true) {
      this.#held.push(task);
      return true;
    }
    task.isDone = true;
    this.owner = task.owner;
    task.run();
    runMicrotasks();
    this.owner = null;
    return true;
  }

  /** What was held back while its process was paused. */
  resume(): void {
    for (const task of this.#held.splice(0)) {
      task.at = this.now;
      push(this.#tasks, task);
    }
  }
}

export const schedule = new Schedule();

const isBefore = (a: Task, b: Task): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

function push(heap: Task[], task: Task): void {
  let at = heap.push(task) - 1;
  while (at > 0) {
    const above = (at - 1) >> 1;
    const other = heap[above] as Task;
    if (!isBefore(task, other)) break;
    heap[at] = other;
    at = above;
  }
  heap[at] = task;
}

function pop(heap: Task[]): Task | undefined {
  const first = heap[0];
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return first;
  let at = 0;
  for (let child = 1; child < heap.length; child = 2 * at + 1) {
    const right = heap[child + 1];
    if (right !== undefined && isBefore(right, heap[child] as Task)) child += 1;
    const other = heap[child] as Task;
    if (!isBefore(other, last)) break;
    heap[at] = other;
    at = child;
  }
  heap[at] = last;
  return first;
}
