/*
 * Values that tell where they come from: every write has one of its own, and one that is not whole is noticed.
 */

/** The name of a value that is followed by `padding` characters more; `unique` is nobody else's. */
export function nameValue(unique: string, padding: number): string {
  return `${unique}+${padding}`;
}

/** How many UTF-16 code units the value of a name has that `nameValue` made. */
export function lengthOfValue(name: string): number {
  const padding = name.slice(name.lastIndexOf('+') + 1);
  return name.length + padding.length + 2 + Number(padding);
}

/** A value of `name`, with as many characters more. */
export function encodeValue(name: string, padding: number): string {
  return `${name} ${padding} ${'x'.repeat(padding)}`;
}

/** The name of a value; of anything else, a name that no value has. */
export function decodeValue(value: string): string {
  if (value === '') return '';
  const [name = '', padding = ''] = value.split(' ', 2);
  if (encodeValue(name, Number(padding)) === value) return name;
  return `damaged: ${value.length} characters, ${value.slice(0, 40)}`;
}

/** A cell's content has always the same length, so that it is changed by one write at one place. */
const CELL_BYTES = 64;

export function encodeCell(name: string): Uint8Array {
  return new TextEncoder().encode(name.padEnd(CELL_BYTES));
}

export function decodeCell(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes).trimEnd();
}

export { CELL_BYTES };
