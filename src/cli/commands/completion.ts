import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { completionScript, shells } from '../completion-scripts.ts';
import { commands } from './index.ts';

const options = {} as const;

export const completion: Command = {
  name: 'completion',
  summary: 'print a script that makes a shell complete commands and options',
  usage: shells.join(' | '),
  options,
  words: shells,
  notes: ['bash: source <(holdfast completion bash). zsh: put it into a file _holdfast of $fpath.', 'fish: put it into ~/.config/fish/completions/holdfast.fish.'],
  run: async (args) => {
    const { positionals } = parse(options, args);
    requireArguments(positionals, [shells.join(', or ')], 1);
    const shell = shells.find((each) => each === positionals[0]);
    if (shell === undefined) throw new UsageError(`there is no script for '${positionals[0]}'; it is one of ${shells.join(', ')}`);
    console.log(completionScript(shell, commands));
    return 0;
  },
};
