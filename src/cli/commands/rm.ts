import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { isDirectoryHandle, openBucketFiles, type BucketFiles } from '../files/bucket-files.ts';
import { isOpfsPath, opfsPath, required, shown } from '../opfs-path.ts';
import { keyOptions } from '../keys-option.ts';
import { bucketOption, localStorageIn, originOption, rootOptions, withClient } from '../root.ts';
import { noItem } from './items.ts';

const options = {
  ...originOption,
  ...bucketOption,
  recursive: { help: 'directories with all that is in them' },
  items: { help: 'all arguments are keys, those too that begin with opfs:' },
  ...keyOptions,
  ...rootOptions,
} as const;

export const rm: Command = {
  name: 'rm',
  summary: 'remove items of localStorage, or files and directories',
  usage: '--origin ORIGIN KEY... | [--bucket NAME] opfs:/PATH... [--recursive]',
  options,
  run: async (args) => {
    const { values, positionals } = parse(options, args);
    requireArguments(positionals, ['KEY'], Infinity);
    const paths = values.items ? [] : positionals.filter(isOpfsPath);
    if (paths.length > 0 && paths.length < positionals.length) throw new UsageError('keys and paths are removed one after the other');
    await withClient(values, async (client) => {
      if (paths.length === 0) for (const key of positionals) removeItem(localStorageIn(values, client), key);
      else await removeAll(await openBucketFiles(client, values), paths, values.recursive === true);
    });
    return 0;
  },
};

function removeItem(storage: Pick<Storage, 'getItem' | 'removeItem'>, key: string): void {
  if (storage.getItem(key) === null) throw noItem(key);
  storage.removeItem(key);
}

async function removeAll(files: BucketFiles, paths: readonly string[], isRecursive: boolean): Promise<void> {
  for (const { names } of paths.map(opfsPath)) {
    const name = names.at(-1);
    if (name === undefined) throw new HoldfastError('bad-option', `${shown(names)} itself cannot be removed.`);
    const handle = await required(files.directory, names);
    if (isDirectoryHandle(handle) && !isRecursive) throw new HoldfastError('bad-option', `${shown(names)} is a directory; --recursive removes it with all that is in it.`);
    await files.respectingLocks(names, () => handle.remove({ recursive: isRecursive }));
  }
}
