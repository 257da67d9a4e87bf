import { expect, it } from 'vitest';
import type { ContractSetup } from '../../../src/sync/contract/index.ts';
import { hubContract } from '../../../src/sync/contract/index.ts';
import { ServerMissing } from './server.ts';

/** A server, or why it cannot be had. */
export type Available<T> = { readonly server: T; readonly missing: null } | { readonly server: null; readonly missing: string };

/** Starts a server; on a machine that has none the tests that need it are to be skipped. */
export async function tryStart<T>(start: () => Promise<T>): Promise<Available<T>> {
  try {
    return { server: await start(), missing: null };
  } catch (error) {
    if (!(error instanceof ServerMissing)) throw error;
    return { server: null, missing: error.message };
  }
}

/** A skipped test of this name is what CI's closing lines are made from. */
export function reportSkipped(adapter: string, reason: string): void {
  it.skip(`skipped adapter: ${adapter} (${reason})`, () => expect.unreachable());
}

/** The contract of hubs, as tests of this file. */
export function itHoldsTheContract(setup: ContractSetup): void {
  for (const { name, run } of hubContract()) {
    it(name, async (context) => {
      const reason = await run(setup);
      if (reason !== null) context.skip(reason);
    });
  }
}
