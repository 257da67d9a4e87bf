import type { Hub } from '../hub.ts';
import { NotRun } from './not-run.ts';
import { Stage } from './stage.ts';

/** The engine under test. All of its tests may share it; each works on logs of its own. */
export interface ContractSetup {
  /** A new client, not connected yet, of always the same engine with always the same data. */
  hub(): Promise<Hub>;
  /**
   * Kills the engine's server as SIGKILL does, starts it again on the same data, and resolves when it answers again.
   * Without it, the tests that need it do not run.
   */
  crash?(): Promise<void>;
  /**
   * A new client of another engine, that takes no more than `unnamedBytes` of blobs from it that no append has named: at
   * least 1 MiB, at most 64. Without it, the tests that need it do not run.
   */
  readonly bounded?: { readonly unnamedBytes: number; hub(): Promise<Hub> } | undefined;
  /** How long a test waits for what must happen some time before it gives up, in milliseconds. Default 60,000. */
  readonly patienceMs?: number | undefined;
}

/** One sentence of the contract of hubs, for any test runner. */
export interface ContractTest {
  readonly name: string;
  /**
   * Resolves to null when the hub does as the name says, or to the reason why that cannot be tested with this engine
   * (to be reported as not run); rejects with what the hub did instead. Closes every client that it asked for.
   */
  run(setup: ContractSetup): Promise<string | null>;
}

/** A test of the contract. `body` throws what it finds wrong. */
export function contractTest(name: string, body: (stage: Stage) => Promise<void>): ContractTest {
  return { name, run: (setup) => perform(setup, body) };
}

async function perform(setup: ContractSetup, body: (stage: Stage) => Promise<void>): Promise<string | null> {
  const stage = new Stage(setup);
  try {
    await body(stage);
    return null;
  } catch (error) {
    if (error instanceof NotRun) return error.message;
    throw error;
  } finally {
    await stage.close();
  }
}
