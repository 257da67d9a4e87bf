/** Bytes of a database that make no sense, or a file that cannot be read or written. */
export class RecordsDamagedError extends Error {
  /** The file that it is about, where that is known. */
  readonly path: string | null;

  constructor(message: string, path: string | null = null, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'RecordsDamagedError';
    this.path = path;
  }
}

/** This runtime, or this root, has no databases; the message says why, and what to do. */
export class RecordsUnavailableError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'RecordsUnavailableError';
  }
}

/** Somebody who has no writer's lock is writing, or repairs the database after one who was killed: to be tried again. */
export class RecordsBusyError extends Error {
  constructor(path: string, options?: { cause?: unknown }) {
    super(`${path} is busy.`, options);
    this.name = 'RecordsBusyError';
  }
}
