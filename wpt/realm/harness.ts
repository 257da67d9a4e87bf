import type { HarnessStatus, Report, Subtest, SubtestStatus } from './config.ts';
import { errorEvent } from './global-events.ts';

interface HarnessTest {
  readonly name: string;
  readonly status: number;
  readonly message: string | null;
}

/** The part of testharness.js that is used here; all of it is its public interface. */
interface Harness {
  add_result_callback(callback: (test: HarnessTest) => void): void;
  add_completion_callback(callback: (tests: readonly HarnessTest[], status: HarnessTest) => void): void;
  setup(properties: { readonly explicit_done: boolean }): void;
  done(): void;
  timeout(): void;
}

const subtestStatus: readonly SubtestStatus[] = ['PASS', 'FAIL', 'TIMEOUT', 'NOTRUN', 'PRECONDITION_FAILED'];
const harnessStatus: readonly HarnessStatus[] = ['OK', 'ERROR', 'TIMEOUT', 'PRECONDITION_FAILED'];

const scope = globalThis as typeof globalThis & Partial<Harness>;

/** Connects testharness.js, once it has run, to the runner. It plays the part of the vendor's testharnessreport.js. */
export class HarnessReporter {
  readonly #send: (report: Report) => void;
  #connected = false;

  constructor(send: (report: Report) => void) {
    this.#send = send;
  }

  /** The realm is made: from here on time counts. The timer also keeps the realm running while a test waits. */
  start(timeout: number): void {
    this.#send({ type: 'started' });
    setTimeout(() => this.#timeout(), timeout);
  }

  /** To be called after every script: the harness may be the first one, or be imported by the test itself. */
  connect(): void {
    if (this.#connected || scope.add_result_callback === undefined || scope.add_completion_callback === undefined) return;
    this.#connected = true;
    scope.add_result_callback((test) => this.#send({ type: 'subtest', subtest: subtestOf(test) }));
    scope.add_completion_callback((tests, { status, message }) =>
      this.#send({ type: 'complete', harness: harnessStatus[status] ?? 'ERROR', message, subtests: tests.map(subtestOf) }),
    );
  }

  /** A script that threw or did not parse: the harness learns it from the event, unless it is not there yet. */
  scriptFailed(error: unknown, events: EventTarget): void {
    if (this.#connected) events.dispatchEvent(errorEvent(error));
    else this.#fail('ERROR', String(error));
  }

  /** The realm could not be made: no test has run. */
  startFailed(error: unknown): void {
    this.#fail('CRASH', `the realm could not start: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }

  /** Keeps the harness from taking the first pause for the end of the page's loading. */
  holdUntilLoaded(): void {
    scope.setup?.({ explicit_done: true });
  }

  loaded(): void {
    scope.done?.();
  }

  #timeout(): void {
    if (this.#connected) scope.timeout?.();
    else this.#fail('TIMEOUT', 'testharness.js was never loaded');
  }

  #fail(harness: HarnessStatus, message: string): void {
    this.#send({ type: 'complete', harness, message, subtests: [] });
  }
}

function subtestOf({ name, status, message }: HarnessTest): Subtest {
  return { name, status: subtestStatus[status] ?? 'FAIL', message };
}
