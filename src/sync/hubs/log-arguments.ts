import type { NewEntry } from '../hub.ts';
import { badOption } from './option-checks.ts';

/** UTF-16 code units. */
const LONGEST_NAME = 512;

const ID = /^[A-Za-z0-9.-]{1,64}$/;

/** @throws HoldfastError `bad-option` */
export function requireLogName(name: string): void {
  if (typeof name !== 'string') throw badOption(`The name of a log is a string, not ${String(name)}.`);
  if (name.length > LONGEST_NAME) throw badOption(`The name of a log has ${name.length} code units; ${LONGEST_NAME} are the most.`);
}

/** @throws HoldfastError `bad-option` */
export function requirePosition(position: number): void {
  if (!Number.isSafeInteger(position) || position < 0) throw badOption(`A position is an integer from 0 on, not ${String(position)}.`);
}

/**
 * Ids are put into headers and lists, where other characters would end them.
 *
 * @throws HoldfastError `bad-option`
 */
export function requireIds(entries: readonly NewEntry[]): void {
  const wrong = entries.find(({ id }) => !ID.test(id));
  if (wrong !== undefined) throw badOption(`The id of an entry is 1 to 64 letters, digits, '-' and '.', not ${JSON.stringify(wrong.id)}.`);
}
