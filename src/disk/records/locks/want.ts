import type { Wanted } from '../database-locks.ts';

/** Somebody's wish to be alone with a database, as its request for the lock tells others by the name of its client. */
export interface Want extends Wanted {
  /** Unlike that of any other. */
  readonly id: string;
}

const DELETION = 'delete';

export function writeWant({ id, newVersion }: Want): string {
  return `${id} ${newVersion ?? DELETION}`;
}

export function readWant(text: string): Want {
  const [id = '', version = DELETION] = text.split(' ');
  return { id, newVersion: version === DELETION ? null : Number(version) };
}

/** The lock that everybody holds who has told its connections of a want. */
export function answerName({ id }: Want): string {
  return `a:${id}`;
}
