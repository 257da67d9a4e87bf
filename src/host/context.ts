import { runInScope, scopes } from '../runtime/scope.ts';
import type { StorageClient } from './storage-client.ts';

/** Runs `body`, and whatever it starts, as `client`; what else is known of the code around it stays. */
export function runAs<Result>(client: StorageClient, body: () => Result): Result {
  return runInScope({ ...scopes?.getStore(), client }, body);
}

/** The client of the innermost `run` around the caller. Only the installed globals and their like may ask. */
export function currentClient(): StorageClient | undefined {
  return scopes?.getStore()?.client as StorageClient | undefined;
}
