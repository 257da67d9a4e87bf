import { AsyncLocalStorage } from 'node:async_hooks';
import type { StorageClient } from './storage-client.ts';

// Created by the first run(): a context that nobody uses would still cost every `await` of the program.
let contexts: AsyncLocalStorage<StorageClient> | undefined;

/** Runs `body`, and whatever it starts, as `client`. */
export function runAs<Result>(client: StorageClient, body: () => Result): Result {
  contexts ??= new AsyncLocalStorage();
  return contexts.run(client, body);
}

/** The client of the innermost `run` around the caller. Only the installed globals and their like may ask. */
export function currentClient(): StorageClient | undefined {
  return contexts?.getStore();
}
