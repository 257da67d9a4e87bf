import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { StorageClient } from '../../src/host/storage-client.ts';
import { encrypted } from '../support/sealed.ts';
import type { StorageHostOptions } from '../../src/host/options.ts';

export const origin = 'https://app.example';

const cleanups: (() => unknown)[] = [];

/** Runs `cleanup` when the test has ended; the last one first. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function newRoot(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-caches-'));
  atEnd(() => fs.rmSync(directory, { recursive: true, force: true }));
  return path.join(directory, 'root');
}

/** A host on a root: each has locks, an account and an index of its own, as another process has. */
export function openHost(root = newRoot(), options: Partial<StorageHostOptions> = {}): StorageHost {
  const host = new StorageHost({ root, ...encrypted, ...options });
  atEnd(() => host.close());
  return host;
}

export function openClient(root?: string, options?: Partial<StorageHostOptions>): StorageClient {
  return openHost(root, options).origin(origin);
}

export function cachesIn(root: string): string {
  return path.join(root, 'origins', 'https_app.example', 'default', 'caches');
}

/** The files of responses, named or not. */
export function responsesIn(root: string): string[] {
  const directory = path.join(cachesIn(root), 'responses');
  return fs.existsSync(directory) ? fs.readdirSync(directory).sort() : [];
}

export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** A body of so many bytes, made as it is read. */
export function bodyOf(bytes: number, chunk = 64 * 1024): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const size = Math.min(left, chunk);
      left -= size;
      if (size > 0) controller.enqueue(new Uint8Array(size).fill(left % 251));
      if (left === 0) controller.close();
    },
  }, { highWaterMark: 0 });
}
