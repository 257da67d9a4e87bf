/** What happened. */
export type StorageWarningCode =
  | 'record-damaged' // a stretch of a journal makes no sense and was passed over: what was written there is lost
  | 'journal-replaced' // a journal was removed, replaced or cut back under a process that had it open
  | 'hub-entry-damaged' // an entry of a hub's log makes no sense: it has no effect
  | 'disk-reserve' // the disk is nearly full: writes that need space are refused
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

type Listener = (warning: StorageWarning) => void;

const listeners = new Set<Listener>();

/** Tells whoever listens in this realm. Never throws; the caller sees to it that one fault is told once. */
export function warn(warning: StorageWarning): void {
  for (const listener of [...listeners]) {
    try {
      listener(warning);
    } catch {
      // A listener that fails must not fail the work that warned.
    }
  }
}

/** @returns a function that ends it */
export function onWarning(listener: Listener): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
