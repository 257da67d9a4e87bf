import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import v8 from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach } from 'vitest';
import { StorageHost } from '../../src/host/storage-host.ts';
import type { StorageHostOptions } from '../../src/host/options.ts';
import { encrypted } from '../support/sealed.ts';

const cleanups: (() => unknown)[] = [];

/** Runs `cleanup` when the test has ended; the last one first. */
export function atEnd(cleanup: () => unknown): void {
  cleanups.push(cleanup);
}

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

export function temporaryDirectory(): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'holdfast-host-'));
  atEnd(() => {
    fs.chmodSync(directory, 0o700);
    fs.rmSync(directory, { recursive: true, force: true });
  });
  return directory;
}

/** A host on a root that does not exist yet, closed at the end of the test. */
export function openHost(options: Partial<StorageHostOptions> = {}): StorageHost {
  const host = new StorageHost({ root: path.join(temporaryDirectory(), 'root'), ...encrypted, ...options });
  atEnd(() => host.close());
  return host;
}

/** What a call throws, for a look at its name and code. */
export function thrownBy(body: () => unknown): { name: string; code?: unknown; message: string; cause?: unknown } {
  try {
    body();
  } catch (error) {
    if (error instanceof Error || error instanceof DOMException) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

/** Resolves with the next event of a type. */
export function nextEvent<E extends Event>(target: EventTarget, type: string): Promise<E> {
  return new Promise((resolve) => target.addEventListener(type, (event) => resolve(event as E), { once: true }));
}

/** Everything below a directory; nothing if it does not exist. */
export function listing(directory: string): string[] {
  return fs.existsSync(directory) ? fs.readdirSync(directory, { recursive: true }).map(String).sort() : [];
}

/** Collects what nobody holds any more, and lets finalizers run. */
export async function collectGarbage(): Promise<void> {
  v8.setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  for (let round = 0; round < 3; round += 1) {
    // What a turn has looked at weakly lives until its end.
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
}
