import { wallClock } from '../runtime/timers.ts';

/** A cell of a table; numbers stand on the right. */
export type Cell = string | number;

/** Lines of two columns. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** Lines of any number of columns, each as wide as its widest cell, under their headings. */
export function table(rows: readonly (readonly Cell[])[]): string[] {
  const shown = rows.map((row) => row.map((cell) => printable(String(cell))));
  const count = Math.max(0, ...rows.map((row) => row.length));
  const columnsOf = Array.from({ length: count }, (_, column) => ({
    width: Math.max(...shown.map((row) => widthOf(row[column] ?? ''))),
    isNumeric: rows.slice(1).some((row) => typeof row[column] === 'number'),
  }));
  return shown.map((row) => row.map((cell, column) => padded(cell, columnsOf[column])).join('  ').trimEnd());
}

function padded(cell: string, column: { width: number; isNumeric: boolean } | undefined): string {
  const room = ' '.repeat(Math.max(0, (column?.width ?? 0) - widthOf(cell)));
  return column?.isNumeric === true ? room + cell : cell + room;
}

/** Characters, as a terminal counts most of them. */
function widthOf(text: string): number {
  return Array.from(text).length;
}

/** What a tenant stores must not command a terminal: control characters, and what turns the direction, are escaped. */
export function printable(text: string): string {
  return text.replace(/[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufeff\p{Cs}]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Bytes for people. */
export function bytes(count: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A moment in milliseconds since 1970, to the second, in UTC. */
export function moment(milliseconds: number): string {
  return milliseconds === 0 ? '-' : new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}

/** How long ago a moment was, for people. */
export function ago(milliseconds: number): string {
  return span((wallClock() - milliseconds) / 1000);
}

/** Seconds for people. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 120) return `${whole}s`;
  if (whole < 7200) return `${Math.floor(whole / 60)}m`;
  return whole < 172_800 ? `${Math.floor(whole / 3600)}h` : `${Math.floor(whole / 86_400)}d`;
}
