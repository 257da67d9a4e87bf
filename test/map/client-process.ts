import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { MapChange } from '../../src/disk/map/map-area.ts';
import { bundleFixture } from '../support/bundle.ts';
import type { Answer, Command, Start } from './client-fixture.ts';

const fixture = bundleFixture(new URL('./client-fixture.ts', import.meta.url));
const running = new Set<ChildProcess>();

/** A client of a map in another process. */
export class ClientProcess {
  readonly changes: MapChange[] = [];
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, (value: unknown) => void>();
  #number = 0;

  private constructor(child: ChildProcess) {
    this.#child = child;
    running.add(child);
    child.on('message', (answer: Answer) => this.#receive(answer));
  }

  static async start(start: Start): Promise<ClientProcess> {
    // 'advanced' keeps lone surrogates as they are.
    return new ClientProcess(fork(await fixture, [JSON.stringify(start)], { serialization: 'advanced', execArgv: [] }));
  }

  #receive(answer: Answer): void {
    if ('change' in answer) {
      this.changes.push(answer.change);
      return;
    }
    this.#waiting.get(answer.answer)?.(answer.value);
    this.#waiting.delete(answer.answer);
  }

  /** What the other process answers; it never does when it fails, and says why on its standard error. */
  ask<T>(command: Command): Promise<T> {
    const number = ++this.#number;
    return new Promise<T>((resolve) => {
      this.#waiting.set(number, resolve as (value: unknown) => void);
      this.#child.send({ number, command });
    });
  }
}

export async function endClientProcesses(): Promise<void> {
  for (const child of running) {
    running.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) continue;
    child.kill('SIGKILL');
    await once(child, 'exit');
  }
}
