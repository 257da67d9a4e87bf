import { parseArgs } from 'node:util';
import { errorMessage } from '../runtime/errors.ts';

/** One option of a command: `--name VALUE`. */
export interface Option {
  /** What stands for its value in the help. */
  readonly value: string;
  readonly help: string;
}

export type Values<Name extends string> = Readonly<Partial<Record<Name, string>>>;

/** One command of the program. */
export interface Command {
  /** One word or more, as they are typed. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name in the line that shows how it is used. */
  readonly usage: string;
  readonly options: Readonly<Record<string, Option>>;
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
export function parse<Name extends string>(
  options: Readonly<Record<Name, Option>>,
  args: readonly string[],
): { readonly values: Values<Name>; readonly positionals: readonly string[] } {
  const known = Object.fromEntries(Object.keys(options).map((name) => [name, { type: 'string' as const }]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true });
    return { values: values as Values<Name>, positionals };
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
