import { queueTask } from '../../runtime/tasks.ts';
import type { EventNode } from '../events/event-node.ts';
import type { Operation } from './operation.ts';
import { Request } from './request.ts';

/** It is nothing that a transaction runs: the request waits in the connection queue. */
const none: Operation = { ready: null, run: () => undefined };

/** A request to open or delete a database. https://w3c.github.io/IndexedDB/#open-request */
export class OpenRequest extends Request {
  #isReserved = false;
  #task: (() => void) | null = null;

  constructor() {
    super(null, null, none);
  }

  override get parent(): EventNode | null {
    return null;
  }

  /** Queues the task of its last event before it is known what that is: when its upgrade is about to tell of its end. */
  reserveTask(): void {
    this.#isReserved = true;
    queueTask(() => {
      this.#isReserved = false;
      this.#task?.();
    });
  }

  /** Runs the task in which its last event is fired. */
  queueTask(task: () => void): void {
    if (this.#isReserved) this.#task = task;
    else queueTask(task);
  }
}
