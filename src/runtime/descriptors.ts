import fs from 'node:fs';
import { errorCode } from './errors.ts';

/*
 * What to do when the process, or the system, is out of file descriptors: those that are open but idle are closed, and
 * what needs one is tried again. Whoever keeps descriptors open for later says so here.
 */

const idle = new Set<() => boolean>();

/** `giveUp` closes what it can do without for now, and says whether that was anything. */
export function onShortage(giveUp: () => boolean): void {
  idle.add(giveUp);
}

/** Whether an operation failed because no descriptor was left. */
export function isShortage(error: unknown): boolean {
  const code = errorCode(error);
  return code === 'EMFILE' || code === 'ENFILE';
}

/** How often any were given up. */
let rounds = 0;

function giveUpIdle(): boolean {
  let gaveUp = false;
  for (const giveUp of idle) gaveUp = giveUp() || gaveUp;
  if (gaveUp) rounds++;
  return gaveUp;
}

/** Calls what needs a descriptor, and changes nothing when it gets none; a second time, where that may help. */
export function withDescriptor<T>(open: () => T): T {
  try {
    return open();
  } catch (error) {
    if (!isShortage(error) || !giveUpIdle()) throw error;
    return open();
  }
}

/** The same for what takes its time: meanwhile others may have given up what was idle, or taken what became free. */
export async function withDescriptors<T>(open: () => Promise<T>): Promise<T> {
  for (let attempts = 3; ; attempts--) {
    const before = rounds;
    try {
      return await open();
    } catch (error) {
      if (!isShortage(error) || attempts === 1 || (!giveUpIdle() && rounds === before)) throw error;
    }
  }
}

const ANY_FILE = process.platform === 'win32' ? '\\\\.\\NUL' : '/dev/null';

/**
 * Sees to it that so many descriptors can be opened.
 *
 * @throws the operating system's error, where they cannot
 */
export function requireDescriptors(count: number): void {
  withDescriptor(() => {
    const opened: number[] = [];
    try {
      while (opened.length < count) opened.push(fs.openSync(ANY_FILE, 'r'));
    } catch (error) {
      // Whoever may not open this file, as under Node's permissions, finds out by what it needs them for.
      if (isShortage(error)) throw error;
    } finally {
      for (const descriptor of opened) fs.closeSync(descriptor);
    }
  });
}
