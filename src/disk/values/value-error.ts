/** A value that cannot be serialized: the DataCloneError of whichever interface was given it. */
export class UncloneableError extends Error {
  constructor(what: string) {
    super(`${what} could not be cloned.`);
    this.name = 'UncloneableError';
  }
}

/** Bytes that are no written value, or one of a newer version. */
export class ValueDamagedError extends Error {
  constructor(why: string) {
    super(`A stored value makes no sense: ${why}.`);
    this.name = 'ValueDamagedError';
  }
}
