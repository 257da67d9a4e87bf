import { isDirectoryHandle, withFiles } from '../files/bucket-files.ts';
import { copyIn, copyOut, copyWithin } from '../files/copy.ts';
import { type Entry, listEntries } from '../files/list.ts';
import { HoldfastError } from '../../runtime/holdfast-error.ts';
import { type Command, parse, requireArguments, UsageError } from '../command.ts';
import { isOpfsPath, made, opfsPath, required, shown } from '../opfs-path.ts';
import { printJsonLine, printLines, writeOut } from '../output.ts';
import { keyOptions } from '../keys-option.ts';
import { bucketOption, jsonOption, originOption, rootOptions } from '../root.ts';
import { type Cell, moment, table } from '../table.ts';

const lsOptions = { ...originOption, ...bucketOption, recursive: { help: 'what is in its directories too' }, ...jsonOption, ...keyOptions, ...rootOptions } as const;

export const ls: Command = {
  name: 'ls',
  summary: 'list files and directories of an origin',
  usage: '--origin ORIGIN [--bucket NAME] [opfs:/PATH] [--recursive] [--json]',
  options: lsOptions,
  run: async (args) => {
    const { values, positionals } = parse(lsOptions, args);
    requireArguments(positionals, [], 1);
    const { names } = opfsPath(positionals[0] ?? 'opfs:/');
    const rows: Cell[][] = [];
    await withFiles(values, async ({ directory }) => {
      for await (const entry of listEntries(await required(directory, names), names, values.recursive === true)) {
        const { kind, size, modified, names: at } = entry;
        if (values.json) printJsonLine({ path: shown(at), kind, size, modified });
        else rows.push([size ?? '-', modified === null ? '-' : moment(modified), nameOf(entry, names)]);
      }
    });
    if (rows.length > 0) printLines(table([['bytes', 'modified', 'name'], ...rows]));
    return 0;
  },
};

/** Below what is listed; of a file that is listed itself, its own. */
function nameOf({ names, kind }: Entry, listed: readonly string[]): string {
  const name = names.slice(listed.length).join('/') || (names.at(-1) ?? '');
  return kind === 'directory' ? `${name}/` : name;
}

const catOptions = { ...originOption, ...bucketOption, ...keyOptions, ...rootOptions } as const;

export const cat: Command = {
  name: 'cat',
  summary: 'print the content of files',
  usage: '--origin ORIGIN [--bucket NAME] opfs:/PATH...',
  options: catOptions,
  run: async (args) => {
    const { values, positionals } = parse(catOptions, args);
    requireArguments(positionals, ['opfs:/PATH'], Infinity);
    const paths = positionals.map(opfsPath);
    await withFiles(values, async (files) => {
      for (const { names } of paths) {
        const handle = await required(files.directory, names);
        if (isDirectoryHandle(handle)) throw new HoldfastError('bad-option', `${shown(names)} is a directory.`);
        for await (const chunk of (await handle.getFile()).stream() as unknown as AsyncIterable<Uint8Array>) await writeOut(chunk);
      }
    });
    return 0;
  },
};

const copyOptions = { ...originOption, ...bucketOption, ...keyOptions, ...rootOptions } as const;

export const put: Command = {
  name: 'put',
  summary: 'store local files, or the standard input, as files of an origin',
  usage: '--origin ORIGIN [--bucket NAME] LOCAL... opfs:/PATH | - opfs:/PATH',
  options: copyOptions,
  notes: ['Directories are copied with all that is in them; directories on the way are made.', 'Each file takes the place of what is there once it is whole.'],
  run: async (args) => {
    const { values, positionals } = parse(copyOptions, args);
    requireArguments(positionals, ['LOCAL', 'opfs:/PATH'], Infinity);
    const target = opfsPath(positionals.at(-1) ?? '');
    await withFiles(values, (files) => copyIn(files, positionals.slice(0, -1), target), 'made');
    return 0;
  },
};

export const cp: Command = {
  name: 'cp',
  summary: 'copy files and directories of an origin, out of it, or into it',
  usage: '--origin ORIGIN [--bucket NAME] SOURCE TARGET',
  options: copyOptions,
  notes: ['At least one of both is a path such as opfs:/directory/file; another is one of this machine.'],
  run: async (args) => {
    const { values, positionals } = parse(copyOptions, args);
    requireArguments(positionals, ['SOURCE', 'TARGET']);
    const [source = '', target = ''] = positionals;
    if (!isOpfsPath(source) && !isOpfsPath(target)) throw new UsageError('neither of both is a path such as opfs:/directory/file');
    await withFiles(values, async (files) => {
      if (!isOpfsPath(source)) await copyIn(files, [source], opfsPath(target));
      else if (!isOpfsPath(target)) await copyOut(files, opfsPath(source), target);
      else await copyWithin(files, opfsPath(source), opfsPath(target));
    }, isOpfsPath(source) ? 'refused' : 'made');
    return 0;
  },
};

export const mv: Command = {
  name: 'mv',
  summary: 'move or rename a file or directory of an origin',
  usage: '--origin ORIGIN [--bucket NAME] opfs:/SOURCE opfs:/TARGET',
  options: copyOptions,
  run: async (args) => {
    const { values, positionals } = parse(copyOptions, args);
    requireArguments(positionals, ['opfs:/SOURCE', 'opfs:/TARGET']);
    const [source, target] = [opfsPath(positionals[0] ?? ''), opfsPath(positionals[1] ?? '')];
    await withFiles(values, async (files) => {
      const handle = await required(files.directory, source.names);
      const { parent, name } = await files.placeFor(target, source.names.at(-1) ?? '');
      await files.respectingLocks(source.names, async () => handle.move(await made(files.directory, parent), name));
    });
    return 0;
  },
};
