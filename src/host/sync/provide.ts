import type * as Code from './code.ts';
import type { SyncedBucket, BucketSync } from './bucket-sync.ts';
import type { SyncSettings } from './options.ts';

let code: typeof Code | undefined;

/**
 * For the doors that have the option `sync`. It takes effect in its caller's turn, so it cannot be loaded then, and
 * programs that cannot ask for it need not load it.
 */
export function provideSync(module: typeof Code): void {
  code = module;
}

function provided(): typeof Code {
  if (code === undefined) throw new Error("'sync' was asked for where it was not provided");
  return code;
}

/** @throws HoldfastError bad-option */
export function syncOption(value: unknown, shared: unknown): SyncSettings | undefined {
  return value === undefined ? undefined : provided().syncSettings(value, shared);
}

/** A bucket's part in a hub's order; null where the host has none for its origin. */
export function createSync(origin: string, settings: SyncSettings | undefined, bucket: () => SyncedBucket): BucketSync | null {
  return settings?.includes(origin) === true ? new (provided().BucketSync)(bucket(), settings) : null;
}
