import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { now } from '../history.ts';
import { WORKERS } from './plan.ts';
import { Thread, type Phase, type ThreadOptions } from './thread.ts';

// A process of several threads. Its main thread is told what to do, tells the others, and answers for all of them.

export interface ActorOptions extends ThreadOptions {
  /** Where it writes down which of its threads it ends. */
  readonly deaths: string;
}

/** A line of that file: nanoseconds of the machine's monotonic clock, `gone` once the thread is. */
export interface ThreadDeath {
  readonly realm: string;
  readonly signalled?: number;
  readonly gone?: number;
}

export type Order = Phase | 'terminate';

interface Other {
  readonly realm: string;
  readonly worker: Worker;
  readonly exit: Promise<unknown>;
}

class Process {
  readonly #options: ActorOptions;
  readonly #thread: Thread;
  readonly #others: Other[] = [];
  #started = 0;

  constructor(options: ActorOptions) {
    this.#options = options;
    this.#thread = new Thread(this.#optionsOf('m', options.round));
    for (let count = 0; count < WORKERS; count++) this.#start(options.round);
  }

  #optionsOf(suffix: string, round: number): ThreadOptions {
    const { root, logs, realm, seed } = this.#options;
    return { root, logs, realm: realm + suffix, seed: seed + this.#started, round };
  }

  #start(round: number): Other {
    const options = this.#optionsOf(`w${++this.#started}`, round);
    const worker = new Worker(fileURLToPath(import.meta.url), { workerData: options });
    worker.on('error', (error) => {
      throw error;
    });
    const other = { realm: options.realm, worker, exit: once(worker, 'exit') };
    this.#others.push(other);
    return other;
  }

  async enter(phase: Phase): Promise<void> {
    await Promise.all([this.#thread.enter(phase), ...this.#others.map((other) => ask(other, phase))]);
  }

  /** Ends the thread that is the oldest, wherever it is, and starts another. */
  async terminate(round: number): Promise<void> {
    const oldest = this.#others.shift();
    if (oldest === undefined) throw new Error('there is no other thread');
    this.#note({ realm: oldest.realm, signalled: now() });
    await oldest.worker.terminate();
    this.#note({ realm: oldest.realm, gone: now() });
    await ask(this.#start(round), { phase: 'work', round });
  }

  #note(death: ThreadDeath): void {
    fs.appendFileSync(path.join(this.#options.deaths, this.#options.realm), `${JSON.stringify(death)}\n`);
  }
}

async function ask({ worker, exit }: Other, phase: Phase): Promise<void> {
  const answer = once(worker, 'message');
  worker.postMessage(phase);
  await Promise.race([answer, exit]);
}

async function serveProcess(): Promise<void> {
  const whole = new Process(JSON.parse(process.argv[2] ?? '{}') as ActorOptions);
  let round = 0;
  const obey = async (order: Order): Promise<void> => {
    if (order === 'terminate') return await whole.terminate(round);
    round = order.round;
    await whole.enter(order);
    if (order.phase === 'close') process.disconnect();
  };
  process.on('disconnect', () => process.exit());
  process.on('message', (order: Order) => void obey(order).then(() => process.connected && process.send?.('done')));
  process.send?.('ready');
  await once(process, 'disconnect');
}

function serveThread(): void {
  const thread = new Thread(workerData as ThreadOptions);
  parentPort?.on('message', (phase: Phase) => {
    void thread.enter(phase).then(() => {
      parentPort?.postMessage('done');
      if (phase.phase === 'close') parentPort?.close();
    });
  });
}

if (isMainThread) await serveProcess();
else serveThread();
