// Where a test keeps its data: the only folder that it may touch.
import { join } from 'node:path';
import process from 'node:process';
import { StorageHost } from 'holdfast';

export const data = process.env.TEST_DATA;
export const origin = 'https://app.example';

let roots = 0;

/** A folder that does not exist yet. */
export function newRoot() {
  return join(data, `root-${++roots}`);
}

/** Calls `body` with a host of a new root, and closes it. */
export async function withHost(body, options = {}) {
  const host = new StorageHost({ root: newRoot(), ...options });
  try {
    return await body(host, host.origin(origin));
  } finally {
    await host.close();
  }
}

/** The same with the origin's root directory. */
export function withDirectory(body) {
  return withHost(async (host, app) => body(await app.storage.getDirectory(), app, host));
}
