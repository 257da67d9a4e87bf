import { parseArgs } from 'node:util';
import { errorMessage } from '../runtime/errors.ts';

/** One option of a command: `--name VALUE`, or `--name` alone. */
export interface Option {
  /** What stands for its value in the help; absent: it takes none. */
  readonly value?: string;
  readonly help: string;
}

export type Options<Name extends string = string> = Readonly<Record<Name, Option>>;

/** What was given: text, or for an option without a value that it was there. */
export type Values<Each extends Options> = { readonly [Name in keyof Each]?: Each[Name] extends { readonly value: string } ? string : boolean };

/** One command of the program. */
export interface Command {
  /** One word or more, as they are typed. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name in the line that shows how it is used. */
  readonly usage: string;
  readonly options: Options;
  /** Resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** What was typed is not how a command is used. */
export class UsageError extends Error {}

/**
 * Takes options and what is no option apart.
 *
 * @throws UsageError
 */
export function parse<Each extends Options>(
  options: Each,
  args: readonly string[],
): { readonly values: Values<Each>; readonly positionals: readonly string[] } {
  const known = Object.fromEntries(Object.entries(options).map(([name, { value }]) => [name, { type: value === undefined ? ('boolean' as const) : ('string' as const) }]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true });
    return { values: values as Values<Each>, positionals };
  } catch (error) {
    // Its messages are sentences, with advice in further ones that does not fit here.
    const [sentence = ''] = errorMessage(error).split(/\.\s|\n/);
    throw new UsageError(sentence.replace(/\.$/, ''));
  }
}

/** Lines of two columns. */
export function columns(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(...rows.map(([left]) => left.length));
  return rows.map(([left, right]) => `  ${left.padEnd(width)}  ${right}`);
}

/** Lines of any number of columns, each as wide as its widest cell. */
export function table(rows: readonly (readonly string[])[]): string[] {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  return rows.map((row) => row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ').trimEnd());
}
