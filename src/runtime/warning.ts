import process from 'node:process';
import { warnings } from './channels.ts';

/** What happened. */
export type StorageWarningCode =
  | 'record-damaged' // a stretch of a journal makes no sense and was passed over: what was written there is lost
  | 'journal-replaced' // a journal was removed, replaced or cut back under a process that had it open
  | 'journal-cut-short' // a journal was copied while it was compacted: it goes on from the moment of that
  | 'hub-entry-damaged' // an entry of a hub's log makes no sense: it has no effect
  | 'disk-reserve' // the disk is nearly full: writes that need space are refused
  | 'sync-refused' // the runtime lets nobody sync to the disk: a power failure may lose what was acknowledged
  | 'background-failed'; // work that nobody waits for failed, and will be tried again

/** Something that a person who runs the program should know of, and that no caller could be told by an error. */
export interface StorageWarning {
  readonly code: StorageWarningCode;
  /** One sentence, with the place. */
  readonly message: string;
  /** The file or directory that it is about; its beginning says of which root. */
  readonly path: string;
  readonly cause?: unknown;
}

/** Gives true when it has told somebody whose business the warning is. */
type Listener = (warning: StorageWarning) => unknown;

const listeners = new Set<Listener>();

/** What was printed, by code and path: a fault that is met again and again is printed once. */
const printed = new Set<string>();
const MOST_PRINTED = 1000;

/**
 * Tells whoever listens in this realm; where nobody takes it, it is printed as the runtime's warnings are, so that no
 * fault goes unseen. Never throws; the caller sees to it that one fault is told once.
 */
export function warn(warning: StorageWarning): void {
  if (warnings.hasSubscribers) warnings.publish(warning);
  const taken = [...listeners].map((listener) => isTaken(listener, warning));
  if (!taken.includes(true)) print(warning);
}

function isTaken(listener: Listener, warning: StorageWarning): boolean {
  try {
    return listener(warning) === true;
  } catch {
    return true; // A listener that fails must not fail the work that warned.
  }
}

function print({ code, message, path }: StorageWarning): void {
  const fault = `${code} ${path}`;
  if (printed.has(fault) || printed.size === MOST_PRINTED) return;
  printed.add(fault);
  try {
    process.emitWarning(message, { type: 'HoldfastWarning', code });
  } catch {
    // A program may have replaced it by one that throws.
  }
}

/** @returns a function that ends it */
export function onWarning(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
