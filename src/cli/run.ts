import { HoldfastError } from '../runtime/holdfast-error.ts';
import { columns, type Command, UsageError } from './command.ts';
import { hub } from './hub.ts';
import { syncStatus } from './sync-status.ts';
import { verify } from './verify.ts';

const commands: readonly Command[] = [hub, syncStatus, verify];

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
  if (rest.some(isHelp)) return say(helpOf(command).join('\n'));
  return await perform(command, rest);
}

async function perform(command: Command, args: readonly string[]): Promise<number> {
  try {
    return await command.run(args);
  } catch (error) {
    if (error instanceof UsageError) return complain(`holdfast ${command.name}: ${error.message}. 'holdfast ${command.name} --help' shows how it is used.`);
    if (!(error instanceof HoldfastError)) throw error;
    console.error(`holdfast ${command.name}: ${error.message}`);
    return FAILED;
  }
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
  ];
}

function helpOf({ name, summary, usage, options }: Command): string[] {
  const rows = Object.entries(options).map(([option, { value, help }]) => [value === undefined ? `--${option}` : `--${option} ${value}`, help] as const);
  return [`Usage: holdfast ${name} ${usage}`, '', `${summary[0]?.toUpperCase()}${summary.slice(1)}.`, '', 'Options:', ...columns(rows)];
}
