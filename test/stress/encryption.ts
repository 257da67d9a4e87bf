/** Whose data are encrypted, and whose keys change, under kills. */
export const ORIGIN = 'https://a.example';

/** Part of every value, content and name: not to be found in the root in the end. */
export const CANARY = 'canary-under-kills';

/** What each writer writes: one version of each after the other. */
export const places = ['item', 'whole', 'in place', 'response', 'bucket file', 'bucket response', 'record'] as const;
export type Place = (typeof places)[number];

/** A version that can be told from a torn one; as long as several blocks now and then, but in place. */
export function textOf(version: number, place: Place): string {
  const length = place === 'in place' ? 1 : 1 + ((version * 37) % 700);
  return `${version}:${CANARY.repeat(length)}:${version}`;
}

/** The version that a text is of; NaN where it is not whole. */
export function versionOf(text: string | null | undefined, place: Place): number {
  const version = Number.parseInt(text ?? '', 10);
  return text === textOf(version, place) ? version : Number.NaN;
}

/** What a process does. */
export type Work = 'fill' | 'write' | 'encrypt' | 'rotate';
