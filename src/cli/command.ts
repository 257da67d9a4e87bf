import { parseArgs } from 'node:util';
import { errorMessage } from '../runtime/errors.ts';

/** One option of a command: `--name VALUE`, or `--name` alone. */
export interface Option {
  /** What stands for its value in the help; absent: it takes none. */
  readonly value?: string;
  /** Whether it may be given several times. */
  readonly isList?: boolean;
  readonly help: string;
}

export type Options<Name extends string = string> = Readonly<Record<Name, Option>>;

type Value<Each extends Option> = Each extends { readonly isList: true } ? string[] : Each extends { readonly value: string } ? string : boolean;

/** What was given: text, or for an option without a value that it was there. */
export type Values<Each extends Options> = { readonly [Name in keyof Each]?: Value<Each[Name]> };

/** One command of the program. */
export interface Command {
  /** One word or more, as they are typed. */
  readonly name: string;
  readonly summary: string;
  /** What follows the name in the line that shows how it is used. */
  readonly usage: string;
  readonly options: Options;
  /** Further lines of its help. */
  readonly notes?: readonly string[];
  /** What may follow it, where that is one of a few words. */
  readonly words?: readonly string[];
  /** Resolves to the exit code. */
  run(args: readonly string[]): Promise<number>;
}

/** What was typed is not how a command is used. */
export class UsageError extends Error {}

/** What was given, taken apart. */
export interface Given<Each extends Options> {
  readonly values: Values<Each>;
  readonly positionals: readonly string[];
}

/**
 * Takes options and what is no option apart. A single dash is none.
 *
 * @throws UsageError
 */
export function parse<Each extends Options>(options: Each, args: readonly string[]): Given<Each> {
  const known = Object.fromEntries(Object.entries(options).map(([name, option]) => [name, configOf(option)]));
  try {
    const { values, positionals } = parseArgs({ args: [...args], options: known, allowPositionals: true, strict: true });
    return { values: values as Values<Each>, positionals };
  } catch (error) {
    // Its messages are sentences, with advice in further ones that does not fit here.
    const [sentence = ''] = errorMessage(error).split(/\.\s|\n/);
    throw new UsageError(sentence.replace(/\.$/, ''));
  }
}

function configOf({ value, isList }: Option): { type: 'boolean' | 'string'; multiple: boolean } {
  return { type: value === undefined ? 'boolean' : 'string', multiple: isList === true };
}

/** @throws UsageError unless there are so many, of which the last names that are left are for the message */
export function requireArguments(positionals: readonly string[], names: readonly string[], most = names.length): void {
  const missing = names[positionals.length];
  if (missing !== undefined) throw new UsageError(`${missing} is missing`);
  if (positionals.length > most) throw new UsageError(`unexpected '${positionals[most]}'`);
}
