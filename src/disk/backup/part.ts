/** What an origin is made of, as something that others change meanwhile. */
export interface Part {
  /**
   * Which state it is in now; another one when it has changed since. Asked for twice around a moment, so it costs
   * microseconds.
   *
   * @throws Moved when it is not what it was any more
   */
  position(): string | number;
  /**
   * Takes note that the backup is to have it as of the position that it told last.
   *
   * @returns false where that turns out to have been no state of it
   */
  settle(): boolean;
}

/** Something was changed underfoot, so that no state of one moment comes of it: it is to be begun again. */
export class Moved extends Error {
  constructor(what: string) {
    super(`${what} was changed meanwhile`);
    this.name = 'Moved';
  }
}
