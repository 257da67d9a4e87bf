import { errorCode, errorMessage, isDOMException, isError } from '../runtime/errors.ts';
import { HoldfastError } from '../runtime/holdfast-error.ts';
import { type Command, UsageError } from './command.ts';
import { commands } from './commands/index.ts';
import { howToGiveKey } from './keys-option.ts';
import { columns, printable } from './table.ts';

/** Exit codes: 1 when it did not work, 2 when it was not used as it is to be. */
const FAILED = 1;
const MISUSED = 2;

/** What the program does with its arguments; resolves to its exit code. */
export async function run(args: readonly string[], version: () => string): Promise<number> {
  const [first] = args;
  if (first === '--version' || first === '-v') return say(version());
  if (first === undefined) return complain(help().join('\n'));
  if (isHelp(first)) return say(help().join('\n'));
  const command = commands.find(({ name }) => name.split(' ').every((word, index) => args[index] === word));
  if (command === undefined) return complain(`holdfast: ${unknown(args)}. 'holdfast --help' shows what there is.`);
  const rest = args.slice(command.name.split(' ').length);
  const end = rest.indexOf('--');
  if (rest.slice(0, end === -1 ? undefined : end).some(isHelp)) return say(helpOf(command).join('\n'));
  return await perform(command, rest);
}

async function perform(command: Command, args: readonly string[]): Promise<number> {
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) return complain(`holdfast ${command.name}: ${error.message}.\n${usageOf(command)}`);
    const message = sentenceOf(error, (told) => howToGiveKey(told, command, args));
    if (message === null) throw error;
    console.error(`holdfast ${command.name}: ${printable(message)}`);
    return FAILED;
  }
}

/** What an error says to people: ours, with what helps, those of the web's interfaces, and those of the system. Null: it is a fault of the program. */
function sentenceOf(error: unknown, help: (told: HoldfastError) => string): string | null {
  if (error instanceof HoldfastError) return error.message + help(error);
  const isKnown = isDOMException(error) || /^E[A-Z0-9]+$/.test(errorCode(error)) || (isError(error) && error.name === 'TreeError');
  if (!isKnown) return null;
  const { cause } = error as Error;
  return cause instanceof HoldfastError ? cause.message + help(cause) : errorMessage(error);
}

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

function unknown(args: readonly string[]): string {
  const [first = ''] = args;
  return first.startsWith('-') ? `unknown option '${first}'` : `unknown command '${first}'`;
}

function say(text: string): number {
  console.log(text);
  return 0;
}

function complain(text: string): number {
  console.error(text);
  return MISUSED;
}

function help(): string[] {
  const options: [string, string][] = [
    ['--help', 'show this, or with a command how it is used'],
    ['--version', 'show the version'],
  ];
  return [
    'Usage: holdfast <command> [options]',
    '',
    'Commands:',
    ...columns(commands.map(({ name, summary }) => [name, summary])),
    '',
    'Options:',
    ...columns(options),
    '',
    'Each may be used while other processes use the root. Exit codes: 0, 1 (it failed), 2 (wrong usage).',
  ];
}

function usageOf({ name, usage }: Pick<Command, 'name' | 'usage'>): string {
  return `Usage: holdfast ${name} ${usage}`.trimEnd();
}

function helpOf({ name, summary, usage, options, notes = [] }: Command): string[] {
  const rows = Object.entries(options).map(([option, { value, help }]) => [value === undefined ? `--${option}` : `--${option} ${value}`, help] as const);
  const lines = [usageOf({ name, usage }), '', `${summary[0]?.toUpperCase()}${summary.slice(1)}.`, ...notes];
  return rows.length === 0 ? lines : [...lines, '', 'Options:', ...columns(rows)];
}
