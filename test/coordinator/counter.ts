import { onTestFinished } from 'vitest';
import { Coordinator, testCoordinators } from '../../src/host/coordinator/index.ts';
import type { CoordinatorClass, TestCoordinators } from '../../src/host/coordinator/index.ts';
import { encrypted } from '../support/sealed.ts';

export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
export const later = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

export class Counter extends Coordinator {
  static made = 0;
  readonly number = (Counter.made += 1);

  increment(by = 1): number {
    const next = Number(this.localStorage.getItem('n') ?? 0) + by;
    this.localStorage.setItem('n', String(next));
    return next;
  }

  read(): number {
    return Number(this.localStorage.getItem('n') ?? 0);
  }

  incarnation(): number {
    return this.number;
  }

  /** Reads, waits for something that goes through the gate, and writes what it has read and one more. */
  async slowly(how: 'nothing' | 'wait' | 'file' | 'timer' | 'timer and wait'): Promise<void> {
    const directory = how === 'file' ? await this.storage.getDirectory() : null;
    const read = this.read();
    if (how === 'nothing') await null;
    if (how === 'wait') await this.state.blockConcurrencyWhile(() => later(1));
    if (how === 'file') await directory?.getFileHandle('f', { create: true });
    if (how === 'timer') await later(1);
    this.localStorage.setItem('n', String(read + 1));
  }

  whoAmI(): unknown {
    const { name, className, origin, call } = this.state;
    return { name, className, origin, call: typeof call?.id };
  }

  echo(value: unknown): unknown {
    return value;
  }

  fails(how: string): void {
    this.localStorage.setItem('failed', how);
    if (how === 'type') throw new TypeError('mine', { cause: { deep: 1 } });
    if (how === 'code') throw Object.assign(new Error('coded'), { code: 'E1' });
    throw how;
  }

  undoes(): string[] {
    this.localStorage.setItem('kept', '1');
    try {
      this.state.transaction(() => {
        this.localStorage.setItem('undone', '1');
        throw new Error('mine');
      });
    } catch {
      // as it is meant to
    }
    return Object.keys(this.localStorage);
  }

  override async fetch(request: Request): Promise<Response> {
    const text = await request.text();
    return Response.json({ url: request.url, text, n: this.increment() }, { status: 201, headers: { 'x-from': this.state.name } });
  }

  get notAMethod(): string {
    return 'a getter';
  }
}

export class Serial extends Counter {
  static override readonly concurrency = 'serial';
}

export function open<Classes extends Record<string, CoordinatorClass>>(classes: Classes): TestCoordinators {
  const opened = testCoordinators(classes, encrypted);
  onTestFinished(() => opened.close());
  return opened;
}

export async function refusal(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
}
