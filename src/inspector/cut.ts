import type { Cut } from './messages.ts';

/** The beginning of a text. */
export function cut(text: string, length: number): Cut {
  return { text: text.length > length ? text.slice(0, length) : text, length: text.length };
}
