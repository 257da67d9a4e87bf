import type { Command } from './command.ts';

export const shells = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof shells)[number];

const writers: Record<Shell, (commands: readonly Command[]) => string[]> = { bash, zsh, fish };

/** What a shell reads to complete the program's commands, options and files. */
export function completionScript(shell: Shell, commands: readonly Command[]): string {
  return writers[shell](commands).join('\n');
}

/** The words that may follow a command. */
function wordsOf({ options, words = [] }: Command): string {
  return [...words, ...Object.keys(options).map((name) => `--${name}`), '--help'].join(' ');
}

function firstWords(commands: readonly Command[]): string {
  return [...new Set(commands.map(({ name }) => name.split(' ')[0] ?? ''))].join(' ');
}

function bash(commands: readonly Command[]): string[] {
  return [
    '_holdfast() {',
    '  local current=${COMP_WORDS[COMP_CWORD]} words=',
    `  if [ "$COMP_CWORD" -eq 1 ]; then words='${firstWords(commands)} --help --version'`,
    '  else',
    '    case "${COMP_WORDS[1]}" in',
    ...commands.filter(({ name }) => !name.includes(' ')).map((command) => `      ${command.name}) words='${wordsOf(command)}' ;;`),
    ...groups(commands).map(([first, rest]) => `      ${first}) words='${rest.map(({ name }) => name.split(' ')[1]).join(' ')} ${rest.map(wordsOf).join(' ')}' ;;`),
    '    esac',
    '  fi',
    '  COMPREPLY=($(compgen -W "$words" -- "$current"))',
    '}',
    'complete -o default -F _holdfast holdfast',
  ];
}

/** Commands of two words, by the first. */
function groups(commands: readonly Command[]): [string, Command[]][] {
  const found = new Map<string, Command[]>();
  for (const command of commands) {
    const [first = '', second] = command.name.split(' ');
    if (second !== undefined) found.set(first, [...(found.get(first) ?? []), command]);
  }
  return [...found];
}

function zsh(commands: readonly Command[]): string[] {
  const summaries = new Map(commands.map(({ name, summary }) => [name.split(' ')[0] ?? '', summary]));
  return [
    '#compdef holdfast',
    '_holdfast() {',
    '  local -a commands',
    `  commands=(${[...summaries].map(([name, summary]) => quoted(`${name}:${summary.replace(/:/g, '\\:')}`)).join(' ')})`,
    '  if (( CURRENT == 2 )); then _describe command commands; return; fi',
    '  case $words[2] in',
    ...commands.filter(({ name }) => !name.includes(' ')).map((command) => `    ${command.name}) compadd -- ${wordsOf(command)}; _files ;;`),
    ...groups(commands).map(([first, rest]) => `    ${first}) compadd -- ${rest.map(({ name }) => name.split(' ')[1]).join(' ')} ${rest.map(wordsOf).join(' ')} ;;`),
    '  esac',
    '}',
    '_holdfast "$@"',
  ];
}

function fish(commands: readonly Command[]): string[] {
  return commands.flatMap((command) => {
    const [first = '', second] = command.name.split(' ');
    const own = `complete -c holdfast -n '__fish_seen_subcommand_from ${first}'`;
    return [
      `complete -c holdfast -n '__fish_use_subcommand' -f -a ${first} -d ${quoted(command.summary)}`,
      ...(second === undefined ? [] : [`${own} -f -a ${second} -d ${quoted(command.summary)}`]),
      ...(command.words ?? []).map((word) => `${own} -f -a ${word}`),
      ...Object.entries(command.options).map(([name, { value, help }]) => `${own} -l ${name}${value === undefined ? '' : ' -r'} -d ${quoted(help)}`),
    ];
  });
}

function quoted(text: string): string {
  return `'${text.replace(/'/g, `'\\''`)}'`;
}
